package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.DatagramWriter;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import io.opentelemetry.proto.resource.v1.Resource;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a data point of OTLP costs the collector, beside a line of the wire protocol with a total: CPU of the thread that reads the
 * request or the datagram and merges it into a ledger. Receiving is in none of the figures. A process with 1,000 series of three
 * attributes; its names are the same in both. Stands in this package because what it measures is not public.
 */
final class OtlpTable {
    private static final int SERIES = 1_000;
    private static final int LINES = 25;
    private static final int WARM = 300;
    private static final int ROUNDS = 1_000;
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
                    value -> requests[0] = export(value, isMonotonic),
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
                "lines with totals, " + LINES + " in a datagram",
                value -> datagrams(datagrams, value),
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

    private static KeyValue attribute(String key, String value) {
        return KeyValue.newBuilder()
                .setKey(key)
                .setValue(AnyValue.newBuilder().setStringValue(value))
                .build();
    }

    private static byte[] export(long value, boolean isMonotonic) {
        Sum.Builder sum = Sum.newBuilder()
                .setIsMonotonic(isMonotonic)
                .setAggregationTemporality(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE);
        for (int i = 0; i < SERIES; i++) {
            sum.addDataPoints(NumberDataPoint.newBuilder()
                    .setStartTimeUnixNano(1_700_000_000_000_000_000L)
                    .setTimeUnixNano(1_700_000_000_000_000_000L + value * 1_000_000_000)
                    .setAsInt(value)
                    .addAttributes(attribute("method", "GET"))
                    .addAttributes(attribute("route", "/carts/" + i))
                    .addAttributes(attribute("status", "200")));
        }
        return ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder()
                        .setResource(Resource.newBuilder().addAttributes(attribute("service.name", "shop")))
                        .addScopeMetrics(ScopeMetrics.newBuilder()
                                .addMetrics(Metric.newBuilder()
                                        .setName(isMonotonic ? "http.requests" : "http.open")
                                        .setSum(sum))))
                .build()
                .toByteArray();
    }

    private static void datagrams(List<byte[]> datagrams, long value) {
        datagrams.clear();
        DatagramWriter writer = new DatagramWriter(8192);
        for (int i = 0; i < SERIES; i++) {
            if (i % LINES == 0) {
                writer.clear();
                writer.from("bench-0123456789abcdef".getBytes(ISO_8859_1), 60_000, value * SERIES + i);
            }
            byte[] name = ("lines.requests,method=GET,route=/carts/" + i + ",status=200").getBytes(ISO_8859_1);
            writer.command(Verb.INCREMENT, name, 1, value);
            if (i % LINES == LINES - 1) {
                datagrams.add(Arrays.copyOf(writer.buffer(), writer.length()));
            }
        }
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
