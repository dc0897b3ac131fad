package io.counters.collector.intake;

import io.counters.collector.self.FaultLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * What becomes of a socket that fails: it is counted, logged, and tried again after a pause that grows. A kernel that is
 * short of memory for a moment does not end intake. Where it goes on failing for {@value #PATIENCE_SECONDS} s the failure
 * goes out, and ends the process: a program that no longer hears anything is worse than one that is started again. For
 * one thread.
 */
final class SocketFailures {
    static final long PAUSE_MILLIS_MIN = 1;
    static final long PAUSE_MILLIS_MAX = 1000;
    private static final long PATIENCE_SECONDS = 60;

    private final String what;
    private final LongAdder count;
    private final FaultLog faults;
    private final LongSupplier nanoClock;
    private long pauseMillis;
    private long sinceNanos;

    /** @param what fails, for the log: "the UDP socket" */
    SocketFailures(String what, LongAdder count, FaultLog faults, LongSupplier nanoClock) {
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
    long failed(IOException failure) {
        count.increment();
        long now = nanoClock.getAsLong();
        if (pauseMillis == 0) {
            sinceNanos = now;
        } else if (now - sinceNanos >= TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS)) {
            throw new UncheckedIOException(
                    what + " has failed for " + PATIENCE_SECONDS + " s, so that nothing is taken there", failure);
        }
        pauseMillis = Math.min(PAUSE_MILLIS_MAX, Math.max(PAUSE_MILLIS_MIN, 2 * pauseMillis));
        faults.warn(
                what, () -> what + " failed and is tried again, for " + PATIENCE_SECONDS + " s at most: " + failure);
        return pauseMillis;
    }

    /** It works: the next failure is the first of its kind. */
    void succeeded() {
        pauseMillis = 0;
    }
}
