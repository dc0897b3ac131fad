package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;

import java.io.IOException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares the {@link Layer}s: CPU seconds per million lines of a process that only receives and counts, at full speed.
 * All take turns; the result is the median. Takes about four minutes.
 */
final class Layers {
    private static final int TURNS = 3;
    private static final double TURN_SECONDS = 1.5;
    private static final double WARM_SECONDS = 1.5;
    private static final int SENDERS = 2;
    private static final int NAMES = 1000;

    private Layers() {}

    /** A kind of load; {@code sources} is the number of ports from which each sender sends. */
    private record Case(String what, int lines, int sources) {}

    private static final Case[] CASES = {
        new Case("1 line a datagram, from 2 sources", 1, 1),
        new Case("from 32 sources", 1, 16),
        new Case("25 lines, from 2 sources", 25, 1)
    };

    /** @param arguments nothing, or the path of the program {@code udpsink} to compare with */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Map<String, double[][]> costs = new LinkedHashMap<>();
        for (int turn = 0; turn < TURNS; turn++) {
            for (int i = 0; i < CASES.length; i++) {
                for (Layer layer : Layer.values()) {
                    try (Receiver receiver = new SinkProcess(layer)) {
                        put(costs, layer.what(), i, turn, receiver);
                    }
                }
                if (arguments.length > 0) {
                    try (Receiver receiver = new UdpsinkProcess(arguments[0])) {
                        put(costs, "udpsink, in C", i, turn, receiver);
                    }
                }
            }
        }
        System.out.println(Machine.facts());
        System.out.println();
        StringBuilder head = new StringBuilder("| CPU s per million lines");
        for (Case one : CASES) {
            head.append(" | ").append(one.what());
        }
        System.out.println(head.append(" |"));
        System.out.println("| --- ".repeat(CASES.length + 1) + "|");
        costs.forEach((what, all) -> {
            StringBuilder row = new StringBuilder("| ").append(what);
            for (double[] turns : all) {
                row.append(text(" | %.3f", median(turns)));
            }
            System.out.println(row.append(" |"));
        });
    }

    private static void put(Map<String, double[][]> costs, String what, int of, int turn, Receiver receiver)
            throws IOException, InterruptedException {
        Datagrams ring = Datagrams.statsd(NAMES, CASES[of].lines());
        List<Datagrams> rings = Collections.nCopies(SENDERS, ring);
        Blast.together(
                receiver.port(), CASES[of].sources(), rings, (blast, same) -> blast.forSeconds(same, WARM_SECONDS));
        long datagrams = receiver.datagrams();
        double before = receiver.child().cpuSeconds();
        Blast.together(
                receiver.port(), CASES[of].sources(), rings, (blast, same) -> blast.forSeconds(same, TURN_SECONDS));
        double millions = (receiver.datagrams() - datagrams) * (double) ring.lines() / 1e6;
        costs.computeIfAbsent(what, fresh -> new double[CASES.length][TURNS])[of][turn] =
                (receiver.child().cpuSeconds() - before) / millions;
    }
}
