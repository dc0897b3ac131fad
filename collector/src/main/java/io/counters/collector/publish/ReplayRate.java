package io.counters.collector.publish;

import java.util.concurrent.TimeUnit;

/**
 * How fast points of older ticks may be sent, and how fast they were confirmed. At most as many points as a second allows may
 * be sent at once. {@link DeliverySchedule} guards it by its lock; times are in nanoseconds.
 */
final class ReplayRate {
    private static final double SECONDS = TimeUnit.SECONDS.toNanos(1);

    /** The time over which the confirmed points are counted. */
    private static final double MEASURED_SECONDS = 5;

    private long pointsPerSecond;

    /** How many points may be sent now; negative after a piece that was larger. */
    private double allowed;

    private long allowedAt;
    private long confirmed;
    private long confirmedFrom;
    private double recent;

    ReplayRate(long pointsPerSecond, long now) {
        this.pointsPerSecond = pointsPerSecond;
        allowedAt = now;
        confirmedFrom = now;
    }

    void limit(long toPointsPerSecond) {
        pointsPerSecond = toPointsPerSecond;
    }

    /** Whether points may be sent now. */
    boolean allows(long now) {
        double earned = (double) pointsPerSecond * (now - allowedAt) / SECONDS;
        allowed = Math.min((double) pointsPerSecond, allowed + earned);
        allowedAt = now;
        return allowed > 0;
    }

    /** Points are sent. */
    void take(int points) {
        allowed -= points;
    }

    /** How long it takes until a point may be sent. */
    long nanosUntilOne() {
        return (long) Math.max(0, (1 - allowed) / pointsPerSecond * SECONDS);
    }

    void confirmed(int points, long now) {
        double seconds = (now - confirmedFrom) / SECONDS;
        if (seconds >= MEASURED_SECONDS) {
            recent = confirmed / seconds;
            confirmed = 0;
            confirmedFrom = now;
        }
        confirmed += points;
    }

    /** The recently confirmed points per second. */
    long recent(long now) {
        confirmed(0, now);
        return Math.round(recent);
    }
}
