package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import org.junit.jupiter.api.Test;

class MetricsTest {
    private final Metrics metrics = new Metrics();

    @Test
    void counts_and_gauges_are_shown_in_the_order_of_their_names() {
        metrics.count("lines_total", "Lines.").add(3);
        metrics.count("lines_total", "Lines.").increment();
        metrics.count("rejected_total", "Rejected lines.", "reason", "name_letter")
                .increment();
        metrics.gauge("counters", "Counters.", () -> 7);

        assertThat(metrics.values().toString())
                .isEqualTo("{counters=7, lines_total=4, rejected_total{reason=\"name_letter\"}=1}");
    }

    @Test
    void what_only_grows_is_a_counter_and_the_rest_are_gauges() {
        metrics.count("lines_total", "Lines.").add(3);
        metrics.total("drops_total", "Drops.", "port", "1", () -> 5);
        metrics.gauge("counters", "Counters.", () -> 7);

        assertThat(metrics.snapshots().stream().map(MetricsTest::text))
                .containsExactly(
                        "gauge counters_counters Counters. 7.0",
                        "counter counters_drops Drops. 5.0{port=\"1\"}",
                        "counter counters_lines Lines. 3.0");
    }

    private static String text(MetricSnapshot metric) {
        String described =
                metric.getMetadata().getName() + " " + metric.getMetadata().getHelp() + " ";
        if (metric instanceof CounterSnapshot counter) {
            CounterSnapshot.CounterDataPointSnapshot point =
                    counter.getDataPoints().get(0);
            return "counter " + described + point.getValue()
                    + (point.getLabels().isEmpty() ? "" : point.getLabels());
        }
        return "gauge " + described
                + ((GaugeSnapshot) metric).getDataPoints().get(0).getValue();
    }

    @Test
    void what_is_forgotten_is_shown_no_more() {
        metrics.gauge("up", "Up.", "server", "a", () -> 1);
        metrics.count("sent_total", "Sent.", "server", "a").increment();
        metrics.count("sent_total", "Sent.", "server", "b").increment();

        metrics.forget("server", "a");

        assertThat(metrics.values().toString()).isEqualTo("{sent_total{server=\"b\"}=1}");
        assertThat(metrics.snapshots().size()).isEqualTo(1);
        assertThat(metrics.count("sent_total", "Sent.", "server", "a").sum()).isZero();
    }

    @Test
    void a_name_must_say_whether_its_metric_only_grows() {
        assertThatThrownBy(() -> metrics.count("lines", "Lines."))
                .hasMessage("the name lines must end with _total, because the metric only grows");
        assertThatThrownBy(() -> metrics.gauge("lines_total", "Lines.", () -> 1))
                .hasMessage("the name lines_total must not end with _total, because the metric may fall");
    }

    @Test
    void a_metric_has_one_help_text() {
        metrics.count("lines_total", "Lines.");

        assertThatThrownBy(() -> metrics.count("lines_total", "Other lines."))
                .hasMessageContaining("the metric lines_total has two help texts");
    }
}
