package io.counters.emit;

import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;

/** Cells that hold what a test says and nothing of other tests: in the form in which copies of the cells are joined. */
final class CountedCells {
    private static final int IDS_MAX = 10_000;

    private final Map<String, Integer> ids = new HashMap<>();
    private final AtomicLongArray row = new AtomicLongArray(IDS_MAX);
    private final IdentityHashMap<Thread, AtomicLongArray> rows = new IdentityHashMap<>();

    CountedCells() {
        rows.put(Thread.currentThread(), row);
    }

    void add(String name, long amount) {
        int id = ids.computeIfAbsent(name, fresh -> ids.size());
        row.set(id, row.get(id) + amount);
    }

    /** What {@code Cells.sources()} would give. */
    Object[] source() {
        return new Object[] {ids, rows, new AtomicReferenceArray<AtomicLongArray>(IDS_MAX / 256 + 2)};
    }

    CounterTable table() {
        List<Object[]> sources = List.<Object[]>of(source());
        return new CounterTable(() -> sources);
    }
}
