package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;

/** A destination for points. Each sink has its own thread, so that no sink delays another. */
public interface Sink extends AutoCloseable {
    /**
     * Accepts one point for every counter; points that can't be accepted are counted as lost and logged.
     *
     * @param second Unix time, never used before
     */
    void put(long second, Snapshot values);

    /** Its address, for the log; without any secret. */
    @Override
    String toString();

    /** Delivers as much of the last tick as it can within 2 s, and ends. Call it after the last {@link #put}. */
    @Override
    void close();
}
