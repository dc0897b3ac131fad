package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.Cells;
import io.counters.collector.common.SeededHash;
import io.counters.emit.CounterTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class CounterSumsTest {
    private static final long BYTES_MAX = 1 << 20;

    private final CounterSums sums = new CounterSums(BYTES_MAX, new SeededHash(new Random(1)));

    private static boolean add(CounterSums to, String name, long amount) {
        byte[] in = ("increment " + name + "\n").getBytes(ISO_8859_1);
        return to.add(in, "increment ".length(), in.length - 1, amount);
    }

    private Map<String, Long> sums() {
        return new CounterTable(sums::sources).sums();
    }

    @Test
    void amounts_of_a_name_are_summed() {
        add(sums, "a", 2);
        add(sums, "b", 5);
        add(sums, "a", -7);

        assertThat(sums()).containsExactlyInAnyOrderEntriesOf(Map.of("a", -5L, "b", 5L));
    }

    @Test
    void a_sum_stays_within_the_64_bit_range() {
        for (int i = 0; i < 1030; i++) {
            add(sums, "a", 1L << 53);
            add(sums, "b", -(1L << 53));
        }

        assertThat(sums()).containsExactlyInAnyOrderEntriesOf(Map.of("a", Long.MAX_VALUE, "b", Long.MIN_VALUE));
        assertThat(sums.saturated()).isEqualTo(7 + 6);
        add(sums, "a", -1);
        add(sums, "b", 1);
        assertThat(sums()).containsExactlyInAnyOrderEntriesOf(Map.of("a", Long.MAX_VALUE - 1, "b", Long.MIN_VALUE + 1));
    }

    @Test
    void names_without_room_are_summed_as_overflow_and_known_names_keep_their_sums() {
        int names = 100_000;
        add(sums, "orders.placed", 1);
        long refused = 0;
        for (int i = 0; i < names; i++) {
            refused += add(sums, "forged." + i, 1) ? 0 : 1;
        }

        assertThat(add(sums, "orders.placed", 41)).isTrue();
        assertThat(add(sums, "new", 3)).isFalse();

        assertThat(refused).isBetween(names - BYTES_MAX / CounterSums.NAME_BYTES, (long) names - 1000);
        assertThat(sums()).containsEntry("orders.placed", 42L).containsEntry(Cells.OVERFLOW, refused + 3);
        assertThat(sums().values().stream().mapToLong(Long::longValue).sum()).isEqualTo(names + 45L);
        assertThat(sums.bytes()).isBetween(BYTES_MAX, BYTES_MAX + 2000);
    }

    @Test
    void long_names_and_many_servers_leave_room_for_fewer_names() {
        CounterSums ofLongNames = new CounterSums(BYTES_MAX, new SeededHash(new Random(1)));
        CounterSums ofManyServers = new CounterSums(BYTES_MAX, new SeededHash(new Random(1)));
        ofManyServers.streams(117);
        int few = 0;
        int fewer = 0;
        for (int i = 0; i < 5000; i++) {
            few += add(ofLongNames, i + "x".repeat(240), 1) ? 1 : 0;
            fewer += add(ofManyServers, "a." + i, 1) ? 1 : 0;
        }

        assertThat(few).isBetween(800, 900);
        assertThat(fewer).isBetween(700, 800);
    }

    /** These names have equal {@link String#hashCode} values; with that hash each would be compared with all before it. */
    @Test
    @Timeout(120)
    void names_that_are_chosen_to_collide_cost_no_more_than_other_names() {
        CounterSums roomy = new CounterSums(1L << 40, new SeededHash(new Random(1)));
        List<String> names = new ArrayList<>(List.of(""));
        while (names.size() < 1 << 17) {
            List<String> more = new ArrayList<>();
            names.forEach(name -> more.addAll(List.of(name + "Aa", name + "BB")));
            names = more;
        }

        names.forEach(name -> add(roomy, name, 1));

        assertThat(new CounterTable(roomy::sources).sums()).hasSize(1 << 17);
    }
}
