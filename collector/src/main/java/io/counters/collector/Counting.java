package io.counters.collector;

import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.publish.Sink;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How a collector counts, pushes and publishes: with a ledger in a file of its own, or as one of a fleet. Its parts are opened
 * by its constructor; what is still open at the end is closed by {@link Assembly#closeOpened}. As a text, it is where the ledger
 * is.
 */
interface Counting {
    /** Where lines go that arrive. */
    LineTarget lines();

    /**
     * Takes lines as one batch of {@link #lines}. What is returned waits until all of them are kept, at most for some seconds,
     * and says whether they are: committed, or in Kafka.
     */
    Supplier<Kept> take(Runnable lines);

    /** What is shown. */
    LedgerView counted();

    /** Keeps what changed so far; returns whether all of it is kept. Waits for that, at most for some seconds. */
    boolean commit();

    /** What keeps counts from being kept, at a time of the nano clock, if something does. Does not wait. */
    Optional<String> uncommitted(long nanos);

    History history();

    /** Who counts what; {@link FleetView#NONE} without a fleet. For any thread. */
    FleetView fleet();

    /** The parts that may fail while the rest works, by their names: what keeps each from its work, if something does. */
    Map<String, Supplier<Optional<String>>> parts();

    /** What happens when the disk of the data folder is full. */
    String withoutDisk();

    /** What pushes the counts to the store. */
    Pushing pushing();

    /** Where points go. */
    List<? extends Sink> sinks();

    /**
     * Does what must be done before the first line is taken.
     *
     * @throws IOException if it must not count; the message has the remedy
     */
    void prepare() throws IOException;

    /** Starts the loops, after intake. */
    void start();

    /** Keeps, pushes and publishes what has arrived. Called after intake ended, once. */
    void end();

    /** Whether everything that was counted is kept; otherwise says what is lost. After {@link #end}, or when it took too long. */
    boolean isKept();
}
