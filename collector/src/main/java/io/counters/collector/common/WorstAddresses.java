package io.counters.collector.common;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The addresses that caused most of something, in a fixed space however many addresses there are: the space-saving algorithm
 * of Metwally, Agrawal and El Abbadi. A new address replaces the one with the lowest count and continues from that count, so
 * its own count may be too high by the count that it took over. An address that caused more than an eighth of all is always
 * present. For one thread.
 */
final class WorstAddresses {
    private static final int PLACES = 8;

    private final long[] addresses = new long[PLACES];
    private final long[] counts = new long[PLACES];
    private final long[] takenOver = new long[PLACES];
    private int size;

    void add(long address, long times) {
        int least = 0;
        for (int i = 0; i < size; i++) {
            if (addresses[i] == address) {
                counts[i] += times;
                return;
            }
            if (counts[i] < counts[least]) {
                least = i;
            }
        }
        int place = size < PLACES ? size++ : least;
        addresses[place] = address;
        takenOver[place] = counts[place];
        counts[place] += times;
    }

    void clear() {
        size = 0;
        Arrays.fill(counts, 0);
    }

    /** {@code 10.0.0.7: 4,702, 10.0.0.9: 9}: each address with the count that is certainly its own, the highest first. */
    @Override
    public String toString() {
        return IntStream.range(0, size)
                .boxed()
                .sorted(Comparator.comparingLong((Integer place) -> -sure(place)))
                .map(place -> AddressKey.text(addresses[place])
                        + String.format(Locale.ROOT, ": %s%,d", takenOver[place] == 0 ? "" : "at least ", sure(place)))
                .collect(Collectors.joining(", "));
    }

    private long sure(int place) {
        return counts[place] - takenOver[place];
    }
}
