package io.counters.collector.otlp;

import static io.counters.collector.otlp.Exports.cumulative;
import static io.counters.collector.otlp.Exports.cumulativeUpDown;
import static io.counters.collector.otlp.Exports.delta;
import static io.counters.collector.otlp.Exports.deltaUpDown;
import static io.counters.collector.otlp.Exports.point;
import static io.counters.collector.otlp.Exports.request;
import static io.counters.collector.otlp.Exports.times;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.LedgerSettings;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is counted of sums, whatever happens to the requests. */
@Tag("once")
@Tag("slow")
class OtlpCountingTest {
    private static final String NAME = "orders";

    private ServedLedger served;

    @BeforeEach
    void open() throws Exception {
        served = new ServedLedger();
    }

    @AfterEach
    void close() {
        assertThat(served.said.lines()).isEmpty();
        served.close();
    }

    @Test
    void a_lost_a_repeated_and_a_late_request_change_nothing() throws Exception {
        var first = request("a", cumulative(NAME, point(1_000, 1_010, 3)));
        var second = request("a", cumulative(NAME, point(1_000, 1_020, 5)));
        var fourth = request("a", cumulative(NAME, point(1_000, 1_040, 9)));

        served.send(first);
        served.send(fourth);
        served.send(fourth);
        served.send(second);
        served.send(first);

        assertThat(served.value(NAME)).isEqualTo(9);
        assertThat(served.counted("otlp_late_points_total")).isEqualTo(2);
    }

