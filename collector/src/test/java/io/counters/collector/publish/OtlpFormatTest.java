package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.SeriesMarks;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OtlpFormatTest {
    private static final long SECOND = 1_700_000_010;
    private static final int CREATED = 1_600_000_000;

    private final OtlpFormat format = new OtlpFormat(new Series("shop.", List.of(new Series.Tag("dc", "fra"))));

    private static Snapshot snapshot(int created, int[] marks, String... names) {
        Snapshot values = RemoteWriteFormatTest.snapshot(marks, names);
        Snapshot.Facts facts = Objects.requireNonNull(values.facts());
        Arrays.fill(facts.createdSeconds(), created);
        return values;
    }

    private static ExportMetricsServiceRequest request(byte[] body) throws IOException {
        return ExportMetricsServiceRequest.parseFrom(new GZIPInputStream(new ByteArrayInputStream(body)));
    }

    /** Each point as {@code metric,tag=value monotonic value}. */
    static List<String> points(byte[] body) throws IOException {
        List<String> points = new ArrayList<>();
        for (var metric : OtlpFormat.metrics(body)) {
            metric.getSum().getDataPointsList().forEach(point -> {
                StringBuilder text = new StringBuilder(metric.getName());
                point.getAttributesList()
                        .forEach(tag -> text.append(',')
                                .append(tag.getKey())
                                .append('=')
                                .append(tag.getValue().getStringValue()));
                points.add(text.append(metric.getSum().getIsMonotonic() ? " + " : " - ")
                        .append(point.getAsInt())
                        .toString());
            });
        }
        return points;
    }

    @Test
    void a_body_is_a_request_of_otlp() throws Exception {
        byte[] body = format.pack(SECOND, snapshot(CREATED, new int[] {0}, "orders.placed,method=card"), 0, 1);

        assertThat(request(body)).isEqualTo(TextFormat.parse("""
                        resource_metrics {
                          resource { attributes { key: "service.name" value { string_value: "counters" } } }
                          scope_metrics {
                            scope { name: "io.counters" }
                            metrics {
                              name: "shop.orders.placed"
                              sum {
                                data_points {
                                  attributes { key: "method" value { string_value: "card" } }
                                  attributes { key: "dc" value { string_value: "fra" } }
                                  start_time_unix_nano: 1599999940000000000
                                  time_unix_nano: 1700000010000000000
                                  as_int: 1
                                }
                                aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE
                                is_monotonic: true
                              }
                            }
                          }
                        }
                        """, ExportMetricsServiceRequest.class));
    }

    @Test
    void counters_of_a_metric_are_together_and_a_decremented_metric_is_not_monotonic() throws Exception {
        int gauge = SeriesMarks.GAUGE;
        byte[] body = format.pack(
                SECOND,
                snapshot(CREATED, new int[] {0, gauge, 0, gauge}, "a,x=1", "carts,x=1", "a,dc=own", "carts,x=2"),
                0,
                4);

        assertThat(OtlpFormat.metrics(body)).hasSize(2);
        assertThat(points(body))
                .containsExactly(
                        "shop.a,x=1,dc=fra + 1",
                        "shop.a,dc=own + 3",
                        "shop.carts,x=1,dc=fra - 2",
                        "shop.carts,x=2,dc=fra - 4");
    }

    /** Otherwise both would be one series, whose value jumps between two totals. */
    @Test
    void a_counter_with_the_tag_that_all_get_is_another_series() throws Exception {
        byte[] body = format.pack(SECOND, snapshot(CREATED, new int[] {0, 0, 0}, "a", "a,dc=fra", "a,dc=own"), 0, 3);

        assertThat(points(body))
                .containsExactly("shop.a,dc=fra + 1", "shop.a,exported_dc=fra,dc=fra + 2", "shop.a,dc=own + 3");
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1700000000, 1699999940", "1700000069, 1700000009", "1700000070, 0"})
    void a_series_begins_before_its_first_point_or_at_a_time_that_is_not_known(int created, long start)
            throws Exception {
        byte[] body = format.pack(SECOND, snapshot(created, new int[] {0}, "a"), 0, 1);

        assertThat(OtlpFormat.metrics(body).get(0).getSum().getDataPoints(0).getStartTimeUnixNano())
                .isEqualTo(start * 1_000_000_000);
    }

    @Test
    void a_body_is_divided_without_a_loss() throws Exception {
        int gauge = SeriesMarks.GAUGE;
        byte[] body = format.pack(
                SECOND,
                snapshot(CREATED, new int[] {0, gauge, 0, gauge, 0}, "a", "b", "a,x=1", "b,x=1", "a,x=2"),
                0,
                5);

        List<Outcome.Rest> halves = format.halves(body);

        assertThat(halves).extracting(Outcome.Rest::points).containsExactly(2, 3);
        List<String> joined = new ArrayList<>();
        for (Outcome.Rest half : halves) {
            assertThat(points(Objects.requireNonNull(half.body()))).hasSize(half.points());
            joined.addAll(points(Objects.requireNonNull(half.body())));
        }
        assertThat(joined).isEqualTo(points(body));
        assertThat(format.first(Objects.requireNonNull(halves.get(1).body()))).isEqualTo("shop.a,x=2,dc=fra");
    }

    private Answer read(int status, String text) throws IOException {
        return format.read(status, Duration.ofSeconds(3), BoundedText.of(text), 5);
    }

    private static String message(long rejected, String error) {
        return new String(
                ExportMetricsServiceResponse.newBuilder()
                        .setPartialSuccess(ExportMetricsPartialSuccess.newBuilder()
                                .setRejectedDataPoints(rejected)
                                .setErrorMessage(error))
                        .build()
                        .toByteArray(),
                ISO_8859_1);
    }

    @Test
    void a_partial_success_says_how_many_points_were_rejected() throws Exception {
        assertThat(read(200, "")).isEqualTo(new Answer.Taken());
        assertThat(read(200, message(0, ""))).isEqualTo(new Answer.Taken());
        assertThat(read(200, "{}")).isEqualTo(new Answer.Taken());
        assertThat(read(200, message(3, "too many series"))).isEqualTo(new Answer.Partial(3, "too many series"));
        assertThat(read(200, message(0, "a remark"))).isEqualTo(new Answer.Partial(0, "a remark"));
        assertThat(read(200, "{\"partialSuccess\":{\"rejectedDataPoints\":\"3\",\"errorMessage\":\"no\"}}"))
                .isEqualTo(new Answer.Partial(3, "no"));
    }

    @ParameterizedTest
    @CsvSource({
        "200, <html>,          Partial",
        "429, slow down,       Trouble",
        "502, bad,             Trouble",
        "503, later,           Trouble",
        "504, timeout,         Trouble",
        "302, to a login,      Trouble",
        "413, too large,       TooLarge",
        "400, out of order,    out_of_order true",
        "400, bad,             status_400 true",
        "401, no,              Trouble",
        "500, broken,          status_500 false",
    })
    void answers_mean(int status, String text, String meaning) throws Exception {
        Answer answer = read(status, text);

        assertThat(
                        answer instanceof Answer.Refused refused
                                ? refused.reason() + " " + refused.isOfPoints()
                                : answer.getClass().getSimpleName())
                .isEqualTo(meaning);
    }

    @Test
    void the_reason_of_an_error_is_read_from_its_message() throws Exception {
        // google.rpc.Status: 1 code, 2 message.
        assertThat(read(400, "\u0008\u0003\u0012\u0009bad point"))
                .isEqualTo(new Answer.Refused("status_400", "it answered 400: bad point", true));
    }
}
