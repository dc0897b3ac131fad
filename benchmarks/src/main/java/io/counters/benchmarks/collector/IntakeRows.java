package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;

import java.io.IOException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Measures the collector's cost of a line: CPU seconds of the whole process per million lines that it received, next to
 * a sink's cost of the same datagrams. In each turn both run, in alternating order, and the ratio is the median of the
 * ratios within a turn, so that other load on the machine affects both equally. Both are first warmed up by the same
 * load.
 */
final class IntakeRows {
    private static final int TURNS = 5;
    private static final double TURN_SECONDS = 2;
    private static final double WARM_SECONDS = 3;
    private static final int SENDERS = 2;
    private static final int NAMES = 1000;
    private static final int LINES = 25;

    /**
     * Rendered again before each turn, because a total is never sent twice: 10 million lines, which take a second or
     * more.
     */
    private static final int AGENT_DATAGRAMS = 400_000 / SENDERS;

    private static final int TCP_WRITES = 4000;
    private static final int PACED_SECONDS = 5;
    private static final String UDP_THREAD = "counters-udp";

    private final CollectorProcess collector;
    private final Receiver sink;
    private final Consumer<Row> table;

    IntakeRows(CollectorProcess collector, Receiver sink, Consumer<Row> table) {
        this.collector = collector;
        this.sink = sink;
        this.table = table;
    }

    void measure() throws IOException, InterruptedException {
        alternate("1 line a datagram, `c%d:1\\|c`", statsd(NAMES, 1), "ratio 1.2");
        alternate("25 lines a datagram, `c%d:1\\|c`", statsd(NAMES, LINES), "ratio 1.8");
        alternate("25 lines a datagram, `from` and totals", agents(), "ratio 3.5");
        tcp();
        lossless(1, 300_000);
        lossless(LINES, 200_000);
        for (int names : new int[] {1000, 100_000, 1_000_000}) {
            byNames(names);
        }
    }

    /** Sends one kind of load. */
    private interface Load {
        Blast.Sent send(int port, double seconds) throws IOException;
    }

    private static Load statsd(int names, int lines) {
        List<Datagrams> rings = Collections.nCopies(SENDERS, Datagrams.statsd(names, lines));
        return (port, seconds) -> Blast.together(port, 1, rings, (blast, ring) -> blast.forSeconds(ring, seconds));
    }

    private static Load agents() {
        List<Datagrams.Agent> agents = IntStream.range(0, SENDERS)
                .mapToObj(i -> new Datagrams.Agent("bench-0123456789abcdef-" + i, NAMES, LINES, AGENT_DATAGRAMS))
                .toList();
        return (port, seconds) -> {
            // Each receiver gets only the datagrams that the other does not get, as if half were lost, and heals that
            // by the first totals.
            List<Datagrams> all = agents.stream().map(Datagrams.Agent::next).toList();
            return Blast.together(port, 1, all, Blast::once);
        };
    }

    /**
     * The result of a turn: the CPU seconds per million lines, and the fraction of the sent datagrams that was
     * received.
     */
    private record Cost(double perMillion, double threadPerMillion, double taken) {}

    /** A receiver that takes turns, and the number of datagrams that it has received so far. */
    private static final class Player {
        final Receiver receiver;
        final Cost[] costs = new Cost[TURNS];
        private long datagrams;

        Player(Receiver receiver, Load load) throws IOException, InterruptedException {
            this.receiver = receiver;
            load.send(receiver.port(), WARM_SECONDS);
            datagrams = receiver.datagrams();
        }

        void play(int turn, Load load) throws IOException, InterruptedException {
            Child child = receiver.child();
            double threadBefore = child.cpuSeconds(UDP_THREAD);
            double before = child.cpuSeconds();
            Blast.Sent sent = load.send(receiver.port(), TURN_SECONDS);
            long now = receiver.datagrams();
            double part = (double) (now - datagrams) / sent.datagrams();
            double millions = part * sent.lines() / 1e6;
            costs[turn] = new Cost(
                    (child.cpuSeconds() - before) / millions,
                    (child.cpuSeconds(UDP_THREAD) - threadBefore) / millions,
                    part);
            datagrams = now;
        }

