package io.counters.collector.intake;

import io.counters.collector.settings.Setting;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import io.counters.wire.StatsdName;
import java.util.ArrayList;
import java.util.List;

/**
 * What becomes of StatsD lines whose names or tags can't be stored as they are.
 *
 * @param cleans whether they are cleaned, by {@link StatsdName}'s table, or refused
 * @param dropTags keys of tags that are left out, as they are after cleaning
 */
public record StatsdSettings(boolean cleans, List<String> dropTags) {
    /** What applies where nothing is set. */
    static final StatsdSettings CLEAN = new StatsdSettings(true, List.of());

    public StatsdSettings {
        dropTags = List.copyOf(dropTags);
    }

    static StatsdSettings from(Settings settings) {
        boolean cleans = settings.get(Setting.STATSD_NAMES, StatsdSettings::cleans);
        List<String> dropTags = settings.get(Setting.DROP_TAGS, StatsdSettings::dropTags);
        if (!cleans && !dropTags.isEmpty()) {
            settings.refuse(
                    Setting.DROP_TAGS, "which works with statsd-names=clean only; leave one of the two settings out");
        }
        return new StatsdSettings(cleans, dropTags);
    }

    private static boolean cleans(String text) {
        return switch (text) {
            case "clean" -> true;
            case "strict" -> false;
            default -> throw new IllegalArgumentException("allowed are clean and strict");
        };
    }

    private static List<String> dropTags(String text) {
        List<String> keys = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            String key = part.strip();
            if (new NameReader().read(key) == null) {
                keys.add(key);
            } else if (!key.isEmpty()) {
                throw new IllegalArgumentException(
                        "where \"" + key + "\" is no key that a stored tag may have; allowed"
                                + " are keys of A-Z a-z 0-9 - _ . / with commas between them, and _ stands for any other letter");
            }
        }
        return keys;
    }

    /** A new reader of names, for one thread. */
    StatsdName newName() {
        return cleans ? StatsdName.cleaning(dropTags) : StatsdName.strict();
    }
}
