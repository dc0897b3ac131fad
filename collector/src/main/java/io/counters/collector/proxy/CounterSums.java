package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.cells.CellSource;
import io.counters.cells.Cells;
import io.counters.collector.common.SeededHash;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The sums of our own commands, by name. They are never reset, and are stored in rows like those that an agent's threads
 * count into, so that core's table and sweep can read them. The memory for names, here, in the table and in the streams, is
 * limited. Amounts of names for which there is no room are summed as {@value Cells#OVERFLOW}, so that the sums stay correct.
 * Finding a known name allocates nothing. A sum that would leave the 64-bit range stays at the end of the range. For one
 * thread.
 */
final class CounterSums {
    /**
     * Memory for a name that has a total in one server's stream, without its characters; {@code CounterSumsMemoryTest} measures
     * it.
     */
    static final int NAME_BYTES = 480;

    /** Memory for each character of a name: it is in a string and in two arrays. */
    static final int LETTER_BYTES = 3;

    /** Memory for a name in each stream: a number, in an array that is up to twice as long as necessary. */
    static final int STREAM_BYTES = 8;

    private static final byte[] OVERFLOW = Cells.OVERFLOW.getBytes(ISO_8859_1);
    private static final int ROW_NAMES = 4096;

    private final long bytesMax;
    private final SeededHash hash;
    private final List<long[]> rows = new ArrayList<>();
    private final List<Map<String, Integer>> ids = new ArrayList<>();
    private final List<Object[]> sources = new ArrayList<>();
    private final List<byte[]> names = new ArrayList<>();
    private long letters;
    private int streams;
    private long saturated;

    /** Indexed by hash: a name's number plus 1, or 0 for none. The length is a power of two; at most half of it is used. */
    private int[] places = new int[1024];

    /** @param bytesMax the limit on memory for names */
    CounterSums(long bytesMax, SeededHash hash) {
        this.bytesMax = bytesMax;
        this.hash = hash;
    }

    /** The rows that a {@link io.counters.emit.CounterTable} reads. */
    List<Object[]> sources() {
        return sources;
    }

    /** Sets how many streams there may be: one for each server since the start. */
    void streams(int count) {
        streams = count;
    }

    /** Memory for the names, in bytes. */
    long bytes() {
        return bytes(streams);
    }

    /** Memory that the names would need with this many streams, in bytes. */
    long bytes(int ofStreams) {
        return names.size() * (NAME_BYTES + (long) STREAM_BYTES * ofStreams) + LETTER_BYTES * letters;
    }

    /** The limit on {@link #bytes()}. */
    long bytesMax() {
        return bytesMax;
    }

    /**
     * Adds to the sum of the name {@code in[begin, end)}, which is in canonical form.
     *
     * @return false if the name is new and there is no room for it; the amount was added to {@value Cells#OVERFLOW} instead
     */
    boolean add(byte[] in, int begin, int end, long amount) {
        int place = place(in, begin, end);
        boolean isTaken = places[place] != 0 || bytes() < bytesMax;
        if (!isTaken) {
            place = place(OVERFLOW, 0, OVERFLOW.length);
        }
        if (places[place] == 0) {
            place = put(isTaken ? Arrays.copyOfRange(in, begin, end) : OVERFLOW, place);
        }
        int number = places[place] - 1;
        long[] row = rows.get(number / ROW_NAMES);
        int cell = CellSource.APART + number % ROW_NAMES;
        long sum = CellSource.sum(row[cell], amount);
        saturated += sum == row[cell] + amount ? 0 : 1;
        row[cell] = sum;
        return isTaken;
    }

    /** How many amounts would have taken a sum out of its range. */
    long saturated() {
        return saturated;
    }

    private int put(byte[] name, int free) {
        int place = free;
        int number = names.size();
        if (2 * (number + 1) > places.length) {
            places = new int[2 * places.length];
            for (int i = 0; i < number; i++) {
                byte[] known = names.get(i);
                places[place(known, 0, known.length)] = i + 1;
            }
            place = place(name, 0, name.length);
        }
        if (number % ROW_NAMES == 0) {
            long[] row = new long[CellSource.APART + ROW_NAMES];
            Map<String, Integer> idsOfRow = new ConcurrentHashMap<>();
            rows.add(row);
            ids.add(idsOfRow);
            sources.add(CellSource.of(idsOfRow, row));
        }
        names.add(name);
        letters += name.length;
        ids.get(number / ROW_NAMES).put(new String(name, ISO_8859_1), number % ROW_NAMES);
        places[place] = number + 1;
        return place;
    }

    private int place(byte[] in, int begin, int end) {
        int mask = places.length - 1;
        int place = (int) hash.of(in, begin, end) & mask;
        while (places[place] != 0) {
            byte[] known = names.get(places[place] - 1);
            if (Arrays.equals(known, 0, known.length, in, begin, end)) {
                return place;
            }
            place = place + 1 & mask;
        }
        return place;
    }
}
