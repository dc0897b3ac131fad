package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExpositionTest {
    private static final String PROMETHEUS_2 = "application/openmetrics-text;version=1.0.0,"
            + "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    private static final String PROMETHEUS_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
            + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
            + "text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/openmetrics-text                                      | OPEN_METRICS",
                "application/openmetrics-text; version=1.0.0; charset=utf-8        | OPEN_METRICS",
                "Application/OpenMetrics-Text; Version=\"1.0.0\"                   | OPEN_METRICS",
                "application/openmetrics-text;version=0.0.1                        | OPEN_METRICS",
                "application/openmetrics-text;version=2.0.0                        | TEXT",
                "application/openmetrics-text;q=0.5,text/plain;q=0.5               | OPEN_METRICS",
                "application/openmetrics-text;q=0.5,text/plain;q=0.6               | TEXT",
                "application/openmetrics-text;q=0.5,*/*                            | TEXT",
                "application/openmetrics-text;q=0                                  | TEXT",
                "application/openmetrics-text;q=x                                  | TEXT",
                "application/openmetrics-text;q=0.5,text/plain;version=1.0.0       | OPEN_METRICS",
                "application/vnd.google.protobuf,text/plain                        | TEXT",
                "application/json                                                  | TEXT",
                "text/html,application/xhtml+xml,*/*;q=0.8                         | TEXT",
                "text/*                                                            | TEXT",
                "*/*                                                               | TEXT",
                ",;=                                                               | TEXT",
                "''                                                                | TEXT",
                "                                                                  | TEXT",
            })
    void the_accept_header_selects_the_format(String accept, Exposition expected) {
        assertThat(Exposition.of(accept)).isEqualTo(expected);
    }

    @Test
    void prometheus_gets_open_metrics() {
        assertThat(Exposition.of(PROMETHEUS_2)).isEqualTo(Exposition.OPEN_METRICS);
        assertThat(Exposition.of(PROMETHEUS_3)).isEqualTo(Exposition.OPEN_METRICS);
    }
}
