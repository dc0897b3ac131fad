package io.counters.collector.common;

import java.util.Map;

/** A metric as a sum over its labels. */
public final class MetricSum {
    private MetricSum() {}

    /** The sum of all values of this name; 0 if there is none. */
    public static long of(Map<String, Long> values, String name) {
        return values.entrySet().stream()
                .filter(value -> value.getKey().equals(name) || value.getKey().startsWith(name + "{"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
