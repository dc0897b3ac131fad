package io.counters.collector.publish;

import io.counters.collector.self.FaultLog;
import java.time.InstantSource;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Says when a tick is due. Points carry the wall clock's seconds, so ticks come at its multiples of the interval; and the
 * monotonic clock watches it, as it may jump: then ticks go on from where the wall clock is now. For one thread.
 */
public final class TickClock {
    /** Clocks that part by more than this have not merely been slewed. */
    private static final long JUMP_MILLIS = 2_000;

    /** A jump is noticed after this time at the latest. */
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

    /** The second, by Unix time, of the tick that is due now; empty when none is. */
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
                    "the wall clock went " + (jump > 0 ? "ahead" : "back") + " by " + Math.abs(jump) / 1000
                            + " s, or this machine was suspended; points go on from the second that it shows now");
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

    private long after(long millis) {
        return (Math.floorDiv(millis, 1000L * interval) + 1) * interval;
    }

    /** How many ticks were not due in time, as this program stood still, since the last call. */
    public long takeMissed() {
        long count = missed;
        missed = 0;
        return count;
    }

    /** How long to wait before {@link #due} is asked again, in milliseconds; at least 1. */
    public long waitMillis() {
        return Math.max(1, Math.min(WAIT_MILLIS_MAX, next * 1000 - wallClock.millis()));
    }
}
