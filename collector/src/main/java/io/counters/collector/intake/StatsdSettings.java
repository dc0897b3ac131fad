package io.counters.collector.intake;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.NameReader;
import io.counters.wire.StatsdName;
import java.util.ArrayList;
import java.util.List;

/**
 * How StatsD lines are handled whose names or tags cannot be stored unchanged.
 *
 * @param cleans whether they are cleaned, by {@link StatsdName}'s table, or rejected
 * @param dropTags keys of tags that are left out, in their form after cleaning
 */
public record StatsdSettings(boolean cleans, List<String> dropTags) {
    /** The default. */
    static final StatsdSettings CLEAN = new StatsdSettings(true, List.of());

    public StatsdSettings {
        dropTags = List.copyOf(dropTags);
    }

    static StatsdSettings from(Settings settings) {
        boolean cleans = settings.get(CollectorFlag.STATSD_NAMES, StatsdSettings::cleans);
        List<String> dropTags = settings.get(CollectorFlag.DROP_TAGS, StatsdSettings::dropTags);
        if (!cleans && !dropTags.isEmpty()) {
            settings.refuse(
                    CollectorFlag.DROP_TAGS,
                    "which works only with statsd-names=clean; leave out one of the two settings");
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
                        "where \"" + key + "\" is not a key of a stored tag; give keys of A-Z a-z 0-9 - _ . /"
                                + " separated by commas, with _ for any other character");
            }
        }
        return keys;
    }

    /** A new reader of names, for one thread. */
    public StatsdName newName() {
        return cleans ? StatsdName.cleaning(dropTags) : StatsdName.strict();
    }
}
