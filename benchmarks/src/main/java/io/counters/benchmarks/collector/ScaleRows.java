package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Committer;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerClock;
import io.counters.collector.ledger.LedgerFile;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.store.MemcachedStore;
import io.counters.collector.store.Pusher;
import io.counters.collector.store.Store;
import io.counters.wire.Commands;
import io.counters.wire.Verb;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Consumer;
import org.slf4j.LoggerFactory;

/** Measures the cost of a million counters: memory, commits, pushes, a tick, a restart. */
final class ScaleRows {
    private static final int COUNTERS = 1_000_000;

    /** Counters with other names for warm-up, so that the JVM has compiled the measured code. */
    private static final int WARM_COUNTERS = 100_000;

    private static final int WARM_ROUNDS = 5;
    private static final int ROUNDS = 3;
    private static final int LINES_A_WRITE = 1000;
    private static final int COMMITTED = 100_000;
    private static final int COMMITS = 7;
    private static final int PUSHED_A_ROUND = 2_000_000;
    private static final int INTERVAL_SECONDS = 15;
    private static final int BESIDE_A_SECOND = 100_000;

    private final Path jar;
    private final Path folder;
    private final Consumer<Row> table;

    ScaleRows(Path jar, Path folder, Consumer<Row> table) {
        this.jar = jar;
        this.folder = folder;
        this.table = table;
    }

