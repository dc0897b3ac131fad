package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.text;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.wire.DatagramWriter;
import io.counters.wire.Verb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

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
    private static final int WARM_TURNS = 2;

    /** A tick of each collector falls into each turn, three times as often as by default. */
    private static final int TURN_SECONDS = 3;

    private static final int NAMES_FEW = 1000;
    private static final int NAMES_MANY = 100_000;
    private static final int RATE = 1_000_000;
    private static final int LOW_RATE = 100_000;
    private static final int PARTITIONS = 64;

    /** The highest rate without loss is looked for in so many steps, between 0 and this one. */
    private static final int STEPS = 5;

    private static final int RATE_MAX = 3_200_000;
    private static final int STEP_SECONDS = 2;

    /** Later than this after the last line was sent, its owner must not merge it. */
    private static final double LATE_SECONDS = 2;

    private static final int OWNED_PARTITIONS = 8;
    private static final int OWNED_COUNTERS = 20_000;
    private static final int STREAMS = 1000;

    /** How many streams use a counter. */
    private static final int USES = 10;

    private static final int OWNED_DATAGRAMS_A_SECOND = 8000;
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration WAIT = Duration.ofMinutes(1);

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
            table.lines(NAMES_FEW);
            table.lines(NAMES_MANY);
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
            double all,
            double udp,
            double lines,
            double kafka,
            double owner,
            double broker,
            double wire,
            long lost,
            double late,
            double sender) {}

    /** A load for one collector, or for several that share it. */
    private final class Load {
        private final List<CollectorProcess> collectors;
        private final int perSecond;
        private final List<Datagrams.Agent> agents;

        Load(int names, int linesASecond, int seconds, CollectorProcess... collectors) {
            this.collectors = List.of(collectors);
            perSecond = linesASecond / LINES / SENDERS;
            agents = IntStream.range(0, SENDERS)
                    .mapToObj(i -> new Datagrams.Agent(
                            "bench-" + System.nanoTime() + "-" + i, names, LINES, perSecond * seconds))
                    .toList();
        }

        private double[] cpu() throws IOException {
            double[] sums = new double[6];
            for (CollectorProcess one : collectors) {
                sums[0] += one.child().steadyCpuSeconds();
                sums[1] += one.child().cpuSeconds("counters-udp");
                sums[2] += one.child().cpuSeconds("counters-lines");
                sums[3] += one.child().cpuSeconds("kafka-p");
                sums[4] += one.child().cpuSeconds("counters-owner");
            }
            sums[5] = broker.child().steadyCpuSeconds();
            return sums;
        }

        /** The lines that arrived so far; waits until nothing more arrives, and an owner has merged all. */
        private long received() throws IOException, InterruptedException {
            long datagrams = 0;
            for (CollectorProcess one : collectors) {
                datagrams += one.datagrams();
                one.await("the owner", now -> now.getOrDefault("fleet_lag_records", 0L) == 0);
                one.lines();
            }
            return datagrams * LINES;
        }

        /** The lines that were dropped after they had arrived. */
        private long dropped() throws IOException, InterruptedException {
            long lines = 0;
            for (CollectorProcess one : collectors) {
                lines += one.metric("fleet_dropped_lines_total{kind=\"total\"}");
            }
            return lines;
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
            long dropped = dropped();
            long written = written();
            double[] cpu = cpu();
            double sender = ownCpuSeconds();
            Blast.Sent sent = Blast.together(ports, all, (blast, ring) -> blast.atRate(ring, ring.count(), perSecond));
            sender = ownCpuSeconds() - sender;
            long begun = System.nanoTime();
            received = received() - received;
            double late = (System.nanoTime() - begun) / 1e9;
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
                    sent.lines() - received + dropped() - dropped,
                    late,
                    sender / sent.seconds());
        }
    }

    private static double median(List<Cost> costs, ToDoubleFunction<Cost> part) {
        return Row.median(costs.stream().mapToDouble(part).toArray());
    }

    private void lines(int names) throws IOException, InterruptedException {
        String prefix = "bench" + names;
        String interval = TURN_SECONDS + "s";
        try (CollectorProcess embedded = new CollectorProcess(JAR, folder.resolve(prefix), "--interval=" + interval);
                CollectorProcess fleet = fleet(prefix, "a", PARTITIONS, interval)) {
            awaitOwned(PARTITIONS, fleet);
            Load ours = new Load(names, RATE, TURN_SECONDS, fleet);
            Load theirs = new Load(names, RATE, TURN_SECONDS, embedded);
            warm(ours, theirs);
            beside(names, RATE, ours, theirs, prefix);
            if (names == NAMES_FEW) {
                beside(
                        names,
                        LOW_RATE,
                        new Load(names, LOW_RATE, TURN_SECONDS, fleet),
                        new Load(names, LOW_RATE, TURN_SECONDS, embedded),
                        prefix);
            }
            row(
                    text("%,d names: the most lines a second without loss, and the cores that they take", names),
                    most(names, fleet),
                    "",
                    "",
                    "1,000,000 on two cores");
            if (names == NAMES_FEW) {
                // Each collector merges what it received itself, which costs most where most lines are merged.
                pair(names, new Load(names, RATE / 2, TURN_SECONDS, fleet));
            }
        }
    }

    private static void warm(Load... loads) throws IOException, InterruptedException {
        for (int turn = 0; turn < WARM_TURNS; turn++) {
            for (Load load : loads) {
                load.send();
            }
        }
    }

    /** What the loads cost in turns; turns of the first, then of the second. */
    private static List<List<Cost>> turns(Load one, Load other) throws IOException, InterruptedException {
        List<List<Cost>> costs = List.of(new ArrayList<>(), new ArrayList<>());
        for (int turn = 0; turn < TURNS; turn++) {
            if (turn % 2 == 0) {
                costs.get(0).add(one.send());
                costs.get(1).add(other.send());
            } else {
                costs.get(1).add(other.send());
                costs.get(0).add(one.send());
            }
        }
        return costs;
    }

    /** The median of the turns' ratios, the lowest, and the highest. */
    private static String ratio(List<Cost> of, List<Cost> to, double factor) {
        double[] ratios = IntStream.range(0, TURNS)
                .mapToDouble(i -> factor * of.get(i).all / to.get(i).all)
                .sorted()
                .toArray();
        return text("%.2f (%.2f to %.2f)", Row.median(ratios), ratios[0], ratios[TURNS - 1]);
    }

    private void beside(int names, int rate, Load ours, Load theirs, String prefix)
            throws IOException, InterruptedException {
        long[] disk = disk(prefix);
        long ticks = ours.collectors.get(0).metric("publish_ticks_total");
        List<List<Cost>> costs = turns(ours, theirs);
        List<Cost> fleet = costs.get(0);
        List<Cost> embedded = costs.get(1);
        long lost = fleet.stream().mapToLong(Cost::lost).sum();
        long sent = (long) TURNS * TURN_SECONDS * rate;
        row(
                text("%,d names, %,d lines a second: CPU s per million lines", names, rate),
                text(
                        "%.3f (UDP thread %.3f, lines %.3f, Kafka's producers %.3f, owner %.3f)",
                        median(fleet, Cost::all),
                        median(fleet, Cost::udp),
                        median(fleet, Cost::lines),
                        median(fleet, Cost::kafka),
                        median(fleet, Cost::owner)),
                text("%.3f (UDP thread %.3f)", median(embedded, Cost::all), median(embedded, Cost::udp)),
                ratio(fleet, embedded, 1),
                "ratio 3");
        row("the same: of the broker", text("%.3f", median(fleet, Cost::broker)), "", "", "");
        ticks = ours.collectors.get(0).metric("publish_ticks_total") - ticks;
        for (int i = 0; i < disk.length; i++) {
            disk[i] = disk(prefix)[i] - disk[i];
        }
        row(
                "the same: bytes to the broker, and on its disk",
                text(
                        "%.2f a line; lines %.2f a line, ledger %.2f a line, ticks %.1f a counter and tick",
                        median(fleet, Cost::wire),
                        (double) disk[0] / (sent - lost),
                        (double) disk[1] / (sent - lost),
                        (double) disk[2] / ticks / names),
                "",
                "",
                "");
        row(
                "the same: lines lost",
                text("%,d of %,d", lost, sent),
                text("%,d", embedded.stream().mapToLong(Cost::lost).sum()),
                "",
                "0");
    }

    /** The bytes of the fleet's topics. */
    private long[] disk(String prefix) throws IOException {
        return new long[] {
            broker.bytes(prefix + ".lines"), broker.bytes(prefix + ".ledger"), broker.bytes(prefix + ".ticks")
        };
    }

    private void pair(int names, Load alone) throws IOException, InterruptedException {
        String prefix = "pair" + names;
        String interval = TURN_SECONDS + "s";
        try (CollectorProcess one = fleet(prefix, "a", PARTITIONS, interval);
                CollectorProcess other = fleet(prefix, "b", PARTITIONS, interval)) {
            awaitOwned(PARTITIONS / 2, one, other);
            Load both = new Load(names, RATE, TURN_SECONDS, one, other);
            warm(both);
            List<List<Cost>> costs = turns(both, alone);
            row(
                    text(
                            "%,d names, two collectors with %,d lines a second each: CPU s per million lines, beside one"
                                    + " with as many",
                            names, RATE / 2),
                    text("%.3f, %.3f", median(costs.get(0), Cost::all), median(costs.get(1), Cost::all)),
                    "",
                    "two carry " + ratio(costs.get(1), costs.get(0), 2) + " times as much",
                    "1.7 times");
        }
    }

    /** Looks for the highest rate without loss by halves. */
    private String most(int names, CollectorProcess collector) throws IOException, InterruptedException {
        int carried = 0;
        String found = "";
        for (int rate = RATE_MAX / 2, step = rate / 2, i = 0; i < STEPS; i++, step /= 2) {
            Load load = new Load(names, rate, STEP_SECONDS, collector);
            Cost cost = load.send();
            boolean isCarried = cost.lost == 0 && cost.late < LATE_SECONDS;
            if (isCarried) {
                carried = rate;
                double millions = rate / 1e6;
                found = text(
                        "collector %.2f, broker %.2f, sender %.2f",
                        cost.all * millions, cost.broker * millions, cost.sender);
            }
            rate += isCarried ? step : -step;
        }
        return text("%,d (%s)", carried, found);
    }

    private static double ownCpuSeconds() {
        return ProcessHandle.current()
                        .info()
                        .totalCpuDuration()
                        .map(Duration::toNanos)
                        .orElse(0L)
                / 1e9;
    }

    // A take-over

    private void takeOver() throws IOException, InterruptedException {
        String prefix = "takeover";
        try (CollectorProcess dies = fleet(prefix, "a", OWNED_PARTITIONS, "1s");
                CollectorProcess stays = fleet(prefix, "b", OWNED_PARTITIONS, "1s")) {
            awaitOwned(OWNED_PARTITIONS / 2, dies, stays);
            try (Blast blast = new Blast(stays.port(), 1)) {
                Datagrams all = manyStreams(OWNED_PARTITIONS * OWNED_COUNTERS);
                blast.atRate(all, all.count(), OWNED_DATAGRAMS_A_SECOND);
            }
            dies.lines();
            stays.lines();
            long killed = System.currentTimeMillis();
            dies.child().kill();
            awaitOwned(OWNED_PARTITIONS, stays);
            row(
                    text(
                            "SIGKILL for one of two collectors that own %d partitions each: until each of these has a tick"
                                    + " again",
                            OWNED_PARTITIONS / 2),
                    text("%.1f s", (lastFirstTick(prefix + ".ticks", killed) - killed) / 1e3),
                    "",
                    "",
                    "12 s: the session's 10, and 2");
            row(
                    text(
                            "loading these, each with about %,d counters, %,d streams and %,d watermarks",
                            OWNED_COUNTERS, STREAMS, OWNED_COUNTERS * USES),
                    text(
                            "%.1f s (%,d counters, %,d bytes on the broker's disk)",
                            stays.metric("fleet_take_over_millis") / 1e3,
                            stays.metric("ledger_counters") / 2,
                            broker.bytes(prefix + ".ledger") / 2),
                    "",
                    "",
                    "2 s");
        }
    }

    /** Datagrams of {@value #STREAMS} streams, each with an equal part of the counters, so that each counter has several. */
    private static Datagrams manyStreams(int counters) {
        int each = counters / STREAMS * USES;
        byte[][] ids = IntStream.range(0, STREAMS)
                .mapToObj(i -> ("bench-0123456789abcdef-" + i).getBytes(US_ASCII))
                .toArray(byte[][]::new);
        List<byte[]> all = new ArrayList<>();
        DatagramWriter writer = new DatagramWriter(DatagramWriter.BYTES_DEFAULT);
        for (int datagram = 0; datagram < each / LINES; datagram++) {
            for (int stream = 0; stream < STREAMS; stream++) {
                writer.clear();
                writer.from(ids[stream], 60_000, datagram + 1);
                for (int line = 0; line < LINES; line++) {
                    int counter = (stream * (counters / STREAMS) + datagram * LINES + line) % counters;
                    writer.command(Verb.INCREMENT, ("shop.orders." + counter).getBytes(US_ASCII), 1, 1);
                }
                all.add(Arrays.copyOf(writer.buffer(), writer.length()));
            }
        }
        return Datagrams.of(all, LINES);
    }

    /** The latest time at which a partition got its first tick after {@code sinceMillis}. */
    private long lastFirstTick(String topic, long sinceMillis) throws IOException {
        Map<Integer, Long> first = new HashMap<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(
                        "bootstrap.servers", broker.address(),
                        "isolation.level", "read_committed",
                        // It needs libraries that collector.jar does not contain.
                        "enable.metrics.push", "false"),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> all = IntStream.range(0, OWNED_PARTITIONS)
                    .mapToObj(i -> new TopicPartition(topic, i))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long begun = System.nanoTime();
            while (first.size() < OWNED_PARTITIONS) {
                if (System.nanoTime() - begun > WAIT.toNanos()) {
                    throw new IOException("only these partitions have ticks: " + first.keySet());
                }
                for (ConsumerRecord<byte[], byte[]> tick : consumer.poll(POLL)) {
                    if (tick.timestamp() > sinceMillis) {
                        first.putIfAbsent(tick.partition(), tick.timestamp());
                    }
                }
            }
        }
        return Collections.max(first.values());
    }
}