    @Test
    void the_sum_goes_on_when_a_pod_is_restarted_or_another_one_begins() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 3, "method", "card"))));
        served.send(request("b", cumulative(NAME, point(1_000, 1_010, 4, "method", "card"))));
        served.send(request("a", cumulative(NAME, point(1_020, 1_030, 2, "method", "card"))));

        assertThat(served.value("orders,method=card")).isEqualTo(9);
    }

    @Test
    void a_lower_value_with_the_same_start_is_a_reset() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 100))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_020, 3))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 100))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_030, 5))));

        assertThat(served.value(NAME)).isEqualTo(105);
        assertThat(served.counted("otlp_resets_total")).isEqualTo(1);
    }

    @Test
    void a_late_point_from_before_a_reset_changes_nothing() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 100))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_030, 10))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_020, 110))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_040, 15))));

        assertThat(served.value(NAME)).isEqualTo(115);
        assertThat(served.counted("otlp_resets_total")).isEqualTo(1);
    }

    @Test
    void what_comes_after_a_reset_began_then_and_not_at_the_start_of_the_series() throws Exception {
        served.nowSeconds.set(1_060);
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 100))));
        served.ledger.forgetEarlier();
        served.nowSeconds.set(1_200);

        served.send(request("a", cumulative(NAME, point(1_000, 1_190, 100))));
        served.send(request("a", cumulative(NAME, point(1_000, 1_200, 3))));

        assertThat(served.value(NAME)).isEqualTo(103);
        assertThat(served.counted("otlp_resets_total")).isEqualTo(1);
        assertThat(served.counted("ledger_in_doubt_total")).isZero();
    }

    @Test
    void after_a_reset_the_value_counts_on_beyond_the_one_before_it() throws Exception {
        served.send(request("a", cumulative(NAME, point(0, 1_010, 10))));
        for (int i = 0; i <= 20; i++) {
            served.send(request("a", cumulative(NAME, point(0, 1_020 + i, 2 + 10 * i))));
        }

        assertThat(served.value(NAME)).isEqualTo(10 + 202);
    }

    @Test
    void two_processes_that_send_one_series_are_rejected_instead_of_adding_up_every_rise() throws Exception {
        for (int i = 0; i < 50; i++) {
            served.send(request("a", cumulative(NAME, point(0, 1_010 + 10 * i, 100 + 5 * i))));
            served.send(request("a", cumulative(NAME, point(0, 1_015 + 10 * i, 40 + 5 * i))));
        }

        assertThat(served.value(NAME)).isEqualTo(100 + 95);
        assertThat(served.counted("otlp_rejected_points_total{reason=\"two_writers\"}"))
                .isEqualTo(49 + 38);
    }

    @Test
    void collectors_of_a_fleet_never_count_twice_what_comes_after_a_reset() throws Exception {
        served.close();
        LedgerSettings bounds = LedgerSettings.in(Path.of("unused"));
        served = new ServedLedger(bounds, new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250), false);

        served.send(request("a", cumulative(NAME, point(0, 1_010, 100))));
        served.send(request("a", cumulative(NAME, point(0, 1_020, 10))));
        served.send(request("a", cumulative(NAME, point(0, 1_030, 50))));
        assertThat(served.value(NAME)).isEqualTo(100);
        served.send(request("a", cumulative(NAME, point(0, 1_040, 120))));

        assertThat(served.value(NAME)).isEqualTo(120);
        assertThat(served.counted("otlp_resets_total")).isEqualTo(1);
    }

    @Test
    void a_new_series_loses_nothing_when_the_ledger_has_no_room_for_its_watermark() throws Exception {
        served.close();
        LedgerSettings few = new LedgerSettings(Path.of("unused"), 1L << 30, 1L << 30, 100, 100, 1, 86_400_000);
        served = new ServedLedger(few, new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250));
        served.send(request("old", cumulative("other", point(1_000, 1_010, 1))));
        served.nowSeconds.set(2_000);

        served.send(request(
                "new", cumulative(NAME, point(1_900, 2_000, 7)), cumulativeUpDown("open", point(1_900, 2_000, 5))));
        served.send(request(
                "new", cumulative(NAME, point(1_900, 2_010, 9)), cumulativeUpDown("open", point(1_900, 2_010, 3))));
        // What the old one counts under this name now is not known to be new, so it waits.
        byte[] unknown =
                request("old", cumulative(NAME, point(900, 2_010, 1_000))).toByteArray();
        assertThat(served.post(unknown, "Content-Type", "application/x-protobuf")
                        .statusCode())
                .isEqualTo(429);

        assertThat(served.value(NAME)).isEqualTo(9);
        assertThat(served.value("open")).isEqualTo(3);
        // The value at an unknown start comes second; what the first point brought contains it already.
        served.send(request("new", cumulative("unknown", point(2_000, 2_020, 110))));
        served.send(request("new", cumulative("unknown", point(2_000, 2_000, 100))));
        served.send(request("new", cumulative("unknown", point(2_000, 2_030, 112))));
        assertThat(served.value("unknown")).isEqualTo(12);
        served.said.lines().clear();
    }

    @Test
    void a_first_value_that_is_not_known_to_be_new_waits_for_room_for_its_watermark() throws Exception {
        served.close();
        LedgerSettings few = new LedgerSettings(Path.of("unused"), 1L << 30, 1L << 30, 100, 100, 1, 86_400_000);
        served = new ServedLedger(few, new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250));
        served.send(request("old", cumulative("other", point(900, 1_010, 1))));

        // Both began before the collector, so that their first values are no amounts.
        for (int i = 0; i < 3; i++) {
            byte[] body = request(
                            "new",
                            cumulative("other", point(990, 1_010 + i, 0)),
                            cumulative(NAME, point(990, 1_010 + i, 7 + i)))
                    .toByteArray();
            assertThat(served.post(body, "Content-Type", "application/x-protobuf")
                            .statusCode())
                    .isEqualTo(429);
        }
        assertThat(served.value(NAME)).isZero();
        assertThat(served.counted("ledger_no_room_lines_total")).isEqualTo(3 * 2);
        assertThat(served.counted("otlp_unkept_requests_total")).isEqualTo(3);
        assertThat(served.counted("ledger_deferred_lines_total")).isEqualTo(3);

        // The other one sends less often, and gives way.
        served.nowSeconds.addAndGet(2);
        served.send(request("new", cumulative(NAME, point(990, 1_020, 12))));
        served.send(request("new", cumulative(NAME, point(990, 1_021, 13))));

        assertThat(served.value(NAME)).isEqualTo(13);
        served.said.lines().clear();
    }

    @Test
    void of_a_sum_that_also_falls_the_latest_value_counts() throws Exception {
        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_010, 7))));
        assertThat(served.value(NAME)).isEqualTo(7);
        assertThat(served.counted("ledger_healed_total")).as("not its totals").isEqualTo(7);
        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_030, -2))));
        assertThat(served.value(NAME)).isEqualTo(-2);
        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_020, 50))));
        assertThat(served.value(NAME)).isEqualTo(-2);
        served.send(request("b", cumulativeUpDown(NAME, point(1_000, 1_030, 8_000_000_000L))));
        assertThat(served.value(NAME)).isEqualTo(7_999_999_998L);
    }

    @Test
    void a_value_that_rises_too_fast_is_followed() throws Exception {
        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_010, 0))));
        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_012, 1_000_000_000))));

        assertThat(served.value(NAME)).isEqualTo(250_000_000);

        served.send(request("a", cumulativeUpDown(NAME, point(1_000, 1_018, 1_000_000_000))));

        assertThat(served.value(NAME)).isEqualTo(1_000_000_000);
    }

    @Test
    void a_delta_counts_once_by_its_series_start_and_end() throws Exception {
        var first = request(
                "a",
                delta(NAME, point(1_000, 1_010, 3, "pod", "x"), point(1_000, 1_010, 4, "pod", "y")),
                deltaUpDown("open", point(1_000, 1_010, -5)));

        served.send(first);
        served.send(first);
        served.send(request("a", delta(NAME, point(1_010, 1_020, 3, "pod", "x"))));
        served.send(request("b", delta(NAME, point(1_000, 1_010, 3, "pod", "x"))));
        served.send(request("c", delta(NAME, point(1_000, 1_010, 1, "pod", "x"), point(1_000, 1_010, 1, "pod", "x"))));

        served.send(request("a", delta(NAME, point(1_000, 1_010, 20, "pod", "z"))));
        served.send(request("a", delta(NAME, point(1_000, 1_011, 100, "pod", "z"))));
        served.send(request("a", delta(NAME, point(1_001, 1_011, 200, "pod", "z"))));

        assertThat(served.value(NAME)).isEqualTo(334);
        assertThat(served.value("open")).isEqualTo(-5);
    }

    @Test
    void while_too_many_streams_are_new_a_request_is_to_be_sent_again_and_counts_once() throws Exception {
        served.close();
        LedgerSettings few = new LedgerSettings(Path.of("unused"), 1L << 30, 1L << 30, 10, 1, 1_000, 86_400_000);
        served = new ServedLedger(few, new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250));
        byte[] late = request("b", delta(NAME, point(1_000, 1_010, 4))).toByteArray();

        served.send(request("a", delta(NAME, point(1_000, 1_010, 3))));
        HttpResponse<byte[]> refused = served.post(late, "Content-Type", "application/x-protobuf");
        assertThat(refused.statusCode()).isEqualTo(429);
        assertThat(refused.headers().firstValue("Retry-After"))
                .as("the next minute")
                .contains("60");
        served.nowSeconds.addAndGet(60);
        assertThat(served.post(late, "Content-Type", "application/x-protobuf").statusCode())
                .isEqualTo(200);
        assertThat(served.post(late, "Content-Type", "application/x-protobuf").statusCode())
                .isEqualTo(200);

        assertThat(served.value(NAME)).isEqualTo(7);
        assertThat(served.said.lines()).hasSize(1).first().asString().contains("answered with 429");
        served.said.lines().clear();
    }

    @Test
    void when_there_is_room_for_no_other_stream_deltas_are_to_be_sent_again_and_count_once() throws Exception {
        served.close();
        LedgerSettings few = new LedgerSettings(Path.of("unused"), 1L << 30, 1L << 30, 4, 2, 1_000, 86_400_000);
        served = new ServedLedger(few, new OtlpSettings(0, List.of("*"), List.of(), 4 << 20, 250));
        int refused = 0;
        for (int i = 0; i < 20; i++) {
            byte[] body =
                    request("a", delta(NAME, point(1_000 + i, 1_001 + i, 1))).toByteArray();
            while (refused < 100
                    && served.post(body, "Content-Type", "application/x-protobuf")
                                    .statusCode()
                            == 429) {
                refused++;
                served.nowSeconds.addAndGet(60);
            }
            served.post(body, "Content-Type", "application/x-protobuf");
        }

        assertThat(served.value(NAME)).isEqualTo(20);
        assertThat(refused).isPositive();
        assertThat(served.counted("ledger_crowded_out_streams_total")).isPositive();
        served.said.lines().clear();
    }

    @Test
    void what_was_counted_before_an_unknown_start_is_not_counted() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_010, 1_010, 500))));
        assertThat(served.value(NAME)).isZero();
        served.send(request("a", cumulative(NAME, point(1_010, 1_020, 503))));
        assertThat(served.value(NAME)).isEqualTo(3);
        served.send(request("a", cumulative(NAME, point(1_010, 1_010, 500))));
        assertThat(served.value(NAME)).isEqualTo(3);
    }

    @Test
    void the_value_at_an_unknown_start_is_not_counted_even_if_it_comes_second() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_010, 1_020, 110))));
        served.send(request("a", cumulative(NAME, point(1_010, 1_010, 100))));
        served.send(request("a", cumulative(NAME, point(1_010, 1_030, 112))));

        assertThat(served.value(NAME)).isEqualTo(12);
    }

    @Test
    void a_value_above_the_largest_total_affects_no_other_series() throws Exception {
        served.send(request(
                "a",
                cumulative("nanos", point(1_000, 1_010, (1L << 53) + 1)),
                cumulativeUpDown("up", point(1, 1_000 + 86_400L * 700, 1)),
                cumulative(NAME, point(1_000, 1_010, 5))));

        assertThat(served.value(NAME)).isEqualTo(5);
        assertThat(served.counted("ledger_quarantined_streams_total")).isZero();
    }

    @Test
    void a_series_without_a_start_counts_what_it_grows_by_once_streams_were_forgotten() throws Exception {
        served.ledger.forgetEarlier();

        served.send(request("a", cumulative(NAME, point(0, 1_010, 500))));
        served.send(request("a", cumulative(NAME, point(0, 1_020, 503))));
        served.send(request("a", cumulative(NAME, point(0, 1_030, 2))));

        assertThat(served.value(NAME)).isEqualTo(5);
    }

    @Test
    void a_stream_that_began_before_others_were_forgotten_counts_what_it_grows_by() throws Exception {
        served.ledger.forgetEarlier();
        served.nowSeconds.set(1_100);

        served.send(request(
                "old", cumulative(NAME, point(900, 1_100, 500)), cumulativeUpDown("open", point(900, 1_100, 6))));
        served.send(request(
                "old", cumulative(NAME, point(900, 1_110, 504)), cumulativeUpDown("open", point(900, 1_110, 4))));
        served.send(request("new", cumulative(NAME, point(1_050, 1_110, 7))));
        // Its points were late: it only looks as if it had begun after the others were forgotten.
        served.send(request("late", cumulative(NAME, point(900, 910, 1_000))));

        assertThat(served.value(NAME)).isEqualTo(11);
        assertThat(served.value("open")).isEqualTo(-2);
    }

    @Test
    void doubles_count_if_they_are_whole_and_cumulative_ones_are_rounded_down() throws Exception {
        served.send(
                request("a", cumulative(NAME, point(1_000, 1_010, 3.0)), cumulative("cpu", point(1_000, 1_010, 2.75))));
        served.send(
                request("a", cumulative("cpu", point(1_000, 1_020, 4.5)), delta("deltas", point(1_000, 1_010, 6.0))));

        assertThat(served.value(NAME)).isEqualTo(3);
        assertThat(served.value("cpu")).isEqualTo(4);
        assertThat(served.value("deltas")).isEqualTo(6);
        assertThat(served.counted("otlp_rounded_points_total")).isEqualTo(2);
    }

    @Test
    void a_point_that_says_that_there_is_no_value_changes_nothing() throws Exception {
        served.send(request("a", cumulative(NAME, point(1_000, 1_010, 3))));

        var answer = served.send(request(
                "a",
                cumulative(NAME, times(1_000, 1_020).setFlags(1).setAsInt(0).build())));
        served.send(request("a", cumulative(NAME, point(1_000, 1_030, 4))));

        assertThat(answer.hasPartialSuccess()).isFalse();
        assertThat(served.value(NAME)).isEqualTo(4);
        assertThat(served.counted("otlp_points_without_value_total")).isEqualTo(1);
    }

    /** Processes that begin, count, reset, are killed and send again, whose requests are lost, doubled and late. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void every_count_is_exact_whatever_happens_to_the_requests(long seed) throws Exception {
        Random random = new Random(seed);
        List<ExportMetricsServiceRequest> late = new ArrayList<>();
        long[] start = {1_000, 1_000, 1_000};
        long[] value = new long[3];
        boolean[] begins = {true, true, true};
        long[] open = new long[3];
        long all = 0;
        long allOpen = 0;
        long deltas = 0;
        for (int second = 1_001; second < 1_200; second++) {
            served.nowSeconds.set(second);
            int process = random.nextInt(3);
            boolean ends = random.nextInt(20) == 0;
            // More than it counts while the first ten requests after a reset arrive.
            int more = random.nextInt(5) + (begins[process] ? 100 : 0);
            begins[process] = false;
            value[process] += more;
            all += more;
            open[process] += random.nextInt(7) - 3;
            int amount = random.nextInt(5);
            deltas += amount;
            var request = request(
                    "p" + process,
                    cumulative(NAME, point(start[process], second, value[process])),
                    cumulativeUpDown("open", point(start[process], second, open[process])));
            var amounts = request("p" + process, delta("deltas", point(second - 1, second, amount)));
            late.add(amounts);
            late.add(amounts);
            // As a program does that sets its counter to 0, and does not change its start time.
            boolean resets = !ends && value[process] >= 100 && random.nextInt(5) == 0;
            if (random.nextInt(100) >= 30 || ends || resets) {
                served.send(request);
            }
            late.add(request);
            if (resets) {
                value[process] = 0;
            }
            if (ends) {
                begins[process] = true;
                allOpen += open[process];
                start[process] = second;
                value[process] = 0;
                open[process] = 0;
            }
            while (late.size() > 20) {
                served.send(late.remove(random.nextInt(late.size())));
            }
        }
        for (int process = 0; process < 3; process++) {
            served.send(request(
                    "p" + process,
                    cumulative(NAME, point(start[process], 1_200, value[process])),
                    cumulativeUpDown("open", point(start[process], 1_200, open[process]))));
            allOpen += open[process];
        }
        for (var request : late) {
            served.send(request);
        }

        assertThat(served.value(NAME)).as("seed " + seed).isEqualTo(all);
        assertThat(served.value("open")).as("seed " + seed).isEqualTo(allOpen);
        assertThat(served.value("deltas")).as("seed " + seed).isEqualTo(deltas);
        assertThat(served.counted("otlp_resets_total")).isPositive();
    }
}
