package io.counters.collector.otlp;

import static io.counters.collector.otlp.Exports.attribute;
import static io.counters.collector.otlp.Exports.cumulative;
import static io.counters.collector.otlp.Exports.cumulativeUpDown;
import static io.counters.collector.otlp.Exports.delta;
import static io.counters.collector.otlp.Exports.point;
import static io.counters.collector.otlp.Exports.times;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.util.JsonFormat;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.common.v1.AnyValue;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.ExponentialHistogram;
import io.opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Gauge;
import io.opentelemetry.proto.metrics.v1.Histogram;
import io.opentelemetry.proto.metrics.v1.HistogramDataPoint;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.Summary;
import io.opentelemetry.proto.metrics.v1.SummaryDataPoint;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How requests are read and answered, what is rejected, and which names series get. */
class OtlpRequestsTest {
    private static final String PROTOBUF = "application/x-protobuf";
    private static final String JSON = "application/json";

    /** As the specification's example has it: 64-bit numbers as text or as numbers, enums as numbers, IDs in hexadecimal. */
    private static final String EXPORT = """
            {"resourceMetrics": [{"resource": {"attributes": [
              {"key": "service.name", "value": {"stringValue": "shop"}},
              {"key": "service.instance.id", "value": {"stringValue": "a"}}]},
             "scopeMetrics": [{"scope": {"name": "lib", "version": "1.0"}, "metrics": [
              {"name": "orders", "unit": "1", "description": "d", "sum": {
                "aggregationTemporality": 2, "isMonotonic": true, "somethingNew": [1, {}],
                "dataPoints": [
                  {"asInt": "3", "startTimeUnixNano": "1000000000000", "timeUnixNano": "1010000000000",
                   "attributes": [{"key": "method", "value": {"stringValue": "card"}}],
                   "exemplars": [{"asInt": 1, "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174"}]},
                  {"asDouble": 4, "startTimeUnixNano": 1000000000000, "timeUnixNano": 1010000000000,
                   "attributes": [{"key": "method", "value": {"stringValue": "cash"}}]}]}}]}]}]}
            """;

    private static NumberDataPoint good() {
        return point(1_000, 1_010, 1);
    }

    /** One metric that breaks each rule, by the description, which has the reason. */
    private static List<Metric> bad() {
        AggregationTemporality cumulative = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE;
        return List.of(
                of(
                        "gauge",
                        Metric.newBuilder()
                                .setName("g")
                                .setGauge(Gauge.newBuilder().addDataPoints(good()))),
                of(
                        "histogram",
                        Metric.newBuilder()
                                .setName("h")
                                .setHistogram(Histogram.newBuilder().addDataPoints(HistogramDataPoint.newBuilder()))),
                of(
                        "histogram",
                        Metric.newBuilder()
                                .setName("e")
                                .setExponentialHistogram(ExponentialHistogram.newBuilder()
                                        .addDataPoints(ExponentialHistogramDataPoint.newBuilder()))),
                of(
                        "summary",
                        Metric.newBuilder()
                                .setName("s")
                                .setSummary(Summary.newBuilder().addDataPoints(SummaryDataPoint.newBuilder()))),
                of(
                        "temporality",
                        Exports.sum("t", AggregationTemporality.AGGREGATION_TEMPORALITY_UNSPECIFIED, true, good())
                                .toBuilder()),
                of("no_value", cumulative("v", times(1_000, 1_010).build()).toBuilder()),
                of("negative", cumulative("n", point(1_000, 1_010, -1)).toBuilder()),
                of("negative", delta("n", point(1_000, 1_010, -1.0)).toBuilder()),
                of("not_finite", cumulative("f", point(1_000, 1_010, Double.NaN)).toBuilder()),
                of("fraction", delta("d", point(1_000, 1_010, 0.5)).toBuilder()),
                of("too_large", delta("l", point(1_000, 1_010, (1L << 53) + 1)).toBuilder()),
                of("too_large", cumulative("l", point(1_000, 1_010, 1e16)).toBuilder()),
                of("too_large", cumulativeUpDown("l", point(1_000, 1_010, -(1L << 51) - 1)).toBuilder()),
                of("no_start", cumulativeUpDown("o", point(0, 1_010, 1)).toBuilder()),
                of("time", cumulative("o", point(1_011, 1_010, 1)).toBuilder()),
                of("time", cumulative("o", point(1_000, 0, 1)).toBuilder()),
                of("empty_name", Exports.sum("", cumulative, true, good()).toBuilder()),
                of("name_too_long", cumulative("x".repeat(251), good()).toBuilder()),
                of("too_old", cumulativeUpDown("o", point(1, 86_400 * 401, 1)).toBuilder()),
                of("two_writers", cumulative("good", point(1_000, 1_020, 0), point(1_000, 1_030, 1)).toBuilder()),
                of("point_too_large", cumulative("x", point(1, 2, 3, "k", "v".repeat(1 << 16))).toBuilder()));
    }

