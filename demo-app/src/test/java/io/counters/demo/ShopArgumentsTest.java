package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShopArgumentsTest {
    @Test
    void without_arguments_the_shop_runs_on_port_8080() {
        assertThat(ShopArguments.of()).isEqualTo(new ShopArguments(8080, 20, 1, 0, 4));
    }

    @Test
    void with_a_number_of_orders_the_shop_uses_a_free_port() {
        assertThat(ShopArguments.of("--orders", "1000", "--threads", "2"))
                .isEqualTo(new ShopArguments(0, 20, 1, 1000, 2));
    }

    @ParameterizedTest
    @CsvSource({
        "--ports 1,     there is no argument --ports",
        "--port,        '--port is \"\", which is not a whole number'",
        "--rate -1,     '--rate is \"-1\", which is not a whole number'",
        "--port 65536,  '--port is 65536, allowed are 0 to 65535'",
        "--threads 65,  '--threads is 65, allowed are 1 to 64'"
    })
    void an_invalid_argument_is_reported_with_the_allowed_values(String line, String message) {
        assertThatThrownBy(() -> ShopArguments.of(line.split(" ", -1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("usage:");
    }
}
