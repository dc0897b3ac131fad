package io.counters.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EditDistanceTest {
    @ParameterizedTest
    @CsvSource({"kitten, sitting, 3", "port, prot, 2", "port, PORT, 0", "'', abc, 3", "abc, '', 3", "same, same, 0"})
    void a_distance_is_the_number_of_changed_characters(String a, String b, int distance) {
        assertThat(EditDistance.of(a, b)).isEqualTo(distance);
        assertThat(EditDistance.of(b, a)).isEqualTo(distance);
    }

    @Test
    void the_first_of_the_nearest_words_is_found() {
        assertThat(EditDistance.nearest("--udp-prot", Arrays.asList("--http-port", "--udp-port", "--udp-part")))
                .isEqualTo("--udp-port");
    }
}
