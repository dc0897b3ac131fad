package io.counters.benchmarks.collector;

import static io.counters.benchmarks.collector.Row.median;
import static io.counters.benchmarks.collector.Row.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * What the history adds to the collector's cost: two collectors, one without a history, take turns with the same load. Of
 * each turn the CPU of the whole process counts, and the ratio is the median of the ratios within a turn.
 */
final class HistoryRows {
    private static final int TURNS = 5;
    private static final int WARM_SECONDS = 10;

    /** Two ticks fall into each turn. */
    private static final int TURN_SECONDS = 20;

    private static final int NAMES = 1000;
    private static final int LINES = 25;
    private static final int DATAGRAMS_A_SECOND = 40_000;

    private final Path jar;
    private final Path folder;
    private final Consumer<Row> table;

    HistoryRows(Path jar, Path folder, Consumer<Row> table) {
        this.jar = jar;
        this.folder = folder;
        this.table = table;
    }

    void measure() throws IOException, InterruptedException {
        Datagrams ring = Datagrams.statsd(NAMES, LINES);
        try (CollectorProcess with = new CollectorProcess(jar, folder.resolve("with-history"));
                CollectorProcess without =
                        new CollectorProcess(jar, folder.resolve("without-history"), "--history-counters", "0")) {
            cost(with, ring, WARM_SECONDS);
            cost(without, ring, WARM_SECONDS);
            double[] ours = new double[TURNS];
            double[] theirs = new double[TURNS];
            double[] ratios = new double[TURNS];
            for (int turn = 0; turn < TURNS; turn++) {
                if (turn % 2 == 0) {
                    ours[turn] = cost(with, ring, TURN_SECONDS);
                    theirs[turn] = cost(without, ring, TURN_SECONDS);
                } else {
                    theirs[turn] = cost(without, ring, TURN_SECONDS);
                    ours[turn] = cost(with, ring, TURN_SECONDS);
                }
                ratios[turn] = ours[turn] / theirs[turn];
            }
            Arrays.sort(ratios);
            table.accept(new Row(
                    text(
                            "%,d datagrams a second with %d lines, %,d names, with the history, compared with a collector without it"
                                    + " (in place of the sink): CPU s per million lines",
                            DATAGRAMS_A_SECOND, LINES, NAMES),
                    text("%.3f", median(ours)),
                    text("%.3f", median(theirs)),
                    text("%.2f (%.2f to %.2f)", median(ratios), ratios[0], ratios[TURNS - 1]),
                    "ratio 1.05"));
        }
    }

    private static double cost(CollectorProcess collector, Datagrams ring, int seconds)
            throws IOException, InterruptedException {
        long lines = collector.lines();
        double before = collector.child().cpuSeconds();
        try (Blast blast = new Blast(collector.port(), 1)) {
            blast.atRate(ring, (long) seconds * DATAGRAMS_A_SECOND, DATAGRAMS_A_SECOND);
        }
        double cpu = collector.child().cpuSeconds() - before;
        return cpu / (collector.lines() - lines) * 1e6;
    }
}
