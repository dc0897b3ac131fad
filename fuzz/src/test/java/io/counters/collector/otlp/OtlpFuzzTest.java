package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.util.JsonFormat;
import io.counters.collector.http.InventedRequests;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.MemoryLedger;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import io.opentelemetry.proto.metrics.v1.Sum;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.provider.MethodSource;

/** The body of an OTLP request, after a byte that says how it is written. */
@Tag("once")
@Tag("slow")
class OtlpFuzzTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long NOW = 1_000 * SECOND;

    private static Metric sum(String name, AggregationTemporality temporality, boolean isMonotonic, long... values) {
        Sum.Builder sum =
                Sum.newBuilder().setAggregationTemporality(temporality).setIsMonotonic(isMonotonic);
        for (int i = 0; i < values.length; i++) {
            sum.addDataPoints(NumberDataPoint.newBuilder()
                    .setStartTimeUnixNano(900 * SECOND)
                    .setTimeUnixNano((910 + i) * SECOND)
                    .setAsInt(values[i])
                    .addAttributes(KeyValue.newBuilder()
                            .setKey("method")
                            .setValue(AnyValue.newBuilder().setStringValue("card"))));
        }
        return Metric.newBuilder().setName(name).setUnit("1").setSum(sum).build();
    }

    private static ExportMetricsServiceRequest request(Metric... metrics) {
        return ExportMetricsServiceRequest.newBuilder()
                .addResourceMetrics(ResourceMetrics.newBuilder()
                        .addScopeMetrics(ScopeMetrics.newBuilder().addAllMetrics(Arrays.asList(metrics))))
                .build();
    }

    static Stream<byte[]> seeds() throws IOException {
        AggregationTemporality cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE;
        AggregationTemporality delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
        List<byte[]> seeds = new ArrayList<>();
        for (ExportMetricsServiceRequest request : List.of(
                request(sum("up", cumulative, true, 1, 5, 9)),
                request(sum("reset", cumulative, true, 7, 2, 3), sum("both", cumulative, false, 5, -3, 4)),
                request(sum("delta", delta, true, 1, 2), sum("down", delta, false, -4, 6, 0)),
                request(Metric.newBuilder()
                        .setName("gauge")
                        .setGauge(Gauge.newBuilder()
                                .addDataPoints(NumberDataPoint.newBuilder().setAsDouble(1.5)))
                        .build()))) {
            seeds.add(body('p', request.toByteArray()));
            seeds.add(body('j', JsonFormat.printer().print(request).getBytes(UTF_8)));
            ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
            try (GZIPOutputStream out = new GZIPOutputStream(gzipped)) {
                out.write(request.toByteArray());
            }
            seeds.add(body('g', gzipped.toByteArray()));
        }
        return seeds.stream();
    }

    private static byte[] body(char kind, byte[] of) {
        byte[] bytes = new byte[of.length + 1];
        bytes[0] = (byte) kind;
        System.arraycopy(of, 0, bytes, 1, of.length);
        return bytes;
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "resourceMetrics",
        "scopeMetrics",
        "dataPoints",
        "aggregationTemporality",
        "startTimeUnixNano",
        "asDouble",
        "asInt",
        "isMonotonic",
        "NaN",
        "1e308"
    })
    @FuzzTest(maxDuration = "10s")
    void a_request_is_answered_and_the_same_request_again_changes_no_count(byte[] bytes) {
        if (bytes.length == 0) {
            return;
        }
        MemoryLedger kept = new MemoryLedger();
        Route route = route(kept);
        Request request = InventedRequests.post(
                "/v1/metrics",
                Arrays.copyOfRange(bytes, 1, bytes.length),
                "Content-Type",
                bytes[0] == 'j' ? "application/json" : "application/x-protobuf",
                "Content-Encoding",
                bytes[0] == 'g' ? "gzip" : "identity");

        int status = InventedRequests.status(route, request);
        SortedMap<String, Long> values = kept.values();
        int again = InventedRequests.status(route, request);

        assertThat(status).isIn(200, 400, 413);
        assertThat(again).isEqualTo(status);
        assertThat(kept.values()).as("the same request again").isEqualTo(values);
        assertThat(kept.reloaded()).isEqualTo(values);
        if (status != 200) {
            assertThat(values).isEmpty();
        }
    }

    private static Route route(MemoryLedger kept) {
        return new OtlpRoute(
                        new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250),
                        LineTarget.of(kept.ledger),
                        lines -> {
                            boolean isTaken = kept.ledger.batch(lines);
                            return () -> isTaken ? Kept.ALL : Kept.NO_ROOM;
                        },
                        true,
                        new Random(2),
                        () -> Instant.ofEpochSecond(NOW / SECOND),
                        kept.faults,
                        kept.metrics)
                .route();
    }
}
