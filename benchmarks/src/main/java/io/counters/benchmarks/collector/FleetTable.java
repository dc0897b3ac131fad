package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What a line costs a collector of a fleet with one broker, beside a collector with an embedded ledger, and how long a
 * take-over takes, as one Markdown table. All are processes. The two collectors take turns with the same load over
 * loopback, and a ratio is the median of the ratios within a turn. Takes less than five minutes.
 */
final class FleetTable {
    private static final Path JAR = Path.of("collector/target/collector.jar");
    private static final int LINES = 25;
    private static final int SENDERS = 2;
    private static final int TURNS = 3;

    /** A tick of each collector falls into each turn, twice as often as by default. */
    private static final int TURN_SECONDS = 5;

    private static final int RATE = 1_000_000;
    private static final int LOW_RATE = 100_000;
    private static final int PARTITIONS = 64;

    /** The highest rate without loss is looked for in so many steps, between 0 and this one. */
    private static final int STEPS = 5;

    private static final int RATE_MAX = 3_200_000;

    private static final int TAKE_OVER_PARTITIONS = 8;
    private static final int TAKE_OVER_COUNTERS = 20_000;
    private static final int TAKE_OVER_STREAMS = 1000;
    private static final int TAKE_OVER_DATAGRAMS_A_SECOND = 8000;
    private static final long SESSION_MILLIS = 10_000;

    private static final int POLL_MILLIS = 100;
    private static final long WAIT_MILLIS = 60_000;

    private final Path folder;
    private final BrokerProcess broker;

    private FleetTable(Path folder, BrokerProcess broker) {
        this.folder = folder;
        this.broker = broker;
    }

