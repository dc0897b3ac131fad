package io.counters.collector.query;

import io.counters.collector.http.RequestException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How many points one request may have in memory, and how long it may take. For one request. */
final class Budget {
    private static final int POINT_BYTES = 32;

    /** Requests are made two at once, so they all take a tenth of the heap. */
    private static final int HEAP_PART = 20;

    /** What a series takes beside its points. */
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
     * Takes the room for a series.
     *
     * @param size how many points it has
     * @throws RequestException when there is not enough; the status is 413
     */
    void take(long size) {
        points += size + SERIES_POINTS;
        if (points > pointsMax) {
            throw new RequestException(
                    413,
                    "the query reads more than " + pointsMax
                            + " points at once, which is what this heap allows; ask for a"
                            + " shorter time, fewer series or a longer downsample interval, or give the collector a larger"
                            + " -Xmx");
        }
    }

    /** Gives back the room for a series of so many points. */
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
