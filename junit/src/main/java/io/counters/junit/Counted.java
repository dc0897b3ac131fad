package io.counters.junit;

import io.counters.emit.CounterTable;
import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What was counted in this JVM since this object was created: by the API, and, if the JVM runs under the agent, by
 * {@code @Count} and rules.
 *
 * <p>Counters belong to the JVM, so this includes counts under the same names by tests that run in parallel and by
 * threads that earlier tests left behind. Any thread may call it at any time. The counts of another thread are visible
 * at once if a join, a future or the like orders the two threads, and otherwise soon.
 */
public final class Counted {
    private final CounterTable table = CounterTable.ofThisJvm();
    private final Map<String, Long> before = table.sums();

    Counted() {}

    /**
     * The amount of a counter: increments minus decrements, so it is also 0 if they are equal.
     *
     * @param name its tags may be in any order
     * @throws IllegalArgumentException if the name breaks a rule
     */
    public long amount(String name) {
        return amounts().getOrDefault(canonical(name), 0L);
    }

    /**
     * The current amounts of all counters by canonical name, without those that are 0. A copy, which does not change
     * later.
     */
    public SortedMap<String, Long> amounts() {
        SortedMap<String, Long> amounts = new TreeMap<>();
        for (Map.Entry<String, Long> sum : table.sums().entrySet()) {
            long amount = sum.getValue() - before.getOrDefault(sum.getKey(), 0L);
            if (amount != 0) {
                amounts.put(sum.getKey(), amount);
            }
        }
        return amounts;
    }

    static String canonical(String name) {
        NameReader reader = new NameReader();
        Rejection why = reader.read(name);
        if (why != null) {
            throw new IllegalArgumentException("\"" + name + "\" is not a valid name of a counter: " + why.rule());
        }
        return reader.name();
    }

    @Override
    public String toString() {
        return amounts().toString();
    }
}
