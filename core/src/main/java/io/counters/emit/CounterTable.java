package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.cells.CellSource;
import io.counters.cells.Cells;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * All counters of this JVM by name: the sum of each in the cells of all copies of the API and of the agent, and how
 * much of it has been assigned to a stream. What is assigned is never assigned again, so successive senders share one
 * table as long as the cells exist. Each of its users locks it.
 */
public final class CounterTable {
    private final Supplier<List<Object[]>> cells;
    private final Map<String, Integer> indexes = new HashMap<>();
    private final List<byte[]> names = new ArrayList<>();
    private final IdentityHashMap<Object[], int[]> indexesById = new IdentityHashMap<>();
    private long[] sums = new long[64];
    private long[] assigned = new long[64];
    private long[] scratch = new long[64];

    /** A table of this JVM's cells, of which nothing has been sent yet. */
    public CounterTable() {
        // No lambda, because it would delay the start of the application by 20 ms.
        this(new Supplier<List<Object[]>>() {
            @Override
            public List<Object[]> get() {
                return Cells.sources();
            }
        });
    }

    /**
     * A table of everything that this JVM counts, for readers that send nothing: the cells of this copy of the API, and
     * those that an agent sweeps.
     */
    public static CounterTable ofThisJvm() {
        return new CounterTable(CounterTable::sourcesOfThisJvm);
    }

    /** Each source once: this copy's cells are also among those of the agent, unless they are kept from it. */
    @SuppressWarnings("unchecked")
    private static List<Object[]> sourcesOfThisJvm() {
        List<Object[]> all = new ArrayList<>(Cells.sources());
        try {
            Class<?> bridge = Class.forName(Cells.BRIDGE, true, null);
            all.addAll((List<Object[]>) bridge.getMethod("sources").invoke(null));
        } catch (ReflectiveOperationException noAgent) {
            return all;
        }
        IdentityHashMap<Object, Object[]> once = new IdentityHashMap<>();
        for (Object[] source : all) {
            once.put(CellSource.names(source), source);
        }
        return new ArrayList<>(once.values());
    }

    /** @param cells returns the same as {@link Cells#sources} */
    public CounterTable(Supplier<List<Object[]>> cells) {
        this.cells = cells;
    }

    /** The number of counters, which are numbered from 0 and keep their numbers. */
    int size() {
        return names.size();
    }

    /** The canonical name of a counter, in bytes. */
    public byte[] name(int counter) {
        return names.get(counter);
    }

    /** Whether this canonical name is in the table. */
    boolean knows(String name) {
        return indexes.containsKey(name);
    }

    /** The number of the counter of this canonical name, which is added if it is new. */
    int index(String name) {
        Integer known = indexes.get(name);
        if (known != null) {
            return known;
        }
        // In this order, because an OutOfMemoryError may occur anywhere and no two names may ever share an index.
        int index = names.size();
        if (index == sums.length) {
            long[] more = Arrays.copyOf(sums, 2 * index);
            assigned = Arrays.copyOf(assigned, 2 * index);
            sums = more;
        }
        names.add(name.getBytes(ISO_8859_1));
        indexes.put(name, index);
        return index;
    }

    /** Reads the cells again and adds them up. */
    void read() {
        Arrays.fill(sums, 0);
        List<Object[]> sources = cells.get();
        for (Object[] source : sources) {
            int[] byId = indexesById(source);
            if (scratch.length < byId.length) {
                scratch = new long[2 * byId.length];
            }
            Arrays.fill(scratch, 0, byId.length, 0);
            CellSource.sum(source, scratch);
            for (int id = 0; id < byId.length; id++) {
                sums[byId[id]] = CellSource.sum(sums[byId[id]], scratch[id]);
            }
        }
        if (indexesById.size() > sources.size()) {
            indexesById.keySet().retainAll(sources);
        }
    }

    /** The current sum of every counter, sent or not, by canonical name. */
    public synchronized Map<String, Long> sums() {
        read();
        Map<String, Long> sums = new HashMap<>();
        for (Map.Entry<String, Integer> index : indexes.entrySet()) {
            sums.put(index.getKey(), this.sums[index.getValue()]);
        }
        return sums;
    }

    /** What was counted since the last {@link #assigned}, of either sign, saturated at the ends of the 64-bit range. */
    long unassigned(int counter) {
        long sum = sums[counter];
        long difference = sum - assigned[counter];
        boolean isBeyond = ((sum ^ assigned[counter]) & (sum ^ difference)) < 0;
        return !isBeyond ? difference : sum < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }

    /** The number of counters that had an unassigned amount when they were last read. */
    public synchronized int unassigned() {
        int counters = 0;
        for (int counter = 0; counter < names.size(); counter++) {
            counters += unassigned(counter) == 0 ? 0 : 1;
        }
        return counters;
    }

    /** Notes that this amount has been assigned to a stream. */
    void assigned(int counter, long amount) {
        assigned[counter] += amount;
    }

    private int[] indexesById(Object[] source) {
        int[] byId = indexesById.get(source);
        Map<String, Integer> ids = CellSource.names(source);
        int known = byId == null ? 0 : byId.length;
        if (byId == null || ids.size() > known) {
            // Ids are dense, but another thread may be adding one now: use the complete run from 0.
            String[] byNumber = new String[ids.size()];
            for (Map.Entry<String, Integer> entry : ids.entrySet()) {
                if (entry.getValue() < byNumber.length) {
                    byNumber[entry.getValue()] = entry.getKey();
                }
            }
            int complete = 0;
            while (complete < byNumber.length && byNumber[complete] != null) {
                complete++;
            }
            byId = byId == null ? new int[complete] : Arrays.copyOf(byId, Math.max(known, complete));
            for (int id = known; id < complete; id++) {
                byId[id] = index(byNumber[id]);
            }
            indexesById.put(source, byId);
        }
        return byId;
    }
}