        double median(ToDoubleFunction<Cost> part) {
            return Row.median(Arrays.stream(costs).mapToDouble(part).toArray());
        }
    }

    private void alternate(String what, Load load, String asked) throws IOException, InterruptedException {
        Player ours = new Player(collector, load);
        Player theirs = new Player(sink, load);
        double[] ratios = new double[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            (turn % 2 == 0 ? ours : theirs).play(turn, load);
            (turn % 2 == 0 ? theirs : ours).play(turn, load);
            ratios[turn] = ours.costs[turn].perMillion() / theirs.costs[turn].perMillion();
        }
        table.accept(new Row(
                what + ", at full speed: CPU s per million lines",
                text(
                        "%.3f (UDP thread %.3f), received %.0f %% of what was sent",
                        ours.median(Cost::perMillion),
                        ours.median(Cost::threadPerMillion),
                        100 * ours.median(Cost::taken)),
                text("%.3f, received %.0f %%", theirs.median(Cost::perMillion), 100 * theirs.median(Cost::taken)),
                text("%.2f (%.2f to %.2f)", median(ratios), min(ratios), max(ratios)),
                asked));
    }

    private void tcp() throws IOException, InterruptedException {
        Datagrams ring = Datagrams.statsd(NAMES, 1000);
        Blast.tcp(collector.tcpPort(), ring, 2 * TCP_WRITES);
        double[] costs = new double[TURNS];
        for (int turn = 0; turn < TURNS; turn++) {
            long lines = collector.lines();
            double before = collector.child().cpuSeconds();
            Blast.tcp(collector.tcpPort(), ring, TCP_WRITES);
            double millions = (collector.lines() - lines) / 1e6;
            costs[turn] = (collector.child().cpuSeconds() - before) / millions;
        }
        table.accept(new Row(
                "TCP, 1,000 lines a write, `c%d:1\\|c`: CPU s per million lines",
                text("%.3f (%.3f to %.3f)", median(costs), min(costs), max(costs)), "0.09"));
    }

    private void lossless(int lines, int datagramsASecond) throws IOException, InterruptedException {
        Datagrams ring = Datagrams.statsd(NAMES, lines);
        long linesBefore = collector.lines();
        Map<String, Long> before = collector.metrics();
        long each = datagramsASecond / SENDERS;
        Blast.Sent sent = Blast.together(
                collector.port(),
                1,
                Collections.nCopies(SENDERS, ring),
                (blast, same) -> blast.atRate(same, PACED_SECONDS * each, each));
        long applied = collector.lines() - linesBefore;
        Map<String, Long> after = collector.metrics();
        table.accept(new Row(
                text(
                        "%,d datagrams a second with %d %s each, %d s: lines lost",
                        datagramsASecond, lines, lines == 1 ? "line" : "lines", PACED_SECONDS),
                text(
                        "%,d of %,d, sent at %,.0f datagrams a second (the kernel dropped %d datagrams; receive buffer %,d bytes)",
                        sent.lines() - applied,
                        sent.lines(),
                        sent.datagrams() / sent.seconds(),
                        after.get("intake_kernel_drops_total") - before.get("intake_kernel_drops_total"),
                        after.get("intake_receive_buffer_bytes")),
                "0"));
    }

    private void byNames(int names) throws IOException, InterruptedException {
        Load load = statsd(names, LINES);
        Player ours = new Player(collector, load);
        for (int turn = 0; turn < TURNS; turn++) {
            ours.play(turn, load);
        }
        table.accept(new Row(
                text("25 lines a datagram, %,d names in turn: CPU s per million lines", names),
                text("%.3f (UDP thread %.3f)", ours.median(Cost::perMillion), ours.median(Cost::threadPerMillion)),
                "grows only by cache misses"));
    }

    private static double min(double[] values) {
        return Arrays.stream(values).min().orElseThrow();
    }

    private static double max(double[] values) {
        return Arrays.stream(values).max().orElseThrow();
    }
}
