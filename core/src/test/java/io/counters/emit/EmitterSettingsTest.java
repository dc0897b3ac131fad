package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmitterSettingsTest {
    @ParameterizedTest
    @CsvSource({
        "collector, collector, 11212, collector:11212",
        "collector:1, collector, 1, collector:1",
        "' collector:65535 ', collector, 65535, collector:65535",
        "127.0.0.1:80, 127.0.0.1, 80, 127.0.0.1:80",
        "::1, ::1, 11212, [::1]:11212",
        "[::1], ::1, 11212, [::1]:11212",
        "[::1]:80, ::1, 80, [::1]:80",
    })
    void a_collector_is_a_host_with_or_without_a_port(String collector, String host, int port, String shown) {
        EmitterSettings settings = EmitterSettings.to(collector);

        assertThat(settings.host()).isEqualTo(host);
        assertThat(settings.port()).isEqualTo(port);
        assertThat(settings).hasToString(shown);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", " ", ":", ":80", "a:", "a:0", "a:65536", "a:-1", "a:+80", "a:x", "a b:80", "[::1", "::1]", "[]",
                "[]:80", "[a]b:80"
            })
    void anything_else_is_refused_with_the_value_and_the_rule(String collector) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to(collector))
                .withMessageContaining("\"" + collector + "\"")
                .withMessageContaining("HOST:PORT");
    }

    @Test
    void defaults_are_one_sweep_a_second_of_ethernet_sized_datagrams_with_totals() {
        EmitterSettings settings = EmitterSettings.to("a");

        assertThat(settings.sweepMillis()).isEqualTo(1000);
        assertThat(settings.datagramBytes()).isEqualTo(1432);
        assertThat(settings.totals()).isTrue();
    }

    @Test
    void a_changed_copy_leaves_the_original_and_all_else_as_it_was() {
        EmitterSettings original = EmitterSettings.to("a:1");

        EmitterSettings changed = original.sweepMillis(10).datagramBytes(512).totals(false);

        assertThat(changed).hasToString("a:1");
        assertThat(changed.sweepMillis()).isEqualTo(10);
        assertThat(changed.datagramBytes()).isEqualTo(512);
        assertThat(changed.totals()).isFalse();
        assertThat(original.sweepMillis()).isEqualTo(1000);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 9, 60_001})
    void a_sweep_outside_its_range_is_refused(long millis) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").sweepMillis(millis))
                .withMessageContaining(millis + " ms");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 511, 65_508})
    void a_datagram_outside_its_range_is_refused(int bytes) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> EmitterSettings.to("a").datagramBytes(bytes))
                .withMessageContaining(bytes + " bytes");
    }
}
