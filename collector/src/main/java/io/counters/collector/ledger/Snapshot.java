package io.counters.collector.ledger;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every counter and its committed value, at one moment, in the order of their numbers.
 *
 * @param numbers the ledger's number of each counter; null if each counter's place is its number
 * @param size the number of counters; the arrays may be longer
 */
@SuppressWarnings("ArrayRecordComponent") // A million values every tick: lists would double the memory.
public record Snapshot(String[] names, long[] values, int @Nullable [] numbers, int size) {
    /** All counters of a ledger. */
    public Snapshot(String[] names, long[] values, int size) {
        this(names, values, null, size);
    }

    /**
     * The number of the counter in this place. In all snapshots of one run a counter has the same number, even if others are
     * removed and so its place changes.
     */
    public int number(int place) {
        return numbers == null ? place : numbers[place];
    }

    /** One above the largest number. */
    public int numbersEnd() {
        return size == 0 ? 0 : number(size - 1) + 1;
    }

    /** One after the other, with the numbers that they have. */
    public static Snapshot joined(List<Snapshot> some) {
        int size = some.stream().mapToInt(Snapshot::size).sum();
        String[] names = new String[size];
        long[] values = new long[size];
        int[] numbers = new int[size];
        int at = 0;
        for (Snapshot one : some) {
            System.arraycopy(one.names, 0, names, at, one.size);
            System.arraycopy(one.values, 0, values, at, one.size);
            for (int i = 0; i < one.size; i++) {
                numbers[at++] = one.number(i);
            }
        }
        return new Snapshot(names, values, numbers, size);
    }
}
