package io.counters.collector.store;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/** The monotonic clock of a store. From any thread. */
final class PatientClock implements LongSupplier {
    private final AtomicLong behind = new AtomicLong();
    private volatile boolean isPatient;

    /**
     * From now on it goes back a minute at each look, so that no deadline is ever near: on a busy machine thousands of answers
     * may take longer than a store waits.
     */
    void bePatient() {
        isPatient = true;
    }

    @Override
    public long getAsLong() {
        return System.nanoTime() - (isPatient ? behind.addAndGet(TimeUnit.MINUTES.toNanos(1)) : behind.get());
    }
}
