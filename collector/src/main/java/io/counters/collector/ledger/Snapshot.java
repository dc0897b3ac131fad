package io.counters.collector.ledger;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Every counter and its committed value, at one moment, in the order of their numbers.
 *
 * @param numbers the ledger's number of each counter; null if each counter's place is its number
 * @param size the number of counters; the arrays may be longer
 * @param facts what else is known of each counter; null if nobody needs it
 */
@SuppressWarnings("ArrayRecordComponent") // A million values every tick: lists would double the memory.
public record Snapshot(
        String[] names,
        long[] values,
        int @Nullable [] numbers,
        int size,
        @Nullable Facts facts) {
    /**
     * What a destination may need of each counter besides its value, by place.
     *
     * @param createdSeconds Unix time, unsigned; 0 where it is not known
     * @param marks how it is published, in bits; whoever creates the snapshot defines them
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Facts(int[] createdSeconds, byte[] marks) {
        /** When the counter in this place was created, in Unix time; 0 if that is not known. */
        public long createdSecond(int place) {
            return Integer.toUnsignedLong(createdSeconds[place]);
        }
    }

    /** All counters of a ledger. */
    public Snapshot(String[] names, long[] values, int size) {
        this(names, values, null, size);
    }

    /** Some counters, of which nothing else is known. */
    public Snapshot(String[] names, long[] values, int @Nullable [] numbers, int size) {
        this(names, values, numbers, size, null);
    }

    /** When the counter in this place was created, in Unix time; 0 if that is not known. */
    public long createdSecond(int place) {
        return facts == null ? 0 : facts.createdSecond(place);
    }

    /** Whether the counter in this place has this mark. */
    public boolean isMarked(int place, int mark) {
        return facts != null && (facts.marks[place] & mark) != 0;
    }

    /** Those in some places, which ascend. */
    public Snapshot only(int[] places, int count) {
        String[] someNames = new String[count];
        long[] someValues = new long[count];
        int[] someNumbers = new int[count];
        int[] created = new int[facts == null ? 0 : count];
        byte[] marks = new byte[created.length];
        for (int i = 0; i < count; i++) {
            someNames[i] = names[places[i]];
            someValues[i] = values[places[i]];
            someNumbers[i] = number(places[i]);
            if (facts != null) {
                created[i] = facts.createdSeconds[places[i]];
                marks[i] = facts.marks[places[i]];
            }
        }
        return new Snapshot(
                someNames, someValues, someNumbers, count, facts == null ? null : new Facts(created, marks));
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
        int[] created = new int[size];
        byte[] marks = new byte[size];
        boolean hasFacts = false;
        int at = 0;
        for (Snapshot one : some) {
            System.arraycopy(one.names, 0, names, at, one.size);
            System.arraycopy(one.values, 0, values, at, one.size);
            if (one.facts != null) {
                hasFacts = true;
                System.arraycopy(one.facts.createdSeconds, 0, created, at, one.size);
                System.arraycopy(one.facts.marks, 0, marks, at, one.size);
            }
            for (int i = 0; i < one.size; i++) {
                numbers[at++] = one.number(i);
            }
        }
        return new Snapshot(names, values, numbers, size, hasFacts ? new Facts(created, marks) : null);
    }
}
