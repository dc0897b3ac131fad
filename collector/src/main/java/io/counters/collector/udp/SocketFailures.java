package io.counters.collector.udp;

import io.counters.collector.common.FaultLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Handles the failures of a socket: each is counted and logged, and the call is tried again after a pause that grows. A
 * kernel that has no memory for a moment does not end the process. If the socket fails for {@value #PATIENCE_SECONDS} s, the
 * failure is thrown and ends the process, because a program that receives nothing is worse than one that is restarted. For
 * one thread, except {@link #trouble}.
 */
public final class SocketFailures {
    static final long PAUSE_MILLIS_MIN = 1;
    static final long PAUSE_MILLIS_MAX = 1000;
    private static final long PATIENCE_SECONDS = 60;
    private static final long APART_SECONDS = 10;

    private final String what;
    private final LongAdder count;
    private final FaultLog faults;
    private final LongSupplier nanoClock;
    private volatile long sinceNanos;
    private long lastNanos;

    /** 0 while the socket works. */
    private volatile long pauseMillis;

    /** @param what may fail, for the log: "the UDP socket" */
    public SocketFailures(String what, LongAdder count, FaultLog faults, LongSupplier nanoClock) {
        this.what = what;
        this.count = count;
        this.faults = faults;
        this.nanoClock = nanoClock;
    }

    /**
     * Records a failure.
     *
     * @return the milliseconds to wait before the next try
     * @throws UncheckedIOException if there has been no success for too long
     */
    public long failed(IOException failure) {
        count.increment();
        long now = nanoClock.getAsLong();
        // A socket that has waited for a datagram for longer than any pause was not failing meanwhile.
        boolean isFirst = pauseMillis == 0 || now - lastNanos > TimeUnit.SECONDS.toNanos(APART_SECONDS);
        lastNanos = now;
        if (isFirst) {
            sinceNanos = now;
        } else if (now - sinceNanos >= TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
            throw new UncheckedIOException(
                    what + " has failed for " + PATIENCE_SECONDS + " s, so it receives nothing", failure);
        }
        long pause = Math.min(PAUSE_MILLIS_MAX, Math.max(PAUSE_MILLIS_MIN, isFirst ? 0 : 2 * pauseMillis));
        pauseMillis = pause;
        faults.warn(what, () -> what + " failed and is tried again for at most " + PATIENCE_SECONDS + " s: " + failure);
        return pause;
    }

    /** Records a success: the next failure begins a new minute. */
    public void succeeded() {
        // Written only when it changes: this is called for every datagram.
        if (pauseMillis != 0) {
            pauseMillis = 0;
        }
    }

    /** The present failure, as text for people; empty if there is none. From any thread. */
    public Optional<String> trouble() {
        return pauseMillis == 0
                ? Optional.empty()
                : Optional.of(what + " has failed for "
                        + TimeUnit.NANOSECONDS.toSeconds(nanoClock.getAsLong() - sinceNanos) + " s");
    }
}
