package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.Cells;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

class ShopTest {
    @Test
    void what_the_api_counts_is_what_the_customers_were_told() throws Exception {
        try (Shop shop = new Shop(0, 7)) {
            Map<String, Long> before = counted();

            SortedMap<String, Long> told = shop.sell(100, 3).amounts();

            Map<String, Long> after = counted();
            for (String name :
                    new String[] {"carts.open", "carts.abandoned", "orders.cents,currency=eur", "stock.balance"}) {
                assertThat(after.get(name) - before.getOrDefault(name, 0L))
                        .as(name)
                        .isEqualTo(told.get(name));
            }
        }
    }

    @Test
    void the_tally_adds_up() throws Exception {
        try (Shop shop = new Shop(0, 1)) {
            Map<String, Long> told = shop.sell(101, 4).amounts();

            assertThat(told)
                    .containsEntry("orders.placed", 101L)
                    .containsEntry("labels.printed", 202L)
                    .containsEntry("requests.open", 0L)
                    .containsEntry("payments.open", 0L);
            assertThat(told.get("stock.balance")).isNegative();
            assertThat(told.get("carts.opened") - told.get("carts.open"))
                    .isEqualTo(told.get("carts.abandoned") + told.get("orders.placed") + told.get("orders.refused"));
            assertThat(told.get("payments.tried,method=card") + told.get("payments.tried,method=invoice"))
                    .isEqualTo(told.get("orders.placed")
                            + told.get("payments.failed,method=card")
                            + told.get("payments.failed,method=invoice"));
        }
    }

    @Test
    void one_customer_with_one_seed_does_the_same_every_time() throws Exception {
        try (Shop one = new Shop(0, 3);
                Shop other = new Shop(0, 3)) {
            assertThat(one.sell(30, 1)).hasToString(other.sell(30, 1).toString());
        }
    }

    private static Map<String, Long> counted() {
        Object[] cells = Cells.sources().get(0);
        Map<String, Integer> ids = Map.copyOf(Cells.names(cells));
        long[] sums = new long[ids.size()];
        Cells.sum(cells, sums);
        Map<String, Long> counted = new HashMap<>();
        ids.forEach((name, id) -> counted.put(name, sums[id]));
        return counted;
    }
}
