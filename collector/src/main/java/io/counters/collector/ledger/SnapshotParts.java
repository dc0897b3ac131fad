package io.counters.collector.ledger;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What a snapshot is made of, at one moment. Its arrays never change, so that the values are copied without the lock and
 * intake does not wait.
 *
 * @param names of all counters by their numbers; the array may be longer
 * @param committed the values in blocks
 * @param shown the counters to include; null for all
 */
@SuppressWarnings("ArrayRecordComponent") // Used immediately.
record SnapshotParts(
        String[] names,
        long[][] committed,
        int size,
        @Nullable BitSet shown) {
    /** All counters but those that are removed. */
    static SnapshotParts of(String[] names, long[][] committed, int size, BitSet removed) {
        BitSet shown = null;
        if (!removed.isEmpty()) {
            shown = new BitSet(size);
            shown.set(0, size);
            shown.andNot(removed);
        }
        return new SnapshotParts(names, committed, size, shown);
    }

    Snapshot snapshot() {
        if (shown == null) {
            long[] values = new long[size];
            for (int counter = 0; counter < size; counter += Values.BLOCK) {
                int count = Math.min(Values.BLOCK, size - counter);
                System.arraycopy(committed[Values.block(counter)], 0, values, counter, count);
            }
            return new Snapshot(names, values, size);
        }
        int[] counters = counters(shown);
        String[] shownNames = new String[counters.length];
        long[] shownValues = new long[counters.length];
        for (int i = 0; i < counters.length; i++) {
            shownNames[i] = names[counters[i]];
            shownValues[i] = committed[Values.block(counters[i])][Values.place(counters[i])];
        }
        return new Snapshot(shownNames, shownValues, counters, counters.length);
    }

    private int[] counters(BitSet some) {
        some.clear(size, Math.max(size, some.length()));
        return some.stream().toArray();
    }

    /**
     * The same with what else is known.
     *
     * @param created see {@link CounterFacts#created}
     * @param decremented the numbers of those that were ever decremented
     */
    Details details(int[][] created, LastMoves moves, BitSet decremented) {
        Snapshot snapshot = snapshot();
        long[] createdSeconds = new long[snapshot.size()];
        long[] movedSeconds = new long[snapshot.size()];
        BitSet places = shown == null ? decremented : new BitSet();
        for (int i = 0; i < snapshot.size(); i++) {
            int counter = snapshot.number(i);
            createdSeconds[i] = Integer.toUnsignedLong(created[Values.block(counter)][Values.place(counter)]);
            movedSeconds[i] = Math.max(createdSeconds[i], moves.second(counter));
            if (shown != null && decremented.get(counter)) {
                places.set(i);
            }
        }
        return new Details(
                snapshot.names(),
                snapshot.values(),
                createdSeconds,
                movedSeconds,
                places,
                snapshot.numbers(),
                snapshot.size());
    }
}
