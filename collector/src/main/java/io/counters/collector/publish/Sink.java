package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.time.Duration;

/** Where points go. Called by one thread. */
public interface Sink extends AutoCloseable {
    /**
     * Delivers one point for every counter, trying again as often as it takes and the time allows.
     *
     * @param second Unix time
     * @param within the time to do it in; after it, what was not delivered is counted as lost and said. An interrupt
     *     ends it early
     */
    void put(long second, Snapshot values, Duration within);

    /** Where it is, for the log; without any secret. */
    @Override
    String toString();

    @Override
    void close();
}
