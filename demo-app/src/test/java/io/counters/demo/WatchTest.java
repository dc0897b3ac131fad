package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class WatchTest {
    @Test
    void the_collectors_json_is_read_by_name() {
        assertThat(Watch.counters("""
                {"counters": [
                {"name": "payments.tried,method=card", "value": 12},
                {"name": "stock.balance", "value": -5}
                ]}
                """)).isEqualTo(Map.of("stock.balance", -5L, "payments.tried,method=card", 12L));
        assertThat(Watch.counters("{\"counters\": [\n]}\n")).isEmpty();
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
