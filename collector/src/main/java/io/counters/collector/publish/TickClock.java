package io.counters.collector.publish;

import io.counters.collector.common.FaultLog;
import java.time.InstantSource;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Determines when a tick is due. Points have the wall clock's seconds, so ticks are at its multiples of the interval. The
 * wall clock may jump, so it is compared with the monotonic clock; after a jump, ticks continue from the wall clock's new
 * time. For one thread.
 */
public final class TickClock {
    /** If the clocks differ by more than this, the wall clock was not merely slewed. */
    private static final long JUMP_MILLIS = 2_000;

    /** A jump is detected after at most this time. */
    private static final long WAIT_MILLIS_MAX = 1_000;

    private final long interval;
    private final InstantSource wallClock;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private long wallMillis;
    private long nanos;
    private long next;
    private long missed;

    /** @param intervalSeconds between two ticks */
    public TickClock(long intervalSeconds, InstantSource wallClock, LongSupplier nanoClock, FaultLog faults) {
        interval = intervalSeconds;
        this.wallClock = wallClock;
        this.nanoClock = nanoClock;
        this.faults = faults;
        wallMillis = wallClock.millis();
        nanos = nanoClock.getAsLong();
        next = after(wallMillis);
    }

    /** The second, in Unix time, of the tick that is due now; empty if none is. */
    public OptionalLong due() {
        long nowMillis = wallClock.millis();
        long nowNanos = nanoClock.getAsLong();
        long jump = nowMillis - wallMillis - TimeUnit.NANOSECONDS.toMillis(nowNanos - nanos);
        wallMillis = nowMillis;
        nanos = nowNanos;
        if (Math.abs(jump) > JUMP_MILLIS) {
            next = after(nowMillis);
            faults.warn(
                    jump > 0 ? "clock ahead" : "clock back",
                    "the wall clock jumped " + (jump > 0 ? "ahead" : "back") + " by " + Math.abs(jump) / 1000
                            + " s, or this machine was suspended; ticks continue from the clock's present second");
            return OptionalLong.empty();
        }
        if (nowMillis < next * 1000) {
            return OptionalLong.empty();
        }
        long second = after(nowMillis) - interval;
        missed += (second - next) / interval;
        next = second + interval;
        return OptionalLong.of(second);
    }

    /**
     * The second of the tick before the next one, in Unix time: the one that {@link #due} returned last, or the one that was
     * due before this clock began or jumped.
     */
    public long last() {
        return next - interval;
    }

    private long after(long millis) {
        return (Math.floorDiv(millis, 1000L * interval) + 1) * interval;
    }

    /** How many ticks were missed since the last call because this program was paused. */
    public long takeMissed() {
        long count = missed;
        missed = 0;
        return count;
    }

    /** How long to wait before the next call of {@link #due}, in milliseconds; at least 1. */
    public long waitMillis() {
        return Math.max(1, Math.min(WAIT_MILLIS_MAX, next * 1000 - wallClock.millis()));
    }
}
