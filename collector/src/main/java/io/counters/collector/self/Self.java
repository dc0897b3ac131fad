package io.counters.collector.self;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What this program counts of itself, by name: what it took, refused, healed, pushed, published and lost. From 0 at
 * every start; shown on the page and at {@code /metrics}. For any thread.
 *
 * <p>Names are Prometheus' own, with at most one label: {@code intake_rejected_total{reason="name_letter"}}.
 */
public final class Self {
    private final ConcurrentHashMap<String, LongSupplier> values = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<String, LongAdder> counts = new ConcurrentHashMap<>();

    /** The counter of this name; keep it where it is used often. */
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

    /** Shows a number that is kept elsewhere. */
    public void gauge(String name, LongSupplier value) {
        values.put(name, value);
    }

    /** Shows nothing more that has this label: what it stood for is gone. */
    public void forget(String label, String value) {
        String suffix = "{" + label + "=\"" + value + "\"}";
        values.keySet().removeIf(name -> name.endsWith(suffix));
        counts.keySet().removeIf(name -> name.endsWith(suffix));
    }

    /** All of them, as they stand. */
    public SortedMap<String, Long> values() {
        SortedMap<String, Long> now = new TreeMap<>();
        for (Map.Entry<String, LongSupplier> entry : values.entrySet()) {
            now.put(entry.getKey(), entry.getValue().getAsLong());
        }
        return now;
    }
}
