package io.counters.collector.ledger;

import java.util.List;

/**
 * Every counter and its committed value, at one moment.
 *
 * @param size the number of counters; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million values every tick: lists would double the memory.
public record Snapshot(String[] names, long[] values, int size) {
    /** One after the other. */
    public static Snapshot joined(List<Snapshot> some) {
        int size = some.stream().mapToInt(Snapshot::size).sum();
        String[] names = new String[size];
        long[] values = new long[size];
        int at = 0;
        for (Snapshot one : some) {
            System.arraycopy(one.names, 0, names, at, one.size);
            System.arraycopy(one.values, 0, values, at, one.size);
            at += one.size;
        }
        return new Snapshot(names, values, size);
    }
}
