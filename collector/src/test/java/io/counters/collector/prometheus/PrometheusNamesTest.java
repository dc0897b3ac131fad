package io.counters.collector.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.model.snapshots.PrometheusNaming;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PrometheusNamesTest {
    @ParameterizedTest
    @CsvSource({
        "orders.placed,        orders_placed",
        "orders_placed,        orders_placed",
        "a/b-c.d,              a_b_c_d",
        "Orders.Placed,        Orders_Placed",
        "2xx,                  _2xx",
        "http.2xx,             http_2xx",
        ".,                    _",
        "-9.,                  _9_",
        "orders.total,         orders",
        "orders_total,         orders",
        "orders.total.total,   orders_total",
        "subtotal,             subtotal",
        "_total,               _total",
        ".total,               _total",
        "orders.created,       orders_created",
    })
    void a_plain_metric_has_underscores_and_no_total_at_its_end(String metric, String plain) {
        assertThat(PrometheusNames.plainMetric(metric)).isEqualTo(plain);
        assertThat(PrometheusNaming.isValidLegacyMetricName(plain)).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "method,       method",
        "http.status,  http_status",
        "a-b/c,        a_b_c",
        "0,            _0",
        "le,           le",
        "x_total,      x_total",
    })
    void a_plain_label_has_underscores(String key, String plain) {
        assertThat(PrometheusNames.plain(key)).isEqualTo(plain);
        assertThat(PrometheusNames.labelNeedsEscaping(key)).isFalse();
        assertThat(PrometheusNames.isLabel("m," + key + "=1", 2, 2 + key.length()))
                .isEqualTo(key.equals(plain));
    }

    @ParameterizedTest
    @ValueSource(strings = {"__name__", "__x", "..x", "-_x", "_.", "U__x"})
    void labels_that_prometheus_would_remove_are_escaped(String key) {
        assertThat(PrometheusNames.labelNeedsEscaping(key)).isTrue();
        assertThat(PrometheusNames.isLabel("m," + key + "=1", 2, 2 + key.length()))
                .isFalse();
        assertThat(PrometheusNaming.isValidLegacyLabelName(PrometheusNames.escaped(key)))
                .isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.b", "orders-placed", "a_b.c", "2xx", "a.2", "x/y_z-0", "..", "U__a.b"})
    void escaped_names_are_those_of_prometheus_library(String name) {
        assertThat(PrometheusNames.escaped(name))
                .isEqualTo(PrometheusNaming.escapeName(name, EscapingScheme.VALUE_ENCODING_ESCAPING));
    }

    @ParameterizedTest
    @CsvSource({"orders_placed, U__orders__placed", "orders, U__orders", "U__orders, U__U____orders"})
    void names_that_need_no_escaping_can_be_escaped_too(String name, String escaped) {
        assertThat(PrometheusNames.escaped(name)).isEqualTo(escaped);
    }
}
