package io.counters.agent;

import io.counters.agent.settings.Settings;
import io.counters.agent.weave.Rules;
import io.counters.agent.weave.Weaving;
import java.io.File;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Applies changes of the settings file while the application runs: {@code enabled} and the rules take effect at once, the
 * other keys at the next start. If the file is invalid, only {@code enabled = false} takes effect. Used by the agent's
 * thread only.
 */
final class LiveSettings {
    private final Settings started;
    private final File file;
    private final Weaving weaving;
    private final LoadedClasses loaded;
    private final Log log;

    private Settings inForce;
    private long modified = -1;
    private long length = -1;

    LiveSettings(Settings started, String file, Weaving weaving, LoadedClasses loaded, Log log) {
        this.started = started;
        this.file = new File(file);
        this.weaving = weaving;
        this.loaded = loaded;
        this.log = log;
        inForce = started;
    }

    /** If the file's time or length has changed, reads the file and applies it. */
    void look() {
        long nowModified = file.lastModified();
        long nowLength = file.length();
        if (nowModified == modified && nowLength == length) {
            return;
        }
        modified = nowModified;
        length = nowLength;
        // With the file's time, because the log prints equal lines only once.
        String when = "settings " + file + " of " + Instant.ofEpochMilli(nowModified) + ": ";
        Settings fresh = inForce.reread();
        Mistakes mistakes = new Mistakes();
        for (String complaint : fresh.complaints()) {
            if (!inForce.complaints().contains(complaint)) {
                mistakes.accept(complaint);
            }
        }
        Rules rules = fresh.hasRulesOf(inForce) ? weaving.rules() : Rules.read(fresh, mistakes);
        if (!mistakes.lines.isEmpty()) {
            for (String line : mistakes.lines) {
                log.accept(line);
            }
            boolean off = fresh.isSwitchedOff() && weaving.isOn();
            if (off) {
                // An error elsewhere in the file must not prevent switching the agent off.
                weaving.change(weaving.rules(), false);
                loaded.weaveAnew();
            }
            log.accept(when + "the file has errors; the agent keeps its settings until the file is corrected"
                    + (off ? ". Only enabled = false takes effect: the original classes are restored" : ""));
            return;
        }
        apply(fresh, rules, when);
    }

    private void apply(Settings fresh, Rules rules, String when) {
        boolean switched = fresh.enabled() != weaving.isOn();
        boolean ruled = !fresh.hasRulesOf(inForce);
        inForce = fresh;
        if (switched || ruled) {
            weaving.change(rules, fresh.enabled());
            weaving.preload();
            int changed = loaded.weaveAnew();
            log.accept(when
                    + (switched ? "enabled is " + fresh.enabled() + ", " : "")
                    + (ruled ? rules.size() + (rules.size() == 1 ? " rule, " : " rules, ") : "")
                    + (fresh.enabled()
                            ? "loaded classes updated: " + changed
                            : "loaded classes restored: " + changed + "; what they counted is still sent"));
        }
        List<String> differing = fresh.fixedKeysThatDiffer(started);
        if (!differing.isEmpty()) {
            log.accept(when + String.join(", ", differing)
                    + " changed; restart the JVM to apply this. Only enabled and rules apply without a restart");
        }
    }

    private static final class Mistakes implements Consumer<String> {
        final List<String> lines = new ArrayList<>();

        @Override
        public void accept(String line) {
            lines.add(line);
        }
    }
}