    /** @param arguments none */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("counters-bench");
        System.out.println(Machine.facts());
        System.out.println();
        System.out.println("| what | fleet | embedded ledger | ratio | target |\n| --- | --- | --- | --- | --- |");
        try (BrokerProcess broker = new BrokerProcess(folder.resolve("broker"))) {
            FleetTable table = new FleetTable(folder, broker);
            table.lines(1000);
            table.lines(100_000);
            table.takeOver();
        } finally {
            CollectorTable.delete(folder);
        }
    }

    private static void row(String what, String fleet, String embedded, String ratio, String target) {
        System.out.println(new Row(what, fleet, embedded, ratio, target).markdown());
    }

    private CollectorProcess fleet(String prefix, String instance, int partitions, String interval) throws IOException {
        return new CollectorProcess(
                JAR,
                folder.resolve(prefix + "-" + instance),
                "--ledger=kafka://" + broker.address(),
                "--prefix=" + prefix,
                "--instance=" + instance,
                "--fleet-partitions=" + partitions,
                "--interval=" + interval);
    }

    /** Waits until each of the collectors owns so many partitions, and has loaded them. */
    private static void awaitOwned(int partitions, CollectorProcess... all) throws IOException, InterruptedException {
        for (CollectorProcess one : all) {
            one.await(
                    "partitions",
                    now -> now.get("fleet_owned_partitions") == partitions && now.get("fleet_loading_partitions") == 0);
        }
    }

    /** CPU s per million lines that were received, of collectors together, of some of their threads, and of the broker. */
    private record Cost(
            double all, double udp, double lines, double kafka, double owner, double broker, double wire, long lost) {}

    /** A load for one collector, or for several that share it. */
    private final class Load {
        private final List<CollectorProcess> collectors;
        private final int perSecond;
        private final List<Datagrams.Agent> agents;

        Load(int names, int linesASecond, CollectorProcess... collectors) {
            this.collectors = List.of(collectors);
            perSecond = linesASecond / LINES / SENDERS;
            agents = IntStream.range(0, SENDERS)
                    .mapToObj(i -> new Datagrams.Agent(
                            "bench-0123456789abcdef-" + names + "-" + linesASecond + "-" + i,
                            names,
                            LINES,
                            perSecond * TURN_SECONDS))
                    .toList();
        }

        private double[] cpu() throws IOException {
            double[] sums = new double[6];
            for (CollectorProcess one : collectors) {
                sums[0] += one.child().cpuSeconds();
                sums[1] += one.child().cpuSeconds("counters-udp");
                sums[2] += one.child().cpuSeconds("counters-lines");
                sums[3] += one.child().cpuSeconds("kafka-p");
                sums[4] += one.child().cpuSeconds("counters-owner");
            }
            sums[5] = broker.child().cpuSeconds();
            return sums;
        }

        /** The lines that arrived so far; waits until nothing more arrives, and an owner has merged all. */
        private long received() throws IOException, InterruptedException {
            long datagrams = 0;
            for (CollectorProcess one : collectors) {
                one.lines();
                datagrams += one.datagrams();
            }
            return datagrams * LINES;
        }

        private long written() throws IOException {
            long bytes = 0;
            for (CollectorProcess one : collectors) {
                bytes += one.child().writtenBytes();
            }
            return bytes;
        }

        Cost send() throws IOException, InterruptedException {
            List<Datagrams> all = agents.stream().map(Datagrams.Agent::next).toList();
            List<Integer> ports =
                    collectors.stream().map(CollectorProcess::port).toList();
            long received = received();
            long written = written();
            double[] cpu = cpu();
            Blast.Sent sent = Blast.together(ports, all, (blast, ring) -> blast.atRate(ring, ring.count(), perSecond));
            received = received() - received;
            double[] now = cpu();
            for (int i = 0; i < cpu.length; i++) {
                cpu[i] = (now[i] - cpu[i]) / received * 1e6;
            }
            return new Cost(
                    cpu[0],
                    cpu[1],
                    cpu[2],
                    cpu[3],
                    cpu[4],
                    cpu[5],
                    (double) (written() - written) / received,
                    sent.lines() - received);
        }
    }

    private static double median(List<Cost> costs, java.util.function.ToDoubleFunction<Cost> part) {
        return Row.median(costs.stream().mapToDouble(part).toArray());
    }

    private void lines(int names) throws IOException, InterruptedException {
        String prefix = "bench" + names;
        try (CollectorProcess embedded =
                        new CollectorProcess(JAR, folder.resolve(prefix), "--interval=" + TURN_SECONDS + "s");
                CollectorProcess fleet = fleet(prefix, "a", PARTITIONS, TURN_SECONDS + "s")) {
            awaitOwned(PARTITIONS, fleet);
            Load theirs = new Load(names, RATE, embedded);
            Load ours = new Load(names, RATE, fleet);
            theirs.send();
            theirs.send();
            ours.send();
            ours.send();
            double one = compare(names, RATE, ours, theirs, prefix);
            compare(names, LOW_RATE, new Load(names, LOW_RATE, fleet), new Load(names, LOW_RATE, embedded), prefix);
            try (CollectorProcess second = fleet(prefix, "b", PARTITIONS, TURN_SECONDS + "s")) {
                awaitOwned(PARTITIONS / 2, fleet, second);
                Load both = new Load(names, RATE, fleet, second);
                both.send();
                List<Cost> costs = new ArrayList<>();
                for (int turn = 0; turn < TURNS; turn++) {
                    costs.add(both.send());
                }
                double two = median(costs, Cost::all);
                row(
                        text(
                                "the same, spread over two collectors: CPU s per million lines of both; what two collectors"
                                        + " can carry with two times the cores of one, by CPU time",
                                names),
                        text("%.3f; %.2f times", two, 2 * one / two),
                        "",
                        "",
                        "1.7 times");
            }
        }
    }

    /** Returns the fleet's cost. */
    private double compare(int names, int rate, Load ours, Load theirs, String prefix)
            throws IOException, InterruptedException {
        List<Cost> fleet = new ArrayList<>();
        List<Cost> embedded = new ArrayList<>();
        List<String> topics = List.of("lines", "ledger", "ticks");
        Map<String, Long> disk = new HashMap<>();
        for (String topic : topics) {
            disk.put(topic, broker.bytes(prefix + "." + topic));
        }
        for (int turn = 0; turn < TURNS; turn++) {
            if (turn % 2 == 0) {
                fleet.add(ours.send());
                embedded.add(theirs.send());
            } else {
                embedded.add(theirs.send());
                fleet.add(ours.send());
            }
        }
        double[] ratios = IntStream.range(0, TURNS)
                .mapToDouble(i -> fleet.get(i).all / embedded.get(i).all)
                .sorted()
                .toArray();
        String load = text("%,d names, %,d lines a second", names, rate);
        row(
                load + ": CPU s per million lines",
                text(
                        "%.3f (UDP thread %.3f, lines %.3f, Kafka's producers %.3f, owner %.3f)",
                        median(fleet, Cost::all),
                        median(fleet, Cost::udp),
                        median(fleet, Cost::lines),
                        median(fleet, Cost::kafka),
                        median(fleet, Cost::owner)),
                text("%.3f (UDP thread %.3f)", median(embedded, Cost::all), median(embedded, Cost::udp)),
                text("%.2f (%.2f to %.2f)", Row.median(ratios), ratios[0], ratios[TURNS - 1]),
                "ratio 3");
        long lines = (long) TURNS * TURN_SECONDS * rate;
        row(
                "the same: lines lost",
                text("%,d of %,d", fleet.stream().mapToLong(Cost::lost).sum(), lines),
                text("%,d", embedded.stream().mapToLong(Cost::lost).sum()),
                "",
                "0");
        row("the same: CPU s per million lines of the broker", text("%.3f", median(fleet, Cost::broker)), "", "", "");
        StringBuilder bytes = new StringBuilder(text("%.2f to Kafka; on its disk", median(fleet, Cost::wire)));
        for (String topic : topics) {
            bytes.append(text(
                    ", %s %.2f",
                    topic, (double) (broker.bytes(prefix + "." + topic) - disk.getOrDefault(topic, 0L)) / lines));
        }
        row("the same: bytes a line", bytes.toString(), "", "", "");
        return median(fleet, Cost::all);
    }

    private void takeOver() {}
}
