package io.counters.collector.otlp;

import io.counters.benchmarks.collector.SeriesLoad;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a data point of OTLP costs the collector, beside a line of the wire protocol with a total: CPU of the thread that reads the
 * request or the datagram and merges it into a ledger. Receiving and the commit are in none of the figures; they are in those of
 * {@link io.counters.benchmarks.collector.OtlpPortTable}. Stands in this package because what it measures is not public.
 */
final class OtlpTable {
    private static final int SERIES = 1_000;
    private static final int WARM = 300;
    private static final int ROUNDS = 1_000;
    private static final SeriesLoad LOAD = new SeriesLoad(1, SERIES, 1_700_000_000_000_000_000L, 1_000_000_000);
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final LineTarget target = LineTarget.of(new Ledger(
            LedgerSettings.in(Path.of("unused")),
            false,
            () -> 0,
            () -> 0,
            new LedgerState(1, new SeededHash(new Random(1))),
            new Metrics()));

    private OtlpTable() {}

    /** One round: each series once, with this value. */
    @FunctionalInterface
    private interface Round {
        void run(long value) throws IOException;
    }

    public static void main(String[] arguments) throws IOException {
        System.out.println("| what is read and merged | CPU per million | bytes each |");
        System.out.println("| --- | --- | --- |");
        OtlpTable table = new OtlpTable();
        OtlpSettings settings = new OtlpSettings(0, List.of("*"), List.of(), 64 << 20, 250);
        KnownSeries known =
                new KnownSeries(settings.seriesMax(), 0, new SeededHash(new Random(2)), new SeededHash(new Random(3)));
        Sums sums = new Sums(settings, known);
        OtlpReader reader = new OtlpReader(sums);
        for (boolean isMonotonic : new boolean[] {true, false}) {
            byte[][] requests = new byte[2][];
            table.row(
                    isMonotonic ? "OTLP, cumulative, monotonic" : "OTLP, cumulative, non-monotonic",
                    value -> requests[0] = LOAD.export(value, isMonotonic),
                    value -> {
                        sums.begin(0);
                        reader.read(requests[0]);
                        sums.end();
                        table.target.batch(() -> sums.merge(table.target));
                    },
                    () -> requests[0].length);
        }
        Reader lines = new Reader(table.target);
        List<byte[]> datagrams = new ArrayList<>();
        table.row(
                "lines with totals, " + SeriesLoad.LINES + " in a datagram",
                value -> {
                    datagrams.clear();
                    datagrams.addAll(LOAD.datagrams(value));
                },
                value -> datagrams.forEach(lines::read),
                () -> datagrams.stream().mapToInt(one -> one.length).sum());
    }

    private void row(String what, Round prepare, Round work, IntSupplier bytes) throws IOException {
        long nanos = 0;
        for (int round = 1; round <= WARM + ROUNDS; round++) {
            prepare.run(round);
            long begin = THREADS.getCurrentThreadCpuTime();
            work.run(round);
            nanos += round > WARM ? THREADS.getCurrentThreadCpuTime() - begin : 0;
        }
        System.out.printf(
                Locale.ROOT,
                "| %s | %.2f s | %d |%n",
                what,
                nanos / 1e9 / ((double) ROUNDS * SERIES / 1e6),
                bytes.getAsInt() / SERIES);
    }

    /** Hands over datagrams as intake does. */
    private static final class Reader implements Commands {
        private final LineTarget target;
        private final CommandReader reader = new CommandReader(this);
        private @Nullable Object stream;

        Reader(LineTarget target) {
            this.target = target;
        }

        void read(byte[] datagram) {
            target.batch(() -> reader.datagram(datagram, 0, datagram.length));
        }

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            stream = target.stream(bytes, begin, end, ageMillis, seq, 0);
        }

        @Override
        public void fromNobody() {
            stream = null;
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            target.merge(stream, verb, bytes, begin, end, amount, total);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            throw new IllegalStateException(why.rule());
        }
    }
}
