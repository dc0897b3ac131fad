package io.counters.agent.settings;

import io.counters.emit.EmitterSettings;
import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The effective settings, as one reading of all sources gives them. Immutable.
 *
 * <p>Agent arguments are {@code key=value,key=value}; a value with commas stands in {@code '...'}. System properties
 * are {@code counters.KEY}, variables of the environment {@code COUNTERS_KEY}. A file has lines {@code key = value},
 * and comments after {@code #} at a line's start. A list's elements are parted by {@code ;}, and {@code methods} may
 * stand on several lines, which add up; of any other key the last line holds. The first source that has a key wins it
 * whole.
 */
public final class Settings {
    private static final String NONE = "none";

    private static final EmitterSettings DEFAULT = EmitterSettings.to("localhost");
    private static final int RULE_LIMIT = 500;
    private static final int RULE_LIMIT_MAX = 1_000_000;

    private final Sources given;
    private final Map<Key, Setting> values;
    private final List<String> complaints;
    private final EmitterSettings emitter;
    private boolean nowhere;
    private boolean kept;
    private final boolean off;
    private final boolean enabled;
    private final boolean strict;
    private final boolean debug;
    private final boolean inherit;
    private final int ruleLimit;
    private final String tags;

    private Settings(Sources given) {
        Sources all = given.withFile();
        this.given = given;
        values = all.values;
        complaints = all.complaints;
        nowhere = all.collectorMissed;
        strict = flag(Key.STRICT, false);
        debug = flag(Key.DEBUG, false);
        inherit = flag(Key.INHERIT, false);
        ruleLimit = readRuleLimit();
        tags = readTags();
        emitter = readEmitter();
        off = !flag(Key.ENABLED, true);
        enabled = !off && !nowhere;
    }

    /** Reads all sources; never throws. */
    public static Settings read(@Nullable String arguments, Properties properties, Map<String, String> environment) {
        return new Settings(Sources.read(arguments, properties, environment));
    }

    /** The same with the file as it is now; the other sources stay what they were at the start. Never throws. */
    public Settings reread() {
        return new Settings(given);
    }

    /** The file that may change what is in force; null when none is named. */
    public @Nullable String file() {
        Setting file = values.get(Key.SETTINGS);
        return file == null ? null : file.text();
    }

    /** The keys that other settings give another value, and that take a restart: all but enabled and the rules'. */
    public List<String> fixedKeysThatDiffer(Settings other) {
        List<String> words = new ArrayList<>();
        for (Key key : Key.values()) {
            if (key != Key.ENABLED && !isOfRules(key) && !text(key, "").equals(other.text(key, ""))) {
                words.add(key.word());
            }
        }
        return words;
    }

    /** Whether other settings make the same rules. */
    public boolean hasRulesOf(Settings other) {
        for (Key key : Key.values()) {
            if (isOfRules(key) && !text(key, "").equals(other.text(key, ""))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOfRules(Key key) {
        return key == Key.METHODS || key == Key.META_ANNOTATIONS || key == Key.INHERIT || key == Key.RULE_LIMIT;
    }

    /** Where to send, how often and how. */
    public EmitterSettings emitter() {
        return emitter;
    }

    /** Whether what is counted is to be sent; {@code collector=none} keeps it in this JVM, for tests. */
    public boolean sends() {
        return !kept;
    }

    /** Whether somebody said {@code enabled=false}, whatever else is wrong. */
    public boolean isSwitchedOff() {
        return off;
    }

    /** Whether anything is to be installed. */
    public boolean enabled() {
        return enabled;
    }

    /** Whether a failure of the start is to be thrown. */
    public boolean strict() {
        return strict;
    }

    /** Whether every effective value is to be printed. */
    public boolean debug() {
        return debug;
    }

    /** The application's name, for templates; may be empty. */
    public String app() {
        return text(Key.APP, "");
    }

    /** What default names carry, {@code key=value,key=value}: a template; may be empty. */
    public String tags() {
        return tags;
    }

    /** The file that takes the agent's lines; null is stderr. */
    public @Nullable String log() {
        String log = text(Key.LOG, "stderr");
        return log.equals("stderr") ? null : log;
    }

    /** The rules, each as it stands. */
    public List<Setting> methods() {
        return list(Key.METHODS);
    }

    /** The annotations that carry {@code @Count} for what carries them: each a class's name. */
    public List<Setting> metaAnnotations() {
        return list(Key.META_ANNOTATIONS);
    }

    /** Whether an override counts by the annotations of what it overrides. */
    public boolean inherit() {
        return inherit;
    }

    /** The most methods that one rule takes, 1 to 1,000,000. */
    public int ruleLimit() {
        return ruleLimit;
    }

    private List<Setting> list(Key key) {
        Setting all = values.get(key);
        return all == null ? new ArrayList<>() : all.elements();
    }

    /** One line for every mistake. */
    public List<String> complaints() {
        return complaints;
    }

    /** One line for every key: its value and where that comes from. */
    public List<String> effective() {
        List<String> lines = new ArrayList<>();
        for (Key key : Key.values()) {
            Setting setting = values.get(key);
            lines.add(key.word() + " = "
                    + (setting == null ? key.byDefault + " (default)" : setting.text() + " (" + setting.place() + ")"));
        }
        return lines;
    }

    private EmitterSettings readEmitter() {
        EmitterSettings read = DEFAULT;
        Setting collector = values.get(Key.COLLECTOR);
        if (collector != null && collector.text().equals(NONE)) {
            kept = true;
        } else if (collector != null) {
            try {
                read = EmitterSettings.to(collector.text());
            } catch (IllegalArgumentException broken) {
                // Counts must not go to somebody else's collector because of a slip of the pen.
                complaints.add(collector.place() + ": " + broken.getMessage() + "; nothing is counted");
                nowhere = true;
            }
        }
        Setting sweep = values.get(Key.SWEEP);
        if (sweep != null) {
            try {
                read = read.sweepMillis(millis(sweep.text()));
            } catch (NumberFormatException noNumber) {
                complaints.add(sweep.place() + ": sweep is " + sweep.text()
                        + ", which is no time such as 1s, 500ms or 500; 1s is used");
            } catch (IllegalArgumentException broken) {
                complaints.add(sweep.place() + ": " + broken.getMessage() + "; 1s is used");
            }
        }
        Setting datagram = values.get(Key.DATAGRAM);
        if (datagram != null) {
            try {
                read = read.datagramBytes(Integer.parseInt(datagram.text()));
            } catch (NumberFormatException noNumber) {
                complaints.add(datagram.place() + ": datagram is " + datagram.text()
                        + ", which is no number of bytes such as 1432; the default is used");
            } catch (IllegalArgumentException broken) {
                complaints.add(datagram.place() + ": " + broken.getMessage() + "; the default is used");
            }
        }
        return read.totals(flag(Key.TOTALS, true)).follow(flag(Key.FOLLOW, false));
    }

    private int readRuleLimit() {
        Setting setting = values.get(Key.RULE_LIMIT);
        if (setting != null) {
            try {
                int limit = Integer.parseInt(setting.text());
                if (limit >= 1 && limit <= RULE_LIMIT_MAX) {
                    return limit;
                }
            } catch (NumberFormatException noNumber) {
                // Said below.
            }
            complaints.add(setting.place() + ": ruleLimit is " + setting.text() + ", allowed are 1 to " + RULE_LIMIT_MAX
                    + " methods; " + RULE_LIMIT + " is used");
        }
        return RULE_LIMIT;
    }

    /** Tried with something for every placeholder: what they stand for is always allowed in a tag. */
    private String readTags() {
        Setting tags = values.get(Key.TAGS);
        if (tags == null || tags.text().isEmpty()) {
            return "";
        }
        Rejection why = new NameReader().read("any," + tags.text().replaceAll("\\{\\w+}", "any"));
        if (why == null) {
            return tags.text();
        }
        complaints.add(tags.place() + ": tags is " + tags.text() + ", which is not as key=value,key=value: "
                + why.rule() + "; names carry none");
        return "";
    }

    private static long millis(String text) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.endsWith("ms")) {
            return Long.parseLong(lower.substring(0, lower.length() - 2).trim());
        }
        return lower.endsWith("s")
                ? Math.multiplyExact(
                        (long) Integer.parseInt(
                                lower.substring(0, lower.length() - 1).trim()),
                        1000L)
                : Long.parseLong(lower);
    }

    private boolean flag(Key key, boolean otherwise) {
        String text = text(key, String.valueOf(otherwise)).toLowerCase(Locale.ROOT);
        if (text.equals("true") || text.equals("on")) {
            return true;
        }
        if (text.equals("false") || text.equals("off")) {
            return false;
        }
        Setting setting = values.get(key);
        complaints.add((setting == null ? "" : setting.place() + ": ") + key.word() + " is " + text
                + ", allowed are true, on, false and off; " + otherwise + " is used");
        return otherwise;
    }

    private String text(Key key, String otherwise) {
        Setting setting = values.get(key);
        return setting == null ? otherwise : setting.text();
    }
}
