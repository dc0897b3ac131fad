package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class WatchTest {
    @Test
    void counters_are_read_from_the_collector_s_json() {
        assertThat(Watch.counters("{\"stock.balance\": -5, \"payments.tried,method=card\":12\n}"))
                .isEqualTo(Map.of("stock.balance", -5L, "payments.tried,method=card", 12L));
        assertThat(Watch.counters("{}")).isEmpty();
    }

    @Test
    void the_table_shows_values_and_their_changes() {
        Map<String, Long> last = Map.of("orders.placed", 9L, "carts.open", 3L);
        Map<String, Long> now = Map.of("orders.placed", 12L, "carts.open", 1L, "new", 7L);

        assertThat(Watch.table(new TreeMap<>(now), last))
                .isEqualTo("""
                carts.open               1       -2
                orders.placed           12       +3
                new                      7
                """.lines().sorted().reduce("", (all, line) -> all + line + "\n") + "\n");
    }
}
