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
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The body of an OTLP request, after a byte that says how it is written: p in protobuf, j in JSON, g in protobuf that the target
 * gzips, z in gzip.
 */
@Tag("once")
@Tag("slow")
class OtlpFuzzTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long NOW = 1_000 * SECOND;

    /** There is memory for what is made of so many bytes. */
    private static final int BODY_BYTES_MAX = 8 << 10;

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

    /** Requests, and what they count. */
    private static Map<ExportMetricsServiceRequest, Map<String, Long>> requests() {
        AggregationTemporality cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE;
        AggregationTemporality delta = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
        return Map.of(
                request(sum("up", cumulative, true, 1, 5, 9)),
                Map.of("up,method=card", 9L),
                request(sum("reset", cumulative, true, 7, 2, 3), sum("both", cumulative, false, 5, -3, 4)),
                Map.of("reset,method=card", 10L, "both,method=card", 4L),
                request(sum("delta", delta, true, 1, 2), sum("down", delta, false, -4, 6, 0)),
                Map.of("delta,method=card", 3L, "down,method=card", 2L));
    }

    static Stream<byte[]> seeds() throws IOException {
        List<ExportMetricsServiceRequest> requests = new ArrayList<>(requests().keySet());
        requests.add(request(Metric.newBuilder()
                .setName("gauge")
                .setGauge(Gauge.newBuilder()
                        .addDataPoints(NumberDataPoint.newBuilder().setAsDouble(1.5)))
                .build()));
        List<byte[]> seeds = new ArrayList<>();
        for (ExportMetricsServiceRequest request : requests) {
            seeds.add(body('p', request.toByteArray()));
            seeds.add(body('g', request.toByteArray()));
            seeds.add(body('j', JsonFormat.printer().print(request).getBytes(UTF_8)));
            seeds.add(body('z', gzip(request.toByteArray())));
        }
        return seeds.stream();
    }

    private static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream gzipped = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(gzipped)) {
            out.write(plain);
        } catch (IOException inMemory) {
            throw new UncheckedIOException(inMemory);
        }
        return gzipped.toByteArray();
    }

    @Test
    void the_seeds_count_what_their_points_say_and_the_plain_reading_says_the_same() {
        requests().forEach((request, values) -> {
            MemoryLedger kept = new MemoryLedger();

            assertThat(InventedRequests.status(route(kept), post('p', request.toByteArray())))
                    .isEqualTo(200);
            assertThat(kept.values()).isEqualTo(values);
            assertThat(PlainOtlp.values(request)).contains(new TreeMap<>(values));
        });
    }

    private static Request post(char kind, byte[] body) {
        return InventedRequests.post(
                "/v1/metrics",
                kind == 'g' ? gzip(body) : body,
                "Content-Type",
                kind == 'j' ? "application/json" : "application/x-protobuf",
                "Content-Encoding",
                kind == 'g' || kind == 'z' ? "gzip" : "identity");
    }

    /** The sums of the points, if this is a request of which they are known, in the only form in which it can be written. */
    private static Optional<SortedMap<String, Long>> expected(char kind, byte[] body) {
        try {
            ExportMetricsServiceRequest.Builder request = ExportMetricsServiceRequest.newBuilder();
            if (kind == 'j') {
                JsonFormat.parser().merge(new String(body, UTF_8), request);
            } else {
                request.mergeFrom(body);
            }
            ExportMetricsServiceRequest read = request.build();
            return kind == 'j' || (kind != 'z' && Arrays.equals(read.toByteArray(), body))
                    ? PlainOtlp.values(read)
                    : Optional.empty();
        } catch (IOException | IllegalArgumentException | IllegalStateException malformed) {
            return Optional.empty();
        }
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
        char kind = (char) bytes[0];
        byte[] body = Arrays.copyOfRange(bytes, 1, bytes.length);
        Request request = post(kind, body);

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
        if (body.length <= BODY_BYTES_MAX) {
            expected(kind, body).ifPresent(sums -> {
                assertThat(status).isEqualTo(200);
                assertThat(values).as("the sums of the points").isEqualTo(sums);
            });
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
