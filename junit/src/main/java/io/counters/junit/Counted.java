package io.counters.junit;

import io.counters.cells.Cells;
import io.counters.emit.CounterTable;
import io.counters.wire.NameReader;
import io.counters.wire.Rejection;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What was counted in this JVM since this was handed out: through the API, and by {@code @Count} and rules where the
 * JVM runs under the agent.
 *
 * <p>Counters belong to the JVM, so it also sees what tests that run in parallel, and threads that earlier tests left
 * behind, count under the same names. May be asked by any thread at any time; what another thread counts is seen at
 * once if something orders the two, such as a join or a future, and else soon.
 */
public final class Counted {
    private final CounterTable table = new CounterTable(Cells::sourcesOfJvm);
    private final Map<String, Long> before = table.sums();

    Counted() {}

    /**
     * What a counter came to: increments less decrements, so 0 also where one made up for the other.
     *
     * @param name tags may stand in any order
     * @throws IllegalArgumentException if no counter can have that name
     */
    public long amount(String name) {
        return amounts().getOrDefault(canonical(name), 0L);
    }

    /** What every counter came to, by canonical name, without those that came to 0; of now, it does not change later. */
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
            throw new IllegalArgumentException("\"" + name + "\" is no name that a counter can have: " + why.rule());
        }
        return reader.name();
    }

    @Override
    public String toString() {
        return amounts().toString();
    }
}
