package io.counters.collector.query;

import io.counters.collector.http.RequestException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How many points one request may have in memory, and how long it may take. For one request. */
final class Budget {
    private static final int POINT_BYTES = 32;

    /** Two requests run at once, so together they take at most a tenth of the heap. */
    private static final int HEAP_PART = 20;

    /** What a series takes in addition to its points. */
    private static final int SERIES_POINTS = 30;

    private static final long SECONDS_MAX = 10;

    private final LongSupplier nanoClock;
    private final long pointsMax;
    private final long deadline;
    private long points;

    Budget(long heapBytes, LongSupplier nanoClock) {
        this.nanoClock = nanoClock;
        pointsMax = heapBytes / HEAP_PART / POINT_BYTES;
        deadline = nanoClock.getAsLong() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
    }

    /**
     * Reserves memory for a series.
     *
     * @param size the number of its points
     * @throws RequestException when there is not enough memory; the status is 413
     */
    void take(long size) {
        points += size + SERIES_POINTS;
        if (points > pointsMax) {
            throw new RequestException(
                    413,
                    "the query reads more than " + pointsMax
                            + " points at once, the maximum for this heap; ask for a"
                            + " shorter time, fewer series or a longer downsample interval, or give the collector a larger"
                            + " -Xmx");
        }
    }

    /** Releases the memory of a series with this many points. */
    void giveBack(long size) {
        points -= size + SERIES_POINTS;
    }

    /** @throws RequestException when the time is up; the status is 503 */
    void check() {
        if (nanoClock.getAsLong() - deadline > 0) {
            throw new RequestException(
                    503,
                    "the query took longer than " + SECONDS_MAX + " s and was stopped; ask for a shorter time, fewer"
                            + " series, or a simpler regular expression");
        }
    }
}
