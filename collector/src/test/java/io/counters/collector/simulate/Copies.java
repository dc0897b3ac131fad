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
    private int turns;

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

    /** One copy counts and sends, the next time the other one: each counts one of the names more often. */
    public void count(Transport to) {
        nowMillis += 500;
        SimulatedSender one = turns % 2 == 0 ? first : second;
        one.add(turns % 2, 3);
        one.add(1 - turns % 2, 1);
        one.sweep(to);
        turns++;
    }
}
