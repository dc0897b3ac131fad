package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The ticks of one sink that are not confirmed yet. For any thread. */
interface Backlog {
    /** All ticks, the oldest first. */
    List<? extends TickBodies> ticks();

    /**
     * Keeps a tick.
     *
     * @param done called once the tick need not be written again, not even after a kill: before this method returns, or when
     *     the tick was removed
     * @throws IOException if it cannot be kept
     */
    TickBodies write(long second, Snapshot values, TickPacker bodies, Runnable done) throws IOException;

    /** Removes a finished tick. Does not wait for the disk. */
    void remove(TickBodies tick);

    /** Frees the room of ticks that were removed. */
    default void sweep() {
        // In memory, it is free already.
    }

    /**
     * Drops the oldest tick if all ticks take too much room.
     *
     * @return the dropped tick; null if there is none
     */
    default @Nullable TickBodies dropExcess() {
        return null;
    }

    /** A problem although the last tick was written; null if there is none. */
    default @Nullable String trouble() {
        return null;
    }

    /** The room that all ticks take. */
    long bytes();

    /** The points of all ticks. */
    long points();

    /** Where the ticks are. */
    @Override
    String toString();
}
