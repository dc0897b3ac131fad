package io.counters.collector.simulate;

import io.counters.emit.Transport;
import java.util.List;

/** Two copies of one running program: real senders, which continue one stream with the same numbers. */
public final class Copies {
    private static final List<String> NAMES = List.of("copied.a", "copied.b");
    private static final int BEFORE = 5;

    private final SimulatedSender first;
    private final SimulatedSender second;
    private long nowMillis = 1_000_000;

    /**
     * A program that has counted once, and was copied then.
     *
     * @param id of its stream
     * @param to the collector
     */
    public Copies(String id, Transport to) {
        first = sender(id);
        second = sender(id);
        first.add(0, BEFORE);
        second.add(0, BEFORE);
        first.sweep(to);
        // What it has sent was sent before it was copied.
        second.sweep((bytes, length) -> true);
    }

    private SimulatedSender sender(String id) {
        return new SimulatedSender(NAMES, new int[NAMES.size()], 1, true, () -> nowMillis, () -> id);
    }

    /** Each copy counts by itself, and sends. */
    public void count(Transport to) {
        nowMillis += 1_000;
        first.add(0, 3);
        second.add(0, 1);
        second.add(1, 1);
        first.sweep(to);
        second.sweep(to);
    }
}
