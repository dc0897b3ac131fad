package io.counters.collector.publish;

import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Snapshot;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.LongUnaryOperator;

/** A destination for points. Each sink has its own thread, so that no sink delays another. */
public interface Sink extends AutoCloseable {
    /**
     * Accepts one point for every counter; points that cannot be accepted are counted as lost and logged.
     *
     * @param second Unix time, never used before
     */
    void put(long second, Snapshot values);

    /**
     * Accepts the points of a tick that something else keeps until then, such as a fleet's topic.
     *
     * @param second Unix time; other points may have the same second
     * @param done called when the tick need not be put again, not even after a kill: its points are confirmed, given up, or kept
     *     by this sink. From any thread; it only takes note
     */
    default void put(long second, Snapshot values, Runnable done) {
        put(second, values);
        done.run();
    }

    /** Whether the next tick may be put without needing more memory than this sink may use. From any thread. */
    default boolean hasRoom() {
        return true;
    }

    /** The points of ticks that were put and are not done. From any thread. */
    default long waitingPoints() {
        return 0;
    }

    /** The second of the oldest of these points; {@code nothing} if there is none. From any thread. */
    default long oldestSecond(long nothing) {
        return nothing;
    }

    /** The value of the label {@code sink} of its metrics. */
    default String label() {
        return toString();
    }

    /**
     * The points that were lost on their way to a sink.
     *
     * @param sink as {@link #label}
     */
    static LongAdder lost(String sink, Metrics metrics) {
        return metrics.count(
                "publish_lost_points_total", "Points that were lost before they were delivered.", "sink", sink);
    }

    /**
     * Shows how much waits for a sink.
     *
     * @param sink as {@link #label}
     * @param oldestSecond as {@link #oldestSecond}
     */
    static void showLag(
            String sink, LongSupplier points, LongUnaryOperator oldestSecond, InstantSource clock, Metrics metrics) {
        metrics.gauge("publish_spool_points", "Points of older ticks that wait in the spool.", "sink", sink, points);
        metrics.gauge("publish_spool_oldest_seconds", "Age of the oldest point in the spool.", "sink", sink, () -> {
            long now = clock.millis() / 1000;
            return Math.max(0, now - oldestSecond.applyAsLong(now));
        });
    }

    /** A tick was left out, because earlier ones still wait for this; that is logged already. From any thread. */
    default void missed() {}

    /** What keeps it from its work, if something does. From any thread, which does not wait. */
    default Optional<String> trouble() {
        return Optional.empty();
    }

    /** Whether it also takes counters that have not moved for so long that the others are not sent them. */
    default boolean takesIdle() {
        return false;
    }

    /**
     * Whether its receiver takes a smaller value for a restart of the counter, so that a tick with a second before one that it
     * has would count twice.
     */
    default boolean needsOrder() {
        return false;
    }

    /** Where it is, for the log; without any secret. */
    @Override
    String toString();

    /** Delivers as much of the last tick as it can within 2 s, and ends. Call it after the last {@link #put}. */
    @Override
    void close();
}
