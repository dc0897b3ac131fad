package io.counters.collector.fleet;

import io.counters.collector.common.SeededHash;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.util.Arrays;

/**
 * The lines that arrived within one window, merged so that the sum stays the same:
 *
 * <pre>
 *   lines                                      become
 *   with totals, of a stream, name and verb    one with the highest total, whose amount is that of the lowest total, plus
 *                                              the highest less the lowest
 *   without totals, of a name and verb         one with the sum of their amounts
 *   fractions of a name, above or below 0      one with their exact sum
 *   from lines of a stream                     one for each run of numbers that arrived one after the other
 * </pre>
 *
 * <p>Lines that would become one with an amount of more than 2^53 stay apart: the ledger puts a stream whose total jumps
 * that far into quarantine, and must see the jump. Two lines with the same total count as one with the larger amount.
 *
 * <p>An open table finds the line of a stream, kind and name; everything is in arrays that the next window reuses, so that
 * no line allocates anything. Not for several threads at once.
 */
final class LineWindow {
    /** A record ends with the line that makes it longer than this. Kafka's brokers accept 1 MiB unless told otherwise. */
    static final int RECORD_BYTES = 256 << 10;

    /** The kinds of lines: with totals, without, and fractions, each by verb; and the numbers of a run of datagrams. */
    static final int TOTAL = 0;

    static final int AMOUNT = 2;
    static final int FRACTION = 4;
    static final int RUN = 6;

    /** The lowest bit of a kind: the line decrements. */
    static final int DECREMENTS = 1;

    /** The place of lines that belong to no stream. */
    static final int NOBODY = 0;

    /** The most datagrams of a run, so that a reader may refuse longer ones. */
    static final int RUN_MAX = 1 << 16;

    private static final int KIND_BITS = 3;
    private static final int KIND = (1 << KIND_BITS) - 1;

    /** Longs of a line in {@link #lines}. */
    private static final int STRIDE = 4;

    private static final int SLOTS_MIN = 1 << 10;
    private static final int BYTES_A_LINE = Long.BYTES * (STRIDE + 2) + 1;

    /** Lines with totals that decrement may use this beyond the others: more than a line and a stream need. */
    private static final int PAIR_BYTES = 1024;

    private static final long UPPER = 0xffff_ffff_0000_0000L;
    private static final long SPREAD = 0x9e37_79b9_7f4a_7c15L;

    private final SeededHash hashing;
    private final long bytesMax;

    /** The upper half is that of the hash, the lower half the number of a line plus 1; 0 marks a free slot. */
    private long[] slots = new long[SLOTS_MIN];

    private int slotsUsed;

    /** The hash that was sought last. */
    private long sought;

    /**
     * Of each line: where its name begins, and in the lower half its key, which is the stream's place and the kind. Then
     * the lowest total, the highest, and the amount of the lowest; or the sum; or the whole and the rest of a fraction; or
     * the first and the last number of a run.
     */
    private long[] lines = new long[SLOTS_MIN / 2 * STRIDE];

    private int size;
    private int runs;

    /** Each name after a byte with its length. */
    private byte[] names = new byte[SLOTS_MIN * 16];

    private int namesLength;

    private final WindowStreams streams = new WindowStreams();
    private boolean droppedIncrement;
    private long taken;
    private long droppedTotals;
    private long droppedAmounts;
    private long droppedNumbers;

    /**
     * @param bytesMax about the memory that it may use. Lines with totals, which their senders repeat, may use three
     *     quarters of it
     */
    LineWindow(SeededHash hashing, long bytesMax) {
        this.hashing = hashing;
        this.bytesMax = bytesMax;
    }

    /** Empties it, for the window with this number, which is above 0. */
    void begin(long next) {
        streams.begin(next);
        if (slots.length > SLOTS_MIN && slots.length > 16L * slotsUsed) {
            slots = new long[slots.length / 2];
        } else {
            Arrays.fill(slots, 0);
        }
        slotsUsed = 0;
        size = 0;
        runs = 0;
        namesLength = 0;
    }

    // Input

    /**
     * A {@code from} line of a stream with its time of birth, and with the number of its datagram; 0 if the lines that
     * follow have none, or one that does not tell their order.
     */
    void from(KnownStream stream, long seq) {
        if (!enter(stream)) {
            droppedNumbers += seq > 0 ? 1 : 0;
            return;
        }
        int place = stream.place;
        if (seq <= 0) {
            streams.unnumbered(place);
            return;
        }
        streams.datagram(place, seq);
        int at = streams.lastRun(place) * STRIDE;
        if (at >= 0 && lines[at + 2] + 1 == seq && seq - lines[at + 1] < RUN_MAX) {
            lines[at + 2] = seq;
        } else if (isFullForTotals()) {
            droppedNumbers++;
        } else {
            streams.setLastRun(place, size);
            runs++;
            append(place << KIND_BITS | RUN, seq, seq, 0);
        }
    }

