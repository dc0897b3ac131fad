package io.counters.collector.publish;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * The two pauses that reduce the load on a server with problems. When a whole request fails, nothing is sent for a pause that
 * doubles with each further failure, up to {@value #SERVER_MILLIS_MAX} ms, with jitter. In addition the piece that failed
 * waits longer, up to {@value #PIECE_MILLIS_MAX} ms, so that another one is tried next: a piece that never succeeds cannot
 * block the others. Times are in nanoseconds. {@link DeliverySchedule}'s lock guards it.
 */
final class Pauses {
    static final long MILLIS_MIN = 20;
    static final long SERVER_MILLIS_MAX = 5_000;
    static final long PIECE_MILLIS_MAX = 1_000;

    private final RandomGenerator random;
    private int failures;
    private long failedAt;
    private long until;

    Pauses(RandomGenerator random, long now) {
        this.random = random;
        until = now;
    }

    /**
     * A whole request failed. One that was sent before the last failure says nothing new, but how long to wait.
     *
     * @param atLeast how long the server asked to wait
     */
    void failed(long sentAt, long now, Duration atLeast) {
        if (failures == 0 || sentAt - failedAt >= 0) {
            failures++;
            failedAt = now;
            extend(now + pause(failures, SERVER_MILLIS_MAX));
        }
        if (!atLeast.isZero()) {
            extend(now + atLeast.toNanos());
        }
    }

    /** Never shortens what a server asked for. */
    private void extend(long end) {
        until = end - until > 0 ? end : until;
    }

    /** A request was accepted. */
    void end() {
        failures = 0;
    }

    /** Whether the last request was accepted. */
    boolean areOver() {
        return failures == 0;
    }

    boolean isPaused(long now) {
        return nanos(now) > 0;
    }

    /** How long nothing is sent. */
    long nanos(long now) {
        return until - now;
    }

    /** When to send a piece again that has failed this many times. */
    long again(int attempts, long now) {
        return Math.max(now, until) + pause(attempts, PIECE_MILLIS_MAX);
    }

    /** With jitter: half to one and a half times the pause. */
    private long pause(int attempts, long millisMax) {
        long pause = Math.min(millisMax, MILLIS_MIN << Math.min(attempts - 1, 20));
        return (long) (TimeUnit.MILLISECONDS.toNanos(pause) * (0.5 + random.nextDouble()));
    }
}
