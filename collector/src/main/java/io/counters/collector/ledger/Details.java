package io.counters.collector.ledger;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Every counter with its committed value and the other facts about it, at one moment, in parallel arrays.
 *
 * @param createdSeconds as in {@link Explanation#createdSecond}
 * @param movedSeconds as in {@link Explanation#movedSecond}
 * @param decremented the places of those that were ever decremented
 * @param numbers as in {@link Snapshot}
 * @param size the number of counters; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million counters: lists would double the memory.
public record Details(
        String[] names,
        long[] values,
        long[] createdSeconds,
        long[] movedSeconds,
        BitSet decremented,
        int @Nullable [] numbers,
        int size) {
    /** Those of all counters, each of which has its place as its number. */
    public Details(
            String[] names, long[] values, long[] createdSeconds, long[] movedSeconds, BitSet decremented, int size) {
        this(names, values, createdSeconds, movedSeconds, decremented, null, size);
    }
}
