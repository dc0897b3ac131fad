package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.util.Optional;

/** A destination for points. Each sink has its own thread, so that no sink delays another. */
public interface Sink extends AutoCloseable {
    /**
     * Accepts one point for every counter; points that cannot be accepted are counted as lost and logged.
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

    /** Delivers as much of the last tick as it can within 2 s, and ends. Call it after the last {@link #put}. */
    @Override
    void close();
}