    private static Metric of(String reason, Metric.Builder metric) {
        return metric.setDescription(reason).build();
    }

    @Test
    void what_cannot_be_counted_is_rejected_alone_and_counted_by_reason() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            for (Metric metric : bad()) {
                String reason = metric.getDescription();
                long before = served.counted("otlp_rejected_points_total{reason=\"" + reason + "\"}");

                var answer = served.send(Exports.request("a", cumulative("good", good()), metric));

                assertThat(answer.getPartialSuccess().getRejectedDataPoints())
                        .as(reason)
                        .isEqualTo(1);
                assertThat(answer.getPartialSuccess().getErrorMessage())
                        .contains("1 " + reason + " (")
                        .contains(PointRejection.valueOf(reason.toUpperCase(Locale.ROOT))
                                .rule());
                assertThat(served.counted("otlp_rejected_points_total{reason=\"" + reason + "\"}"))
                        .isEqualTo(before + 1);
            }
            assertThat(served.ledger.size()).isEqualTo(1);
            assertThat(served.value("good")).isEqualTo(1);
            assertThat(bad().stream().map(Metric::getDescription).distinct()).hasSize(PointRejection.values().length);
        }
    }

    @Test
    void json_protobuf_and_gzip_are_the_same() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            ExportMetricsServiceRequest.Builder message = ExportMetricsServiceRequest.newBuilder();
            JsonFormat.parser().ignoringUnknownFields().merge(EXPORT, message);

            HttpResponse<byte[]> json = served.post(EXPORT.getBytes(UTF_8), "Content-Type", JSON + "; charset=utf-8");
            HttpResponse<byte[]> zipped = served.post(
                    ServedLedger.gzip(message.build().toByteArray()),
                    "Content-Type",
                    PROTOBUF,
                    "Content-Encoding",
                    "gzip");
            served.send(message.build());

            assertThat(json.statusCode()).as(new String(json.body(), UTF_8)).isEqualTo(200);
            assertThat(json.headers().firstValue("Content-Type")).contains(JSON);
            assertThat(new String(json.body(), UTF_8)).isEqualTo("{}");
            assertThat(zipped.statusCode()).isEqualTo(200);
            assertThat(zipped.headers().firstValue("Content-Type")).contains(PROTOBUF);
            assertThat(served.value("orders,method=card")).isEqualTo(3);
            assertThat(served.value("orders,method=cash")).isEqualTo(4);
        }
    }

    @Test
    void a_json_answer_has_the_partial_success() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            String gauge = EXPORT.replace("\"sum\"", "\"gauge\"");

            String answer = new String(
                    served.post(gauge.getBytes(UTF_8), "Content-Type", JSON).body(), UTF_8);

            assertThat(answer)
                    .startsWith(
                            "{\"partialSuccess\":{\"rejectedDataPoints\":\"2\",\"errorMessage\":\"data points that");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "application/x-protobuf, '', 'no protobuf', 400, is not an ExportMetricsServiceRequest",
        "application/x-protobuf, gzip, 'no gzip', 400, is not valid gzip",
        "application/x-protobuf, br, '', 415, allowed are gzip and identity",
        "application/json, '', '{\"resourceMetrics\": 3}', 400, is not an ExportMetricsServiceRequest",
        "application/json, '', '[', 400, is not an ExportMetricsServiceRequest",
        "text/plain, '', 'a', 415, the two of OTLP",
    })
    void what_cannot_be_read_is_answered_with_a_status(
            String type, String encoding, String body, int status, String message) throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            HttpResponse<byte[]> answer = encoding.isEmpty()
                    ? served.post(body.getBytes(UTF_8), "Content-Type", type)
                    : served.post(body.getBytes(UTF_8), "Content-Type", type, "Content-Encoding", encoding);

            assertThat(answer.statusCode()).isEqualTo(status);
            String text = new String(answer.body(), UTF_8);
            if (type.equals(JSON)) {
                assertThat(text).startsWith("{\"code\":3,\"message\":\"").contains(message);
            } else {
                CodedInputStream in = CodedInputStream.newInstance(answer.body());
                assertThat(in.readTag()).isEqualTo(1 << 3);
                assertThat(in.readInt32()).isEqualTo(3);
                assertThat(in.readTag()).isEqualTo(2 << 3 | 2);
                assertThat(in.readString()).contains(message);
            }
        }
    }

    @Test
    void a_request_whose_lines_are_not_kept_is_to_be_sent_again_and_counts_once() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            byte[] body = Exports.request("a", delta("orders", good())).toByteArray();
            served.keeps = false;

            HttpResponse<byte[]> answer = served.post(body, "Content-Type", PROTOBUF);
            served.keeps = true;
            HttpResponse<byte[]> again = served.post(body, "Content-Type", PROTOBUF);

            assertThat(answer.statusCode()).isEqualTo(429);
            assertThat(answer.headers().firstValue("Retry-After")).contains("5");
            assertThat(again.statusCode()).isEqualTo(200);
            assertThat(served.value("orders")).isEqualTo(1);
            assertThat(served.said.lines()).hasSize(1);
        }
    }

    @Test
    void no_body_is_larger_than_the_memory_for_it_not_even_decompressed() throws Exception {
        OtlpSettings small = new OtlpSettings(0, List.of("*"), List.of(), 1 << 20, 250);
        try (ServedLedger served = new ServedLedger(small)) {
            byte[] bomb = ServedLedger.gzip(new byte[10 << 20]);

            assertThat(bomb.length).isLessThan(small.bodyBytesMax());
            assertThat(served.post(bomb, "Content-Type", PROTOBUF, "Content-Encoding", "gzip")
                            .statusCode())
                    .isEqualTo(413);
            assertThat(served.post(new byte[small.bodyBytesMax() + 1], "Content-Type", PROTOBUF)
                            .statusCode())
                    .isEqualTo(413);
            assertThat(small.jsonBytesMax()).isLessThan(small.bodyBytesMax());
            assertThat(served.post(new byte[small.jsonBytesMax() + 1], "Content-Type", JSON)
                            .statusCode())
                    .isEqualTo(413);
            assertThat(served.post(new byte[small.jsonBytesMax()], "Content-Type", JSON)
                            .statusCode())
                    .isEqualTo(400);
            assertThat(served.post(new byte[small.jsonBytesMax() + 1], "Content-Type", JSON, "Content-Encoding", "gzip")
                            .statusCode())
                    .isEqualTo(400);
            assertThat(served.post(
                                    ServedLedger.gzip(new byte[small.jsonBytesMax() + 1]),
                                    "Content-Type",
                                    JSON,
                                    "Content-Encoding",
                                    "gzip")
                            .statusCode())
                    .isEqualTo(413);
            served.send(Exports.request("a", cumulative("orders", good())));
            assertThat(served.value("orders")).isEqualTo(1);
        }
    }

    @Test
    void json_has_a_part_of_the_memory_and_a_bound_on_any_heap() {
        assertThat(new OtlpSettings(0, List.of("*"), List.of(), 1L << 26, 250).jsonBytesMax())
                .isEqualTo(1 << 21);
        assertThat(new OtlpSettings(0, List.of("*"), List.of(), 1L << 40, 250).jsonBytesMax())
                .isEqualTo(1 << 22);
    }

    @ParameterizedTest
    @CsvSource({"sum, '{},'", "histogram, '{},'", "sum, '[],'", "sum, '1,'"})
    void json_that_needs_much_more_memory_than_its_text_is_refused_before_it_is_converted(String kind, String value)
            throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            String body = "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"n\",\"" + kind
                    + "\":{\"dataPoints\":[" + value.repeat(40_000) + "{}]}}]}]}]}";

            HttpResponse<byte[]> answer = served.post(
                    ServedLedger.gzip(body.getBytes(UTF_8)), "Content-Type", JSON, "Content-Encoding", "gzip");

            assertThat(answer.statusCode()).isEqualTo(413);
            assertThat(new String(answer.body(), UTF_8))
                    .contains(
                            "converting this JSON needs more memory than the",
                            "send protobuf (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf) or smaller batches, or raise"
                                    + " --otlp-memory");
            assertThat(served.said.lines()).singleElement().asString().contains("answered with 413", "--otlp-memory");
            assertThat(served.counted("otlp_too_large_requests_total")).isEqualTo(1);
        }
    }

    @Test
    void an_export_in_json_with_all_metrics_of_a_program_is_taken_on_a_small_heap() throws Exception {
        OtlpSettings small = new OtlpSettings(0, List.of("*"), List.of(), (256 << 20) / 10, 250);
        try (ServedLedger served = new ServedLedger(small)) {
            NumberDataPoint[] points = IntStream.range(0, 1_000)
                    .mapToObj(i -> point(
                            1_000,
                            1_010,
                            i,
                            "http.request.method",
                            "GET",
                            "http.route",
                            "/api/orders/" + i,
                            "http.response.status_code",
                            "200"))
                    .toArray(NumberDataPoint[]::new);
            String body = JsonFormat.printer()
                    .omittingInsignificantWhitespace()
                    .print(Exports.request("a", cumulative("requests", points)));

            HttpResponse<byte[]> answer = served.post(body.getBytes(UTF_8), "Content-Type", JSON);

            assertThat(body.length()).isGreaterThan(280_000);
            assertThat(answer.statusCode()).as(new String(answer.body(), UTF_8)).isEqualTo(200);
            assertThat(served.ledger.size()).isEqualTo(1_000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\u0661", "\\u0031"})
    void a_number_in_json_has_no_more_digits_than_are_soon_read(String digit) throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            String body = EXPORT.replace("\"asInt\": \"3\"", "\"asInt\": \"" + digit.repeat(10_001) + "\"");

            HttpResponse<byte[]> answer = served.post(body.getBytes(UTF_8), "Content-Type", JSON);

            assertThat(answer.statusCode()).isEqualTo(400);
            assertThat(new String(answer.body(), UTF_8))
                    .contains("more than 10000 digits or escaped characters follow each other");
        }
    }

    @Test
    void many_small_points_get_no_more_memory_than_there_is_and_the_next_request_counts() throws Exception {
        OtlpSettings small = new OtlpSettings(0, List.of("*"), List.of(), 1 << 20, 250);
        try (ServedLedger served = new ServedLedger(small)) {
            NumberDataPoint[] points = IntStream.range(0, 3_000)
                    .mapToObj(i -> point(i, 10_000 + i, 1))
                    .toArray(NumberDataPoint[]::new);

            for (Metric metric : List.of(delta("d", points), cumulative("n".repeat(240), points))) {
                HttpResponse<byte[]> answer = served.post(
                        ServedLedger.gzip(Exports.request("a", metric).toByteArray()),
                        "Content-Type",
                        PROTOBUF,
                        "Content-Encoding",
                        "gzip");
                assertThat(answer.statusCode()).isEqualTo(413);
                assertThat(new String(answer.body(), UTF_8)).contains("the data points need more memory");
            }
            assertThat(served.counted("otlp_too_large_requests_total")).isEqualTo(2);
            assertThat(served.ledger.size()).isZero();
            served.send(Exports.request("a", cumulative("orders", good())));
            assertThat(served.value("orders")).isEqualTo(1);
            assertThat(served.ledger.size()).isEqualTo(1);
        }
    }

    @Test
    void metrics_do_not_wait_for_a_request_that_is_converted() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            CompletableFuture<Long> series = new CompletableFuture<>();
            served.taking = () -> series.completeAsync(() -> served.counted("otlp_series"))
                    .orTimeout(20, TimeUnit.SECONDS)
                    .exceptionally(late -> -1L)
                    .join();

            served.send(Exports.request("a", cumulative("orders", good())));

            assertThat(series).isCompletedWithValue(1L);
        }
    }

    @Test
    void a_field_of_another_type_is_malformed() throws Exception {
        for (int field : new int[] {Metric.NAME_FIELD_NUMBER, Metric.SUM_FIELD_NUMBER}) {
            // Resource metrics, their scope metrics, and a metric whose field is a number.
            byte[] body = {0x0a, 6, 0x12, 4, 0x12, 2, (byte) (field << 3), 1};
            try (ServedLedger served = new ServedLedger()) {
                assertThat(served.post(body, "Content-Type", PROTOBUF).statusCode())
                        .isEqualTo(400);
                assertThat(served.counted("otlp_malformed_requests_total")).isEqualTo(1);
            }
        }
    }

    @Test
    void attributes_become_tags_except_those_of_an_instance() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            served.send(Exports.request(
                    "a",
                    cumulative(
                            "http.requests",
                            times(1_000, 1_010, "method", "GET", "host.name", "h1", "process.pid", "7", "empty", "")
                                    .addAttributes(number("status", 200))
                                    .setAsInt(1)
                                    .build(),
                            point(1_000, 1_010, 2, "a b", "\u00fc|x,y:z"),
                            point(1_000, 1_010, 4, "a_b", "___x_y_z"),
                            point(
                                    1_000, 1_010, 8, "h", "1", "g", "1", "f", "1", "e", "1", "d", "1", "c", "1", "b",
                                    "1", "a", "1"),
                            point(
                                    1_000, 1_010, 8, "h", "2", "g", "1", "f", "1", "e", "1", "d", "1", "c", "1", "b",
                                    "1", "a", "1"))));

            assertThat(served.value("http.requests,method=GET,status=200")).isEqualTo(1);
            assertThat(served.value("http.requests,a_b=__x_y_z")).isEqualTo(2);
            assertThat(served.value("http.requests,a_b=___x_y_z")).isEqualTo(4);
            assertThat(served.value("http.requests,a=1,b=1,c=1,d=1,e=1,f=1,g=1"))
                    .isEqualTo(16);
        }
    }

    @Test
    void series_of_one_name_are_added_up_whatever_distinguishes_them() throws Exception {
        try (ServedLedger served = new ServedLedger()) {
            Metric bytes = cumulative("n", point(1_000, 1_010, 16)).toBuilder()
                    .setUnit("By")
                    .build();
            served.send(Exports.request(
                    "a",
                    cumulative(
                            "n",
                            point(1_000, 1_010, 1, "host.name", "h1"),
                            point(1_000, 1_010, 2, "host.name", "h2"),
                            point(1_000, 1_010, 4),
                            point(1_000, 1_010, 8, "k", "v w"),
                            point(1_000, 1_010, 8, "k", "v-w")),
                    bytes));
            served.send(Exports.request("a", cumulative("n", point(1_000, 1_020, 3, "host.name", "h2"))));

            assertThat(served.value("n")).isEqualTo(1 + 3 + 4 + 16);
            assertThat(served.value("n,k=v_w")).isEqualTo(8);
        }
    }

    @Test
    void listed_attributes_of_point_or_resource_are_the_only_tags() throws Exception {
        try (ServedLedger served = new ServedLedger("service.name", "method")) {
            served.send(Exports.request(
                    "a",
                    cumulative(
                            "n",
                            point(1_000, 1_010, 1, "method", "GET", "route", "/a"),
                            point(1_000, 1_010, 2, "method", "GET", "route", "/b"))));
            served.send(
                    Exports.request("b", delta("d", point(1_000, 1_010, 4, "route", "/a"), point(1_000, 1_010, 4))));

            assertThat(served.value("n,method=GET,service.name=shop")).isEqualTo(3);
            assertThat(served.value("d,service.name=shop")).isEqualTo(8);
        }
    }

    private static KeyValue number(String key, long value) {
        return attribute(key, "").toBuilder()
                .setValue(AnyValue.newBuilder().setIntValue(value))
                .build();
    }
}
