package io.counters.collector.publish;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A counter's name as OpenTSDB has it: a metric and at least one tag, {@code src=counters} unless the name says another
 * {@code src}. A name has 7 tags at most and OpenTSDB takes 8.
 */
record Series(String metric, SortedMap<String, String> tags) {
    private static final Map<String, String> TAGS_DEFAULT = Map.of("src", "counters");

    /** @param name in canonical form */
    static Series of(String name) {
        String[] parts = name.split(",", -1);
        SortedMap<String, String> tags = new TreeMap<>(TAGS_DEFAULT);
        for (int i = 1; i < parts.length; i++) {
            int equals = parts[i].indexOf('=');
            tags.put(parts[i].substring(0, equals), parts[i].substring(equals + 1));
        }
        return new Series(parts[0], tags);
    }
}
