package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {
    private static final Instant NOW = Instant.parse("2026-11-30T22:00:00Z");

    @ParameterizedTest
    @CsvSource({
        "7,                                 7",
        "0,                                 0",
        "100000,                            300",
        "'Mon, 30 Nov 2026 22:00:09 GMT',   9",
        "'Mon, 30 Nov 2026 21:00:00 GMT',   0",
        "'Tue, 01 Dec 2026 22:00:00 GMT',   300",
        "soon,                              0",
        "-1,                                0",
    })
    void a_server_asks_for_seconds_or_a_date(String header, long seconds) {
        assertThat(RetryAfter.of(header, NOW)).hasSeconds(seconds);
    }

    @Test
    void without_the_header_there_is_no_wait() {
        assertThat(RetryAfter.of(null, NOW)).isZero();
    }
}
