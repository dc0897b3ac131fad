package io.counters.collector.ledger;

import java.util.function.LongSupplier;

/**
 * The ledger's time, in milliseconds. It begins at the later of the wall clock and the last committed time, and
 * continues by the monotonic clock, so it never runs backwards, and no correction of the wall clock shows in it.
 */
public final class LedgerClock implements LongSupplier {
    private final long beginMillis;
    private final long beginNanos;
    private final LongSupplier nanoClock;

    public LedgerClock(long committedMillis, long wallMillis, LongSupplier nanoClock) {
        this.beginMillis = Math.max(committedMillis, wallMillis);
        this.nanoClock = nanoClock;
        this.beginNanos = nanoClock.getAsLong();
    }

    @Override
    public long getAsLong() {
        return beginMillis + (nanoClock.getAsLong() - beginNanos) / 1_000_000;
    }
}
