package io.counters.collector.otlp;

import io.counters.collector.common.SeededHash;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What the last points of cumulative series were, for the series that were seen last: to notice a reset, and how much a value
 * has grown. What is forgotten costs no count of a stream that the ledger knows. For one thread at a time, except {@link #size}.
 */
final class KnownSeries {
    /** Heap bytes of a series, about. */
    static final int BYTES = 200;

    /** In place of a time: other collectors count points of the same series, so no series is known to be new. */
    static final long SHARED = Long.MAX_VALUE;

    /** The clocks of senders may be ahead of ours by this. */
    private static final long AHEAD_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final SeededHash first;
    private final SeededHash second;
    private final Map<Key, Last> series;

    /** Every point of a series that began later has arrived here, and is known; or {@link #SHARED}. */
    private long completeSinceNanos;

    private long nowNanos;

    /** Of {@link #series}, for any thread. */
    private volatile int size;

    /** Two hashes with secret seeds, so that nobody can choose series that are mistaken for each other. */
    private record Key(long first, long second) {}

    /** The last point of a series. */
    static final class Last {
        /** When it was measured, in nanoseconds of Unix time. */
        long timeNanos;

        /** Whether it was the first one that any collector got. */
        boolean isFromBegin;

        /** The value of the latest point, even if that was rejected; and how many points have come since the value last fell. */
        long value;

        int sinceFall;

        /** The total of each verb that was handed over. */
        long increments;

        long decrements;

        /** Nothing at or before this time belongs to the series as it is since its last reset; 0 if there was none. */
        long resetNanos;

        /** The value before that reset. */
        long beforeReset;

        /** Makes it one of which no point is known, after its first one was not kept: that is sent again. */
        void forget() {
            timeNanos = 0;
            isFromBegin = false;
            value = 0;
            sinceFall = 0;
            increments = 0;
            decrements = 0;
            resetNanos = 0;
            beforeReset = 0;
        }
    }

    /** @param sinceNanos Unix time since which every point arrives here; {@link #SHARED} if other collectors get some */
    KnownSeries(int seriesMax, long sinceNanos, SeededHash first, SeededHash second) {
        this.first = first;
        this.second = second;
        completeSinceNanos = sinceNanos;
        series = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Key, Last> eldest) {
                boolean isTooMany = size() > seriesMax;
                if (isTooMany) {
                    // The clock of a sender may be far ahead.
                    long lastNanos = Math.min(eldest.getValue().timeNanos, nowNanos);
                    completeSinceNanos = Math.max(completeSinceNanos, lastNanos);
                }
                return isTooMany;
            }
        };
    }

    /**
     * The last point of the series with this identity; a new one, whose time is 0, if none is known.
     *
     * @param now Unix time
     */
    Last last(byte[] identity, int length, long now) {
        nowNanos = now;
        Last last = series.computeIfAbsent(
                new Key(first.of(identity, 0, length), second.of(identity, 0, length)), key -> new Last());
        size = series.size();
        return last;
    }

    /** Whether every point arrives here, so that a reset is noticed once. */
    boolean isComplete() {
        return completeSinceNanos != SHARED;
    }

    /** Whether a series with this start time, of which no point is known, has none that was counted before. */
    boolean isNew(long startNanos) {
        return startNanos - AHEAD_NANOS > completeSinceNanos;
    }

    /** For any thread. */
    int size() {
        return size;
    }
}
