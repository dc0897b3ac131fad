package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.util.Optional;

/** Where points go. Called by one thread, its own, so that no sink holds up another. */
public interface Sink extends AutoCloseable {
    /**
     * Takes one point for every counter; what can't be taken is counted as lost and said.
     *
     * @param second Unix time, never used before
     */
    void put(long second, Snapshot values);

    /** What keeps it from its work, if something does. From any thread, which does not wait. */
    default Optional<String> trouble() {
        return Optional.empty();
    }

    /** Whether it also takes counters that have not moved for so long that the others are not sent them. */
    default boolean takesIdle() {
        return false;
    }

    /** Where it is, for the log; without any secret. */
    @Override
    String toString();

    /** Delivers what it can of the last tick within 2 s, and ends; after the last {@link #put}. */
    @Override
    void close();
}
