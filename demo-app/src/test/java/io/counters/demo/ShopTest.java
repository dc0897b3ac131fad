package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.CellSource;
import io.counters.cells.Cells;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.junit.jupiter.api.Test;

class ShopTest {
    @Test
    void the_api_counts_the_same_as_the_customers_tally() throws Exception {
        try (Shop shop = new Shop(0, 7)) {
            Map<String, Long> before = counted();

            SortedMap<String, Long> told = shop.sell(100, 3).amounts();

            Map<String, Long> after = counted();
            assertThat(List.of("carts.open", "carts.abandoned", "orders.cents,currency=eur", "stock.balance"))
                    .allSatisfy(name ->
                            assertThat(sum(after, name) - sum(before, name)).isEqualTo(sum(told, name)));
        }
    }

    @Test
    void the_amounts_of_the_tally_are_consistent() throws Exception {
        try (Shop shop = new Shop(0, 1)) {
            Map<String, Long> told = shop.sell(101, 4).amounts();

            assertThat(told)
                    .containsEntry("orders.placed", 101L)
                    .containsEntry("labels.printed", 202L)
                    .containsEntry("requests.open", 0L)
                    .containsEntry("payments.open", 0L);
            assertThat(sum(told, "stock.balance")).isNegative();
            assertThat(sum(told, "carts.opened"))
                    .isEqualTo(sum(told, "carts.open", "carts.abandoned", "orders.placed", "orders.refused"));
            assertThat(sum(told, "payments.tried,method=card", "payments.tried,method=invoice"))
                    .isEqualTo(sum(
                            told, "orders.placed", "payments.failed,method=card", "payments.failed,method=invoice"));
        }
    }

    @Test
    void one_customer_with_one_seed_always_does_the_same() throws Exception {
        try (Shop one = new Shop(0, 3);
                Shop other = new Shop(0, 3)) {
            assertThat(one.sell(30, 1)).hasToString(other.sell(30, 1).toString());
        }
    }

    private static long sum(Map<String, Long> amounts, String... names) {
        return Arrays.stream(names)
                .mapToLong(name -> amounts.getOrDefault(name, 0L))
                .sum();
    }

    private static Map<String, Long> counted() {
        Object[] cells = Cells.sources().get(0);
        Map<String, Integer> ids = Map.copyOf(CellSource.names(cells));
        long[] sums = new long[ids.size()];
        CellSource.sum(cells, sums);
        Map<String, Long> counted = new HashMap<>();
        ids.forEach((name, id) -> counted.put(name, sums[id]));
        return counted;
    }
}
