package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class FleetWatchTest {
    @Test
    void the_shops_tally_is_read_by_name() {
        assertThat(FleetWatch.tally("orders.placed 9\npayments.tried,method=card 12\nstock.balance -5\n"))
                .isEqualTo(Map.of("orders.placed", 9L, "payments.tried,method=card", 12L, "stock.balance", -5L));
    }

    @Test
    void each_counter_of_the_fleet_stands_beside_the_shops_number() {
        Map<String, Optional<SortedMap<String, Long>>> collectors = new LinkedHashMap<>();
        collectors.put("http://127.0.0.1:1/api/counters", Optional.of(new TreeMap<>(Map.of("orders.placed", 12L))));
        collectors.put("http://127.0.0.1:2/api/counters", Optional.empty());
        collectors.put("http://127.0.0.1:3/api/counters", Optional.of(new TreeMap<>(Map.of("new", 7L))));

        assertThat(FleetWatch.text(
                        collectors,
                        Map.of("orders.placed", 9L, "carts.open", 3L),
                        Map.of("orders.placed", 13L),
                        List.of("12:00:00 collector 2 was killed")))
                .isEqualTo("""
                http://127.0.0.1:1/  has 1 counters
                http://127.0.0.1:2/  does not answer
                http://127.0.0.1:3/  has 1 counters
                counter              fleet                  shop
                carts.open               3                        waits for a collector
                new                      7
                orders.placed           12       +3           13
                12:00:00 collector 2 was killed

                """);
    }
}
