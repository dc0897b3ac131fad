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
        HttpLimits limits = new HttpLimits(connections, listeners, waiting, MIB).within(heapMib * MIB, 1 << 20, false);

        int kept = limits.listeners() + 3 * (2 + limits.waiting());
        assertThat(limits.connections() - kept).isBetween(2, limits.connections());
        assertThat(limits.listeners()).isPositive();
        assertThat(limits.waiting()).isPositive();
    }

    @Test
    void on_256_mb_a_page_has_its_defaults() {
        assertThat(HttpLimits.PAGE.within(256 * MIB, 1024, false)).isEqualTo(HttpLimits.PAGE);
    }

    @ParameterizedTest
    @CsvSource({"1024, false, 256", "1024, true, 128", "16, true, 16"})
    void a_quarter_of_the_descriptors_is_for_its_connections_and_with_tls_for_as_many_handshakes(
            long descriptors, boolean hasTls, int connections) {
        HttpLimits limits = new HttpLimits(10_000, 50, 32, MIB).within(4096 * MIB, descriptors, hasTls);

        assertThat(limits.connections()).isEqualTo(connections);
    }
}
