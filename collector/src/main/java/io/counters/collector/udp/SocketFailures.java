package io.counters.collector.udp;

import io.counters.collector.self.FaultLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What becomes of a socket that fails: it is counted, logged, and tried again after a pause that grows. A kernel that is
 * short of memory for a moment does not end the process. Where it goes on failing for {@value #PATIENCE_SECONDS} s the failure
 * goes out, and ends the process: a program that no longer hears anything is worse than one that is started again. For
 * one thread, but for {@link #trouble}.
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

    /** 0 while it works. */
    private volatile long pauseMillis;

    /** @param what fails, for the log: "the UDP socket" */
    public SocketFailures(String what, LongAdder count, FaultLog faults, LongSupplier nanoClock) {
        this.what = what;
        this.count = count;
        this.faults = faults;
        this.nanoClock = nanoClock;
    }

    /**
     * Takes note of a failure.
     *
     * @return the milliseconds to wait before the next try
     * @throws UncheckedIOException when there has been no success for too long
     */
    public long failed(IOException failure) {
        count.increment();
        long now = nanoClock.getAsLong();
        // Who waits for a datagram for longer than any pause is not failing meanwhile.
        boolean isFirst = pauseMillis == 0 || now - lastNanos > TimeUnit.SECONDS.toNanos(APART_SECONDS);
        lastNanos = now;
        if (isFirst) {
            sinceNanos = now;
        } else if (now - sinceNanos >= TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
            throw new UncheckedIOException(
                    what + " has failed for " + PATIENCE_SECONDS + " s, so that nothing is taken there", failure);
        }
        long pause = Math.min(PAUSE_MILLIS_MAX, Math.max(PAUSE_MILLIS_MIN, isFirst ? 0 : 2 * pauseMillis));
        pauseMillis = pause;
        faults.warn(
                what, () -> what + " failed and is tried again, for " + PATIENCE_SECONDS + " s at most: " + failure);
        return pause;
    }

    /** It works: the next failure is the first of its kind. */
    public void succeeded() {
        // Written only when it changes: this is called for every datagram.
        if (pauseMillis != 0) {
            pauseMillis = 0;
        }
    }

    /** What fails at present, for a person; empty when it works. From any thread. */
    public Optional<String> trouble() {
        return pauseMillis == 0
                ? Optional.empty()
                : Optional.of(what + " has failed for "
                        + TimeUnit.NANOSECONDS.toSeconds(nanoClock.getAsLong() - sinceNanos) + " s");
    }
}
