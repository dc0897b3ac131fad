package io.counters.collector.simulate;

import io.counters.emit.Transport;
import java.util.List;
import java.util.stream.IntStream;

/** Two copies of one running program: real senders, which continue one stream with the same numbers. */
public final class Copies {
    private static final List<String> NAMES =
            IntStream.range(0, 24).mapToObj(i -> "copied.c" + i).toList();

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

    /** One copy counts and sends, the next time the other one: each counts half of the names more often. */
    public void count(Transport to) {
        nowMillis += 500;
        boolean isFirst = turns++ % 2 == 0;
        SimulatedSender one = isFirst ? first : second;
        for (int i = 0; i < NAMES.size(); i++) {
            one.add(i, isFirst == (i % 2 == 0) ? 3 : 1);
        }
        one.sweep(to);
    }
}
