package io.counters.benchmarks.history;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.history.Samples;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * What the history takes on disk for a changed point, what a tick costs, and what reading a day of a counter does. In this
 * process, by the history's own classes; takes some minutes.
 */
final class HistoryTable {
    private static final long BEGIN = 1_700_000_000 / 3600 * 3600;
    private static final int INTERVAL = 10;
    private static final int DAY = 24 * 3600 / INTERVAL;
    private static final int READS = 500;

    private final Path folder;

    private HistoryTable(Path folder) {
        this.folder = folder;
    }

    /** How much counters change. */
    private interface Load {
        /** How much this counter changes with this tick. */
        long move(Random random, int counter, int tick);
    }

    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("counters-bench");
        try {
            new HistoryTable(folder).measure();
        } finally {
            List<Path> all;
            try (Stream<Path> walk = Files.walk(folder)) {
                all = walk.sorted(Comparator.reverseOrder()).toList();
            }
            for (Path path : all) {
                Files.delete(path);
            }
        }
    }

    private void measure() throws IOException {
        System.out.println("| load, for a day | changed values | bytes on disk | bytes a changed value |");
        System.out.println("| --- | --- | --- | --- |");
        bytes("1,000 counters, each about 3 a second", 1000, (random, counter, tick) -> poisson(random, 30));
        bytes("1,000 counters, each about 100 a second", 1000, (random, counter, tick) -> poisson(random, 1000));
        bytes(
                "1,000 counters of very different rates, from 0.1 to 10,000 a second",
                1000,
                (random, counter, tick) -> poisson(random, Math.pow(10, counter % 6)));
        bytes(
                "1,000 counters of bytes, 1 MB a second plus or minus 20 %",
                1000, (random, counter, tick) -> Math.round(10e6 * (1 + 0.2 * random.nextGaussian())));
        bytes(
                "1,000 counters in bursts: 5 minutes in 30, about 50 a second",
                1000,
                (random, counter, tick) -> (tick + counter * 7) % 180 < 30 ? poisson(random, 500) : 0);
        bytes("1,000 counters, each once in a minute", 1000, (random, counter, tick) -> random.nextInt(6) == 0 ? 1 : 0);
        bytes(
                "1,000 counters, each once in 10 minutes",
                1000,
                (random, counter, tick) -> random.nextInt(60) == 0 ? 1 : 0);
        bytes(
                "1,000 counters, each once in an hour",
                1000,
                (random, counter, tick) -> random.nextInt(360) == 0 ? 1 : 0);
        read();
        ticks();
    }

    private static long poisson(Random random, double mean) {
        if (mean > 30) {
            return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.nextGaussian()));
        }
        double limit = Math.exp(-mean);
        long number = 0;
        for (double product = random.nextDouble(); product > limit; product *= random.nextDouble()) {
            number++;
        }
        return number;
    }

    private static History history(Path here, int counters) {
        return new History(
                new HistorySettings(here, INTERVAL, 48 * 3600, 30 * 86_400, 730L * 86_400, 16L << 30, counters),
                new FaultLog(LoggerFactory.getLogger(HistoryTable.class), System::nanoTime),
                new Metrics());
    }

    private static String[] names(int counters) {
        String[] names = new String[counters];
        Arrays.setAll(names, i -> "shop.orders.placed.by.region" + i);
        return names;
    }

    /** Fills a file with this many ticks; returns the number of values of all resolutions. */
    private static long fill(History history, int counters, int ticks, Load load) {
        String[] names = names(counters);
        long[] values = new long[counters];
        long[][] last = {values.clone(), values.clone(), values.clone()};
        int[] steps = {INTERVAL, 300, 3600};
        Random random = new Random(1);
        long points = 3L * counters;
        for (int tick = 0; tick < ticks; tick++) {
            long second = BEGIN + (long) tick * INTERVAL;
            for (int i = 0; i < counters; i++) {
                values[i] += load.move(random, i, tick);
            }
            for (int level = 0; level < steps.length && second % steps[level] == 0; level++) {
                for (int i = 0; i < counters && tick > 0; i++) {
                    points += values[i] == last[level][i] ? 0 : 1;
                }
                last[level] = values.clone();
            }
            history.put(second, new Snapshot(names, values.clone(), counters));
        }
        return points;
    }

    private void bytes(String what, int counters, Load load) throws IOException {
        Path here = folder.resolve("bytes.db");
        History history = history(here, counters);
        long points = fill(history, counters, DAY, load);
        history.close();
        long bytes = Files.size(here);
        Files.delete(here);
        System.out.printf(Locale.ROOT, "| %s | %,d | %,d | %.2f |%n", what, points, bytes, (double) bytes / points);
    }

    private void read() throws IOException {
        int counters = 10_000;
        Path here = folder.resolve("read.db");
        History history = history(here, counters);
        long points = fill(history, counters, DAY + 10, (random, counter, tick) -> random.nextInt(100) < 63 ? 1 : 0);
        String[] names = names(counters);
        Random random = new Random(2);
        double[] millis = new double[READS];
        long to = BEGIN + (DAY + 9L) * INTERVAL;
        long samples = 0;
        double first = 0;
        for (int i = -1; i < READS; i++) {
            String name = names[random.nextInt(counters)];
            long begun = System.nanoTime();
            Samples found = history.samples(name, to - 86_400 + 1, to);
            double took = (System.nanoTime() - begun) / 1e6;
            samples = found.size();
            if (i < 0) {
                first = took;
            } else {
                millis[i] = took;
            }
        }
        history.close();
        Arrays.sort(millis);
        System.out.println();
        System.out.println("| what | result | target |");
        System.out.println("| --- | --- | --- |");
        System.out.printf(
                Locale.ROOT,
                "| a counter's last 24 h (%,d samples), 10,000 counters of which 1,000 move a second, %,d values:"
                        + " median, 99th percentile, the first | %.1f, %.1f, %.1f ms | 20 ms |%n",
                samples,
                points,
                millis[READS / 2],
                millis[READS * 99 / 100],
                first);
        long begun = System.nanoTime();
        history = history(here, counters);
        System.out.printf(
                Locale.ROOT,
                "| opening it (%,d bytes) | %.2f s | |%n",
                Files.size(here),
                (System.nanoTime() - begun) / 1e9);
        history.close();
    }

    /** The CPU time of the thread, and the whole time, including the sync. */
    private void ticks() throws IOException {
        for (int counters : new int[] {1_000, 20_000, 1_000_000}) {
            for (boolean isMoving : new boolean[] {true, false}) {
                Path here = folder.resolve("ticks-" + counters + isMoving + ".db");
                History history = history(here, 20_000);
                String[] names = names(counters);
                long[] values = new long[counters];
                int rounds = 300;
                double[] cpu = new double[rounds];
                double[] wall = new double[rounds];
                Random random = new Random(1);
                for (int tick = -100; tick < rounds; tick++) {
                    for (int i = 0; i < counters; i++) {
                        values[i] += isMoving || i % 10 == tick % 10 ? 1 + (i & 63) : 0;
                    }
                    Snapshot snapshot = new Snapshot(names, values.clone(), counters);
                    long cpuBegun = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
                    long begun = System.nanoTime();
                    history.put(BEGIN + (tick + 100L) * INTERVAL, snapshot);
                    if (tick >= 0) {
                        wall[tick] = (System.nanoTime() - begun) / 1e6;
                        cpu[tick] = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpuBegun) / 1e6;
                    }
                }
                history.close();
                double mean = Arrays.stream(cpu).average().orElse(0);
                Arrays.sort(wall);
                System.out.printf(
                        Locale.ROOT,
                        "| a tick of %,d counters, %s: CPU; time with its sync: median, longest | %.1f ms; %.1f, %.1f ms"
                                + " | |%n",
                        counters,
                        isMoving ? "all changed" : "a tenth changed",
                        mean,
                        wall[rounds / 2],
                        wall[rounds - 1]);
            }
        }
    }
}