    /** A line with a total. Of an increment and a decrement after it both are taken or none: only the difference may be a count. */
    void total(KnownStream stream, Verb verb, byte[] in, int begin, int end, long amount, long total) {
        taken++;
        boolean isHalf = verb == Verb.DECREMENT && droppedIncrement;
        boolean isTaken = !isHalf && addTotal(stream, verb, in, begin, end, amount, total);
        droppedTotals += isTaken ? 0 : 1;
        droppedIncrement = !isTaken && verb == Verb.INCREMENT;
    }

    private boolean addTotal(KnownStream stream, Verb verb, byte[] in, int begin, int end, long amount, long total) {
        if (!enter(stream)) {
            return false;
        }
        int key = stream.place << KIND_BITS | TOTAL | bit(verb);
        int slot = find(key, in, begin, end);
        int at = at(slot);
        if (at >= 0) {
            long low = lines[at + 1];
            long high = lines[at + 2];
            if (total >= low && total <= high) {
                lines[at + 3] = total == low ? Math.max(lines[at + 3], amount) : lines[at + 3];
                return true;
            }
            if (total > high && isOne(low, total, lines[at + 3])) {
                lines[at + 2] = total;
                return true;
            }
            if (total < low && isOne(total, high, amount)) {
                lines[at + 1] = total;
                lines[at + 3] = amount;
                return true;
            }
        }
        if (bytes() - (verb == Verb.DECREMENT ? PAIR_BYTES : 0) >= bytesMax / 4 * 3) {
            return false;
        }
        if (at >= 0) {
            // A lower total may follow a higher one.
            streams.unnumbered(stream.place);
        }
        add(slot, key, in, begin, end, total, total, amount);
        return true;
    }

    private static boolean isOne(long low, long high, long amount) {
        return high - low < CommandReader.AMOUNT_MAX && amount + (high - low) <= CommandReader.AMOUNT_MAX;
    }

    /** A line without a total. */
    void amount(Verb verb, byte[] in, int begin, int end, long amount) {
        taken++;
        int key = AMOUNT | bit(verb);
        int slot = find(key, in, begin, end);
        int at = at(slot);
        if (at >= 0 && lines[at + 1] + amount >= 0) {
            lines[at + 1] += amount;
        } else if (isFull()) {
            droppedAmounts++;
        } else {
            add(slot, key, in, begin, end, amount, 0, 0);
        }
    }

    /** A line with a fraction, in the form of {@link Commands#fraction}. */
    void fraction(byte[] in, int begin, int end, long integer, long rest) {
        taken++;
        int key = FRACTION | (integer < 0 ? DECREMENTS : 0);
        int slot = find(key, in, begin, end);
        int at = at(slot);
        if (at >= 0) {
            long rests = lines[at + 2] + rest;
            long carry = rests >= Commands.ONE ? 1 : 0;
            long sum = lines[at + 1] + integer + carry;
            boolean overflows = integer < 0 ? sum - carry >= 0 : sum < 0;
            if (!overflows) {
                lines[at + 1] = sum;
                lines[at + 2] = rests - carry * Commands.ONE;
                return;
            }
        }
        if (isFull()) {
            droppedAmounts++;
        } else {
            add(slot, key, in, begin, end, integer, rest, 0);
        }
    }

    /** Announces the stream to every partition with this window; false if there is no room. */
    boolean announce(KnownStream stream) {
        if (!enter(stream)) {
            return false;
        }
        streams.announced().set(stream.place);
        return true;
    }

    /** Gives the stream a place in this window, if it has none; false if there is no room. */
    private boolean enter(KnownStream stream) {
        if (streams.contains(stream)) {
            return true;
        }
        if (isFullForTotals()) {
            return false;
        }
        streams.add(stream);
        return true;
    }

    // The table

    private static int bit(Verb verb) {
        return verb == Verb.INCREMENT ? 0 : DECREMENTS;
    }

    /** The slot of the last line with this key and name, or a free one where it would be. */
    private int find(int key, byte[] in, int begin, int end) {
        sought = (hashing.of(in, begin, end) + key * SPREAD) & UPPER;
        int mask = slots.length - 1;
        int i = (int) (sought >>> Integer.SIZE) & mask;
        for (; slots[i] != 0; i = (i + 1) & mask) {
            if ((slots[i] & UPPER) == sought) {
                long line = lines[at(i)];
                int name = (int) (line >>> Integer.SIZE);
                if ((int) line == key
                        && (names[name] & 0xff) == end - begin
                        && Arrays.equals(names, name + 1, name + 1 + end - begin, in, begin, end)) {
                    break;
                }
            }
        }
        return i;
    }

