package io.counters.collector.self;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * This program's metrics, by name: how much it received, rejected, healed, pushed, published and lost. They begin at 0 at
 * every start, and are shown on the page and at {@code /metrics}. For any thread.
 *
 * <p>Names have Prometheus' form, with at most one label: {@code intake_rejected_total{reason="name_letter"}}.
 */
public final class Self {
    private final ConcurrentHashMap<String, LongSupplier> values = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, LongAdder> counts = new ConcurrentHashMap<>();

    /** The counter of this name; callers that use it often should keep it. */
    public LongAdder count(String name) {
        return counts.computeIfAbsent(name, fresh -> {
            LongAdder count = new LongAdder();
            values.put(fresh, count::sum);
            return count;
        });
    }

    /** The counter of this name and label. */
    public LongAdder count(String name, String label, String value) {
        return count(name + "{" + label + "=\"" + value + "\"}");
    }

    /** Adds a number that is kept elsewhere. */
    public void gauge(String name, LongSupplier value) {
        values.put(name, value);
    }

    /** Removes all metrics that have this label, such as those of a removed server. */
    public void forget(String label, String value) {
        String suffix = "{" + label + "=\"" + value + "\"}";
        values.keySet().removeIf(name -> name.endsWith(suffix));
        counts.keySet().removeIf(name -> name.endsWith(suffix));
    }

    /** The present values of all metrics. */
    public SortedMap<String, Long> values() {
        SortedMap<String, Long> now = new TreeMap<>();
        for (Map.Entry<String, LongSupplier> entry : values.entrySet()) {
            now.put(entry.getKey(), entry.getValue().getAsLong());
        }
        return now;
    }
}
