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
 * The effective settings, read once from all sources. Immutable.
 *
 * <p>Agent arguments are {@code key=value,key=value}; a value that contains commas is enclosed in {@code '...'}. System
 * properties are {@code counters.KEY}, environment variables {@code COUNTERS_KEY}. A file has lines {@code key = value};
 * lines that begin with {@code #} are comments. Elements of a list are separated by {@code ;}. All lines {@code methods}
 * and {@code alias} of a file are used; of any other key the last line is used. If several sources have a key, only the
 * first one's value is used: arguments, properties, environment, file.
 */
public final class Settings {
    private static final String NONE = "none";

    private static final EmitterSettings DEFAULT = EmitterSettings.to("localhost");
    private static final int RULE_LIMIT = 500;
    private static final int RULE_LIMIT_MAX = 1_000_000;

    private final Sources given;
    private final Map<Key, SettingValue> values;
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

    /** Whether there is a key that cannot be used. */
    private boolean keyless;

    /** @param before those of the start, if the settings are read again: the key is read only at the start */
    private Settings(Sources given, @Nullable Settings before) {
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
        EmitterSettings unsigned = readEmitter();
        emitter = before == null ? signed(unsigned) : unsigned;
        keyless |= before != null && before.keyless;
        nowhere |= keyless;
        off = !flag(Key.ENABLED, true);
        enabled = !off && !nowhere;
    }

    /** Reads all sources. Never throws. */
    public static Settings read(@Nullable String arguments, Properties properties, Map<String, String> environment) {
        return new Settings(Sources.read(arguments, properties, environment), null);
    }

    /** Reads the file again, but not the key, which is in use since the start; the values of the other sources are those of the start. Never throws. */
    public Settings reread() {
        return new Settings(given, this);
    }

    /** The settings file, which may change at run time; null if none is set. */
    public @Nullable String file() {
        SettingValue file = values.get(Key.SETTINGS);
        return file == null ? null : file.text();
    }

    /** The keys whose values differ and that need a restart: all except {@code enabled} and those of the rules. */
    public List<String> fixedKeysThatDiffer(Settings other) {
        List<String> words = new ArrayList<>();
        for (Key key : Key.values()) {
            if (key != Key.ENABLED && !isOfRules(key) && !text(key, "").equals(other.text(key, ""))) {
                words.add(key.word());
            }
        }
        return words;
    }

    /** Whether the other settings have the same rules. */
    public boolean hasRulesOf(Settings other) {
        for (Key key : Key.values()) {
            if (isOfRules(key) && !text(key, "").equals(other.text(key, ""))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isOfRules(Key key) {
        return key == Key.METHODS
                || key == Key.META_ANNOTATIONS
                || key == Key.ALIAS
                || key == Key.INHERIT
                || key == Key.RULE_LIMIT;
    }

    /** Where, how often and how counts are sent. */
    public EmitterSettings emitter() {
        return emitter;
    }

    /** Whether counts are sent; with {@code collector=none} they stay in this JVM, for tests. */
    public boolean sends() {
        return !kept;
    }

    /** Whether {@code enabled=false} is set, even if other settings are invalid. */
    public boolean isSwitchedOff() {
        return off;
    }

    /** Whether the agent is to be installed: {@code enabled} is true, and the collector is known. */
    public boolean enabled() {
        return enabled;
    }

    /** Whether an error at the start terminates the JVM. */
    public boolean strict() {
        return strict;
    }

    /** Whether every effective value is printed. */
    public boolean debug() {
        return debug;
    }

    /** The value of the setting {@code app}; may be empty. */
    public String app() {
        return text(Key.APP, "");
    }

    /** A template of the tags of default names, {@code key=value,key=value}; may be empty. */
    public String tags() {
        return tags;
    }

    /** The file for the agent's messages; null for stderr. */
    public @Nullable String log() {
        String log = text(Key.LOG, "stderr");
        return log.equals("stderr") ? null : log;
    }

    /** The rules as they are written. */
    public List<SettingValue> methods() {
        return list(Key.METHODS);
    }

    /** The class names of the annotation types that carry {@code @Count}. */
    public List<SettingValue> metaAnnotations() {
        return list(Key.META_ANNOTATIONS);
    }

    /** The class names of the annotations of other libraries that count as their own attributes say. */
    public List<SettingValue> aliases() {
        return list(Key.ALIAS);
    }

    /** Whether an override counts like the method that it overrides. */
    public boolean inherit() {
        return inherit;
    }

    /** The maximum number of methods that one rule matches, 1 to 1,000,000. */
    public int ruleLimit() {
        return ruleLimit;
    }

    private List<SettingValue> list(Key key) {
        SettingValue all = values.get(key);
        return all == null ? new ArrayList<>() : all.elements();
    }

    /** One message for each error. */
    public List<String> complaints() {
        return complaints;
    }

    /** One line for each key: its value and where it was set. */
    public List<String> effective() {
        List<String> lines = new ArrayList<>();
        for (Key key : Key.values()) {
            SettingValue setting = values.get(key);
            lines.add(key.word() + " = "
                    + (setting == null
                            ? key.byDefault + " (default)"
                            : shown(key, setting) + " (" + setting.place() + ")"));
        }
        return lines;
    }

    /** A value as it may be shown: where the name of the file with the key is expected, somebody may have written the key. */
    private String shown(Key key, SettingValue setting) {
        return key == Key.KEY && !setting.text().equals(NONE) && !emitter.isSigned()
                ? "(not shown, because it cannot be used)"
                : setting.text();
    }

    private EmitterSettings readEmitter() {
        EmitterSettings read = DEFAULT;
        SettingValue collector = values.get(Key.COLLECTOR);
        if (collector != null && collector.text().equals(NONE)) {
            kept = true;
        } else if (collector != null) {
            try {
                read = EmitterSettings.to(collector.text());
            } catch (IllegalArgumentException broken) {
                // A typing error must not send counts to a wrong collector.
                complaints.add(collector.place() + ": " + broken.getMessage() + "; nothing is counted");
                nowhere = true;
            }
        }
        SettingValue sweep = values.get(Key.SWEEP);
        if (sweep != null) {
            try {
                read = read.sweepMillis(millis(sweep.text()));
            } catch (NumberFormatException noNumber) {
                complaints.add(sweep.place() + ": sweep is " + sweep.text()
                        + ", which is not a time such as 1s, 500ms or 500; 1s is used");
            } catch (IllegalArgumentException broken) {
                complaints.add(sweep.place() + ": " + broken.getMessage() + "; 1s is used");
            }
        }
        SettingValue datagram = values.get(Key.DATAGRAM);
        if (datagram != null) {
            try {
                read = read.datagramBytes(Integer.parseInt(datagram.text()));
            } catch (NumberFormatException noNumber) {
                complaints.add(datagram.place() + ": datagram is " + datagram.text()
                        + ", which is not a number of bytes such as 1432; the default is used");
            } catch (IllegalArgumentException broken) {
                complaints.add(datagram.place() + ": " + broken.getMessage() + "; the default is used");
            }
        }
        return read.totals(flag(Key.TOTALS, true)).follow(flag(Key.FOLLOW, false));
    }

    private EmitterSettings signed(EmitterSettings unsigned) {
        SettingValue key = values.get(Key.KEY);
        if (key == null || key.text().equals(NONE)) {
            return unsigned;
        }
        try {
            return unsigned.key(key.text());
        } catch (IllegalArgumentException broken) {
            // Without its signature, a collector would refuse everything, or accept what nobody can check.
            complaints.add(key.place() + ": " + broken.getMessage() + "; nothing is counted");
            keyless = true;
            return unsigned;
        }
    }

    private int readRuleLimit() {
        SettingValue setting = values.get(Key.RULE_LIMIT);
        if (setting != null) {
            try {
                int limit = Integer.parseInt(setting.text());
                if (limit >= 1 && limit <= RULE_LIMIT_MAX) {
                    return limit;
                }
            } catch (NumberFormatException noNumber) {
                // Reported below.
            }
            complaints.add(setting.place() + ": ruleLimit is " + setting.text() + ", allowed are 1 to " + RULE_LIMIT_MAX
                    + " methods; " + RULE_LIMIT + " is used");
        }
        return RULE_LIMIT;
    }

    /** Checks the template with a sample value for each placeholder, because their values are always allowed in a tag. */
    private String readTags() {
        SettingValue tags = values.get(Key.TAGS);
        if (tags == null || tags.text().isEmpty()) {
            return "";
        }
        Rejection why = new NameReader().read("any," + tags.text().replaceAll("\\{\\w+}", "any"));
        if (why == null) {
            return tags.text();
        }
        complaints.add(tags.place() + ": tags is " + tags.text() + ", which is not of the form key=value,key=value: "
                + why.rule() + "; no tags are added to names");
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
        SettingValue setting = values.get(key);
        complaints.add((setting == null ? "" : setting.place() + ": ") + key.word() + " is " + text
                + ", allowed are true, on, false and off; " + otherwise + " is used");
        return otherwise;
    }

    private String text(Key key, String otherwise) {
        SettingValue setting = values.get(key);
        return setting == null ? otherwise : setting.text();
    }
}
