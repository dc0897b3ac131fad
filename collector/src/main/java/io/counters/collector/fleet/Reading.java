package io.counters.collector.fleet;

import java.util.Optional;

/** Something that reads ticks, on a thread of its own. */
public sealed interface Reading permits TickSink, TickHistory {
    /**
     * Reads some ticks, or waits for some, at most a quarter of a second.
     *
     * @return the milliseconds until the next call
     */
    long run();

    /** What keeps it from its work, if something does. From any thread, which does not wait. */
    Optional<String> trouble();
}
