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
 * The settings file while the application runs: {@code enabled} and the rules take effect when it changes, the
 * other keys at the next start. A file with a mistake changes nothing but
 * {@code enabled = false}. For one thread, the agent's own.
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

    /** Reads the file if its time or its length is another one, and does what it says. */
    void look() {
        long nowModified = file.lastModified();
        long nowLength = file.length();
        if (nowModified == modified && nowLength == length) {
            return;
        }
        modified = nowModified;
        length = nowLength;
        // With the file's time, as the log says the same line only once.
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
                // Whoever wants us out of the way must not be kept waiting by a slip of the pen elsewhere.
                weaving.change(weaving.rules(), false);
                loaded.weaveAnew();
            }
            log.accept(when + "it has mistakes; all stays as it was until they are gone"
                    + (off ? ", but that enabled is false: the loaded classes are as they were" : ""));
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
                    + changed
                    + (fresh.enabled()
                            ? " loaded classes were woven anew"
                            : " loaded classes are as they were; what they counted is sent all the same"));
        }
        List<String> differing = fresh.fixedKeysThatDiffer(started);
        if (!differing.isEmpty()) {
            log.accept(
                    when + String.join(", ", differing) + " changed, which takes a restart; enabled and rules do not");
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
