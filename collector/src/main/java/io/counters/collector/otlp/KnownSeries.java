package io.counters.collector.otlp;

import io.counters.collector.common.SeededHash;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the last points of cumulative series were, for the series that were seen last: to notice a reset, and how much a value
 * has grown. What is forgotten costs no count of a stream that the ledger knows. For one thread at a time.
 */
final class KnownSeries {
    /** Heap bytes of a series, about. */
    static final int BYTES = 200;

    private final SeededHash first;
    private final SeededHash second;
    private final Map<Key, Last> series;

    /** Two hashes with secret seeds, so that nobody can choose series that are mistaken for each other. */
    private record Key(long first, long second) {}

    /** The last point of a series. */
    static final class Last {
        /** When it was measured, in nanoseconds of Unix time. */
        long timeNanos;

        /** The total of each verb that was handed over. */
        long increments;

        long decrements;

        /** Nothing at or before this time belongs to the series as it is since its last reset; 0 if there was none. */
        long resetNanos;
    }

    KnownSeries(int seriesMax, SeededHash first, SeededHash second) {
        this.first = first;
        this.second = second;
        series = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, Last> eldest) {
                return size() > seriesMax;
            }
        };
    }

    /** The last point of the series with this identity; a new one, whose time is 0, if none is known. */
    Last last(byte[] identity, int length) {
        return series.computeIfAbsent(
                new Key(first.of(identity, 0, length), second.of(identity, 0, length)), key -> new Last());
    }

    int size() {
        return series.size();
    }
}
