package io.counters.emit;

import io.counters.cells.CellSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Cells that contain only one test's counts, in the form in which copies of the cells join each other. */
final class CountedCells {
    private static final int IDS_MAX = 10_000;

    private final Map<String, Integer> ids = new HashMap<>();
    private final long[] row = new long[CellSource.APART + IDS_MAX];

    void add(String name, long amount) {
        int id = ids.computeIfAbsent(name, fresh -> ids.size());
        row[CellSource.APART + id] += amount;
    }

    /** The same as {@code Cells.sources()} would return. */
    Object[] source() {
        return CellSource.of(ids, row);
    }

    CounterTable table() {
        List<Object[]> sources = List.<Object[]>of(source());
        return new CounterTable(() -> sources);
    }
}