    @SuppressWarnings("try") // The server only has to run.
    void measure() throws IOException, InterruptedException {
        commits();
        Optional<Path> memcached = onPath("memcached");
        if (memcached.isEmpty()) {
            table.accept(new Row("pushes into memcached", "not measured: no memcached on the PATH", ""));
            pushes(List.of());
            return;
        }
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(memcached.get().toString(), "-l", "127.0.0.1", "-m", "2048"));
        command.addAll(List.of("-U", "0", "-p", Integer.toString(port)));
        if (System.getProperty("user.name").equals("root")) {
            command.addAll(List.of("-u", "root"));
        }
        try (Child server = Child.start(command)) {
            for (int keys : new int[] {COMMITTED, COUNTERS}) {
                pushesAlone(port, keys);
            }
            pushes(List.of("--store", "memcached://127.0.0.1:" + port));
        }
    }

    /** In this process, with the ledger's own classes, because the collector itself commits every 100 ms. */
    private void commits() throws IOException {
        Path here = folder.resolve("commits");
        Metrics metrics = new Metrics();
        FaultLog faults = new FaultLog(LoggerFactory.getLogger(ScaleRows.class), System::nanoTime);
        double[] seconds = new double[COMMITS];
        try (LedgerFile file = new LedgerFile(here)) {
            LedgerClock clock = new LedgerClock(0, System.currentTimeMillis(), System::nanoTime);
            Ledger ledger = new Ledger(
                    LedgerSettings.in(here),
                    true,
                    clock,
                    () -> System.currentTimeMillis() / 1000,
                    new LedgerState(1, new SeededHash(new Random(1))),
                    metrics);
            Committer commit = new Committer(ledger, file, System::nanoTime, faults, metrics);
            for (int i = 0; i < COUNTERS; i++) {
                count(ledger, i);
            }
            commit.run();
            for (int turn = -1; turn < COMMITS; turn++) {
                for (int i = 0; i < COMMITTED; i++) {
                    // Distributed over the whole file.
                    count(ledger, (int) ((long) i * COUNTERS / COMMITTED + turn + 1));
                }
                long begun = System.nanoTime();
                if (!commit.run()) {
                    throw new IOException("a commit failed; the log above says why");
                }
                if (turn >= 0) {
                    seconds[turn] = (System.nanoTime() - begun) / 1e9;
                }
            }
        }
        table.accept(new Row(
                text("commit of %,d changed counters of %,d", COMMITTED, COUNTERS),
                text("%.2f s", median(seconds)),
                "1 s"));
    }

    /**
     * In this process, measuring only the pusher, because in the collector intake and commits share the cores with it.
     */
    private void pushesAlone(int port, int keys) throws IOException, InterruptedException {
        Path here = folder.resolve("pushes-" + keys);
        Metrics metrics = new Metrics();
        FaultLog faults = new FaultLog(LoggerFactory.getLogger(ScaleRows.class), System::nanoTime);
        List<InetSocketAddress> servers = List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        double[] rates = new double[ROUNDS];
        try (LedgerFile file = new LedgerFile(here);
                Store store = new MemcachedStore(servers, Optional.empty(), System::nanoTime)) {
            LedgerClock clock = new LedgerClock(0, System.currentTimeMillis(), System::nanoTime);
            Ledger ledger = new Ledger(
                    LedgerSettings.in(here),
                    true,
                    clock,
                    () -> System.currentTimeMillis() / 1000,
                    new LedgerState(keys, new SeededHash(new Random(1))),
                    metrics);
            Committer commit = new Committer(ledger, file, System::nanoTime, faults, metrics);
            Pusher pusher = new Pusher(ledger, store, "alone-" + keys + ".", faults, metrics);
            pusher.begin();
            int turns = PUSHED_A_ROUND / keys;
            for (int round = -1; round < ROUNDS; round++) {
                long nanos = 0;
                for (int turn = 0; turn < turns; turn++) {
                    for (int i = 0; i < keys; i++) {
                        count(ledger, i);
                    }
                    while (ledger.unanswered() > 0) {
                        commit.run();
                        long begun = System.nanoTime();
                        do {
                            pusher.run();
                        } while (pusher.hasMore());
                        nanos += System.nanoTime() - begun;
                    }
                }
                if (round >= 0) {
                    rates[round] = (double) turns * keys / nanos * 1e3;
                }
            }
        }
        table.accept(new Row(
                text("pushes of %,d keys that have all changed, the pusher alone", keys),
                text("%.2f million a second", median(rates)),
                "0.7 million"));
    }

    private static void count(Ledger ledger, int number) {
        byte[] name = ("shop.orders.placed.by.region" + number).getBytes(US_ASCII);
        ledger.merge(null, Verb.INCREMENT, name, 0, name.length, 1, Commands.NO_TOTAL);
    }

    private void pushes(List<String> store) throws IOException, InterruptedException {
        Path data = folder.resolve("million");
        Datagrams warm = Datagrams.increments("warm.region", WARM_COUNTERS, LINES_A_WRITE);
        Datagrams all = Datagrams.increments("shop.orders.placed.by.region", COUNTERS, LINES_A_WRITE);
        int counters;
        try (CollectorProcess collector = new CollectorProcess(jar, data, flags(store))) {
            for (int i = 0; i < WARM_ROUNDS; i++) {
                push(collector, warm);
            }
            prometheus(collector);
            double first = push(collector, all);
            double[] rates = new double[ROUNDS];
            for (int i = 0; i < ROUNDS; i++) {
                long before = collector.metric("store_requests_total");
                double seconds = push(collector, all);
                rates[i] = (collector.metric("store_requests_total") - before) / seconds / 1e6;
            }
            counters = (int) collector.metric("ledger_counters");
            prometheus(collector);
            long heap = collector.heapBytes();
            table.accept(new Row(
                    "heap bytes per counter, including everything else in the heap",
                    text("%d (%,d bytes, %,d counters)", heap / counters, heap, counters),
                    "350"));
            if (!store.isEmpty()) {
                table.accept(new Row(
                        text("first push of %,d keys into memcached, from the first line sent", COUNTERS),
                        text("%.1f s", first),
                        "4 s"));
                table.accept(new Row(
                        text("pushes of %,d keys that have all changed, from the first line sent", COUNTERS),
                        text("%.2f million a second", median(rates)),
                        "0.7 million"));
            }
        }
        publishes(data, store, counters);
    }

    private void prometheus(CollectorProcess collector) throws IOException, InterruptedException {
        double[] seconds = new double[ROUNDS];
        for (int i = -1; i < ROUNDS; i++) {
            double round = collector.counterMetricsSeconds();
            if (i >= 0) {
                seconds[i] = round;
            }
        }
        long counters = collector.metric("ledger_counters");
        table.accept(new Row(
                text("/metrics/counters with %,d counters, until the last byte", counters),
                text("%.2f s", median(seconds)),
                counters > WARM_COUNTERS ? "" : "1 s"));
    }

    /** Sends lines and waits until all are applied and, if there is a store, pushed; returns the seconds. */
    private static double push(CollectorProcess collector, Datagrams lines) throws IOException, InterruptedException {
        long sum = collector.metric("ledger_applied_lines_total") + (long) lines.count() * lines.lines();
        long begun = System.nanoTime();
        Blast.tcp(collector.tcpPort(), lines, lines.count());
        collector.await(
                "all lines to be pushed",
                now -> now.getOrDefault("ledger_applied_lines_total", 0L) >= sum
                        && now.getOrDefault("store_due_keys", 0L) == 0);
        return (System.nanoTime() - begun) / 1e9;
    }

    /** Restarts the collector with all counters, and publishes to a server that accepts everything. */
    private void publishes(Path data, List<String> store, int counters) throws IOException, InterruptedException {
        try (DiscardingServer server = new DiscardingServer(INTERVAL_SECONDS)) {
            List<String> flags = new ArrayList<>(store);
            flags.addAll(List.of("--opentsdb", "http://127.0.0.1:" + server.port()));
            flags.addAll(List.of("--interval", INTERVAL_SECONDS + "s"));
            try (CollectorProcess collector = new CollectorProcess(jar, data, flags.toArray(String[]::new))) {
                table.accept(new Row(
                        text("start with %,d counters, until it listens", counters),
                        text("%.1f s", collector.startSeconds()),
                        "5 s"));
                // The first tick warms up.
                collector.await("a tick", now -> published(now) >= counters);
                long lines = collector.lines();
                Datagrams ring = Datagrams.statsd(1000, 1);
                Blast.Sent sent;
                try (Blast blast = new Blast(collector.port(), 1)) {
                    // At least one complete tick happens during this time.
                    sent = blast.atRate(ring, 2L * INTERVAL_SECONDS * BESIDE_A_SECOND, BESIDE_A_SECOND);
                }
                long lost = sent.lines() - (collector.lines() - lines);
                collector.await("another tick", now -> published(now) >= 2L * counters);
                List<Double> ticks = server.tickSeconds();
                table.accept(new Row(
                        text("a tick of %,d points to a server that answers 204, until the last answer", counters),
                        text("%.1f s (the first %.1f s)", ticks.get(1), ticks.get(0)),
                        "10 s"));
                table.accept(new Row(
                        text("lines lost while it publishes, of %,d a second", BESIDE_A_SECOND),
                        text("%,d of %,d", lost, sent.lines()),
                        "0"));
            }
        }
    }

    private static long published(Map<String, Long> metrics) {
        return metrics.entrySet().stream()
                .filter(metric -> metric.getKey().startsWith("publish_points_total"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private static String[] flags(List<String> store) {
        List<String> flags = new ArrayList<>(store);
        flags.addAll(List.of("--interval", "1h"));
        return flags.toArray(String[]::new);
    }

    private static Optional<Path> onPath(String program) {
        for (String place : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            Path file = Path.of(place, program);
            if (Files.isExecutable(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    private static int freePort() throws IOException {
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return free.getLocalPort();
        }
    }
}
