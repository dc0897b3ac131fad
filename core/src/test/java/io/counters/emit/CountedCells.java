package io.counters.emit;

import io.counters.cells.Cells;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Cells that hold what a test says and nothing of other tests: in the form in which copies of the cells are joined. */
final class CountedCells {
    private static final int IDS_MAX = 10_000;

    private final Map<String, Integer> ids = new HashMap<>();
    private final long[] row = new long[Cells.APART + IDS_MAX];

    void add(String name, long amount) {
        int id = ids.computeIfAbsent(name, fresh -> ids.size());
        row[Cells.APART + id] += amount;
    }

    /** What {@code Cells.sources()} would give. */
    Object[] source() {
        return Cells.source(ids, row);
    }

    CounterTable table() {
        List<Object[]> sources = List.<Object[]>of(source());
        return new CounterTable(() -> sources);
    }
}