    /** Where the line in a slot begins; negative if the slot is free. */
    private int at(int slot) {
        return ((int) slots[slot] - 1) * STRIDE;
    }

    /** Adds a line in the slot where it was sought. If another one is there, later lines are merged with the new one. */
    private void add(int slot, int key, byte[] in, int begin, int end, long a, long b, long c) {
        boolean isNew = slots[slot] == 0;
        long name = isNew ? (long) namesLength << Integer.SIZE : lines[at(slot)] & UPPER;
        slots[slot] = sought | (size + 1);
        append(name | key, a, b, c);
        if (!isNew) {
            return;
        }
        int length = end - begin;
        if (namesLength + length + 1 > names.length) {
            names = Arrays.copyOf(names, 2 * names.length);
        }
        names[namesLength] = (byte) length;
        System.arraycopy(in, begin, names, namesLength + 1, length);
        namesLength += length + 1;
        if (2 * ++slotsUsed > slots.length) {
            grow();
        }
    }

    private void append(long nameAndKey, long a, long b, long c) {
        int at = size++ * STRIDE;
        if (at == lines.length) {
            lines = Arrays.copyOf(lines, 2 * lines.length);
        }
        lines[at] = nameAndKey;
        lines[at + 1] = a;
        lines[at + 2] = b;
        lines[at + 3] = c;
    }

    private void grow() {
        long[] before = slots;
        slots = new long[2 * before.length];
        int mask = slots.length - 1;
        for (long slot : before) {
            if (slot != 0) {
                int i = (int) (slot >>> Integer.SIZE) & mask;
                while (slots[i] != 0) {
                    i = (i + 1) & mask;
                }
                slots[i] = slot;
            }
        }
    }

    private boolean isFull() {
        return bytes() >= bytesMax;
    }

    private boolean isFullForTotals() {
        return bytes() >= bytesMax / 4 * 3;
    }

    // Output

    /** About the memory that its lines use. */
    long bytes() {
        return (long) size * BYTES_A_LINE + namesLength + streams.bytes();
    }

    /** The number of lines after merging, with {@link #runs}. */
    int size() {
        return size;
    }

    /** How many of them are runs. */
    int runs() {
        return runs;
    }

    /** The array with all names. */
    byte[] names() {
        return names;
    }

    /** Where the name of a line begins in {@link #names}. */
    int nameBegin(int line) {
        return (int) (lines[line * STRIDE] >>> Integer.SIZE) + 1;
    }

    /** Where it ends, exclusive. */
    int nameEnd(int line) {
        int begin = nameBegin(line);
        return begin + (names[begin - 1] & 0xff);
    }

    /** One of {@link #TOTAL}, {@link #AMOUNT}, {@link #FRACTION} and {@link #RUN}, with {@link #DECREMENTS}. */
    int kind(int line) {
        return (int) lines[line * STRIDE] & KIND;
    }

    /** The place of the stream of a line; {@link #NOBODY} if it belongs to none. */
    int place(int line) {
        return (int) lines[line * STRIDE] >>> KIND_BITS;
    }

    /** The amount of a line with or without a total; the sum of a line without one may be more than 2^53. */
    long amount(int line) {
        int at = line * STRIDE;
        return kind(line) < AMOUNT ? lines[at + 3] + (lines[at + 2] - lines[at + 1]) : lines[at + 1];
    }

    /** The whole of a fraction, rounded down; the first number of a run. */
    long first(int line) {
        return lines[line * STRIDE + 1];
    }

    /** The highest total of a line; the rest of a fraction, in parts of {@link Commands#ONE}; the last number of a run. */
    long second(int line) {
        return lines[line * STRIDE + 2];
    }

    /** The streams of its lines. */
    WindowStreams streams() {
        return streams;
    }

    /** How many lines were dropped since the last {@link #takeArrived}. */
    long dropped() {
        return droppedTotals + droppedAmounts;
    }

    /** Returns what arrived since the last call. */
    ArrivedLines takeArrived() {
        ArrivedLines arrived = new ArrivedLines(taken, droppedTotals, droppedAmounts, droppedNumbers);
        taken = 0;
        droppedTotals = 0;
        droppedAmounts = 0;
        droppedNumbers = 0;
        return arrived;
    }
}
