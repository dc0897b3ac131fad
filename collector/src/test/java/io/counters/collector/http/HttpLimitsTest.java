package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpLimitsTest {
    private static final long MIB = 1 << 20;

    @ParameterizedTest
    @CsvSource({
        "200, 50, 32, 256",
        "200, 50, 32, 64",
        "200, 50, 32, 1",
        "16, 50, 32, 256",
        "200, 1000, 32, 256",
        "200, 50, 10000, 256",
        "10000, 1000, 10000, 4096",
        "16, 1, 1, 256",
    })
    void whatever_listens_or_waits_health_has_a_connection(int connections, int listeners, int waiting, long heapMib) {
        HttpLimits limits = new HttpLimits(connections, listeners, waiting, MIB).within(heapMib * MIB);

        int kept = limits.listeners() + 3 * (2 + limits.waiting());
        assertThat(limits.connections() - kept).isBetween(2, limits.connections());
        assertThat(limits.listeners()).isPositive();
        assertThat(limits.waiting()).isPositive();
    }

    @Test
    void on_256_mb_a_page_has_its_defaults() {
        assertThat(HttpLimits.PAGE.within(256 * MIB)).isEqualTo(HttpLimits.PAGE);
    }
}
