package io.counters.cells;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads cells in the same way as the sweep: adds them up by name, over all sources. */
public final class Sums {
    private Sums() {}

    /** All counters of these sources whose sum is not 0. */
    static Map<String, Long> of(List<Object[]> sources) {
        Map<String, Long> byName = new HashMap<>();
        for (Object[] source : sources) {
            Map<String, Integer> ids = Map.copyOf(CellSource.names(source));
            long[] sums = new long[ids.size()];
            CellSource.sum(source, sums);
            ids.forEach((name, id) -> byName.merge(name, sums[id], Long::sum));
        }
        byName.values().removeIf(sum -> sum == 0);
        return byName;
    }

    /** The sum of one counter of this loader's cells. */
    public static long of(String name) {
        return of(Cells.sources()).getOrDefault(name, 0L);
    }
}
