package io.counters.collector.ledger;

import java.util.function.LongSupplier;

/**
 * How long the ledger has been listening, over all its runs, in milliseconds. Ages of streams are measured by it, so that a
 * stream does not look silent, or forgotten, for the time in which nobody listened.
 */
final class ListeningClock {
    private final LongSupplier clockMillis;

    /** What this clock is ahead of the ledger's time. */
    private long aheadMillis;

    /**
     * @param clockMillis the ledger's time
     * @param before how long earlier runs have listened
     */
    ListeningClock(LongSupplier clockMillis, long before) {
        this.clockMillis = clockMillis;
        aheadMillis = before - clockMillis.getAsLong();
    }

    long millis() {
        return aheadMillis + clockMillis.getAsLong();
    }

    /** Takes over the time that another ledger has listened. */
    void add(long millis) {
        aheadMillis += millis;
    }
}
