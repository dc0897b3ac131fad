package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.cells.Cells;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What our own commands came to, by name: sums that are never set back, in rows of the kind that a JVM counts into, so
 * that core's table and sweep read them. Finding a known name allocates nothing. For one thread.
 */
final class Amounts {
    /** The most names; 200 to 300 bytes each, here and in the table. */
    static final int NAMES_MAX = 1_000_000;

    private static final int ROW_NAMES = 4096;

    private final int namesMax;
    private final List<long[]> rows = new ArrayList<>();
    private final List<Map<String, Integer>> ids = new ArrayList<>();
    private final List<Object[]> sources = new ArrayList<>();
    private final List<byte[]> names = new ArrayList<>();

    /** By hash: a name's number plus 1, 0 for none. A power of two, at most half full. */
    private int[] places = new int[1024];

    Amounts(int namesMax) {
        this.namesMax = namesMax;
    }

    /** What a {@link io.counters.emit.CounterTable} reads. */
    List<Object[]> sources() {
        return sources;
    }

    /** Adds to the name {@code in[begin, end)}, which is canonical; returns whether there was room for it. */
    boolean add(byte[] in, int begin, int end, long amount) {
        int place = place(in, begin, end);
        if (places[place] == 0) {
            if (names.size() == namesMax) {
                return false;
            }
            place = put(Arrays.copyOfRange(in, begin, end), place);
        }
        int number = places[place] - 1;
        rows.get(number / ROW_NAMES)[Cells.APART + number % ROW_NAMES] += amount;
        return true;
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
        ids.get(number / ROW_NAMES).put(new String(name, ISO_8859_1), number % ROW_NAMES);
        places[place] = number + 1;
        return place;
    }

    private int place(byte[] in, int begin, int end) {
        int hash = 1;
        for (int i = begin; i < end; i++) {
            hash = 31 * hash + in[i];
        }
        int mask = places.length - 1;
        int place = (hash ^ hash >>> 16) & mask;
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
