package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.cells.Cells;
import io.counters.collector.self.SeededHash;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What our own commands came to, by name: sums that are never set back, in rows of the kind that a JVM counts into, so
 * that core's table and sweep read them. The memory that names take, here, in the table and in the streams, is bounded;
 * what is counted under names that find no room is added up as {@value Cells#OVERFLOW}, so that sums stay true. Finding a
 * known name allocates nothing. A sum that leaves 64 bits stops at the end of the range. For one thread.
 */
final class Amounts {
    /** Measured by {@code AmountsMemoryTest}: what a name takes that has a total in one server's stream, but for its letters. */
    static final int NAME_BYTES = 480;

    /** Its letters stand in a string and in two arrays. */
    static final int LETTER_BYTES = 3;

    /** Each stream has a number for each name, and its array is up to twice as long as it need be. */
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

    /** By hash: a name's number plus 1, 0 for none. A power of two, at most half full. */
    private int[] places = new int[1024];

    /** @param bytesMax of memory for names */
    Amounts(long bytesMax, SeededHash hash) {
        this.bytesMax = bytesMax;
        this.hash = hash;
    }

    /** What a {@link io.counters.emit.CounterTable} reads. */
    List<Object[]> sources() {
        return sources;
    }

    /** How many streams there may be: one for each server that there ever was. */
    void streams(int count) {
        streams = count;
    }

    /** Bytes of memory that the names take. */
    long bytes() {
        return bytes(streams);
    }

    /** What they would take with so many streams. */
    long bytes(int ofStreams) {
        return names.size() * (NAME_BYTES + (long) STREAM_BYTES * ofStreams) + LETTER_BYTES * letters;
    }

    /** Of memory, at the most. */
    long bytesMax() {
        return bytesMax;
    }

    /**
     * Adds to the name {@code in[begin, end)}, which is canonical.
     *
     * @return false where it is new and there is no room for it: it was added to {@value Cells#OVERFLOW}
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
        int cell = Cells.APART + number % ROW_NAMES;
        long sum = Cells.sum(row[cell], amount);
        saturated += sum == row[cell] + amount ? 0 : 1;
        row[cell] = sum;
        return isTaken;
    }

    /** How often a sum stopped at the end of the range. */
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
            long[] row = new long[Cells.APART + ROW_NAMES];
            Map<String, Integer> idsOfRow = new ConcurrentHashMap<>();
            rows.add(row);
            ids.add(idsOfRow);
            sources.add(Cells.source(idsOfRow, row));
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
