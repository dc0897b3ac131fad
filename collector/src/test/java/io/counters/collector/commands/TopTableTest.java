package io.counters.collector.commands;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TopTableTest {
    private static final long SECOND = 1_000_000_000;

    private final Rates rates = new Rates();
    private final TopTable table = new TopTable(TopTable.Sort.RATE, "");
    private List<Rates.Row> rows = read(0, 10, 20, 30);

    private List<Rates.Row> read(long second, long a, long b, long c) {
        return rates.add(
                List.of(
                        new CollectorApi.Counter("a", a),
                        new CollectorApi.Counter("b", b),
                        new CollectorApi.Counter("c", c)),
                second * SECOND);
    }

    private List<String> names(int height) {
        return table.lines(rows, "title", "", 60, height).stream()
                .skip(3)
                .map(line -> line.substring(0, 1))
                .toList();
    }

    @Test
    void rates_span_the_last_readings_and_are_unknown_at_first() {
        assertThat(table.lines(rows, "title", "a note", 60, 10)).first().isEqualTo("title  a note");
        assertThat(table.lines(rows, "title", "", 60, 10).get(3)).matches("a {20,}10 *");

        for (int second = 1; second <= 20; second++) {
            rows = read(second, 10 + 1500L * second, 20, 30 - second);
        }

        assertThat(table.lines(rows, "title", "", 60, 10).subList(2, 6))
                .satisfiesExactly(
                        head -> assertThat(head).matches("NAME +VALUE +\\*PER SECOND"),
                        first -> assertThat(first).matches("a +30,010 +1,500\\.0"),
                        second -> assertThat(second).matches("c +10 +-1\\.0"),
                        third -> assertThat(third).matches("b +20 +0\\.0"));
    }

    @Test
    void the_rate_of_a_large_value_is_exact() {
        long large = 1L << 62;
        // Nothing is left of the rows before.
        rates.add(List.of(), 3 * SECOND);
        read(4, large, -large, 0);

        rows = read(5, large + 3, -large - 2, 0);

        assertThat(table.lines(rows, "title", "", 80, 10).subList(3, 5))
                .satisfiesExactly(
                        first -> assertThat(first).matches("a +4,611,686,018,427,387,907 +3\\.0"),
                        second -> assertThat(second).matches("b +-4,611,686,018,427,387,906 +-2\\.0"));
    }

    @Test
    void keys_sort_and_quit() {
        rows = read(1, 13, 20, 31);

        assertThat(names(10)).containsExactly("a", "c", "b");
        assertThat(table.key("v", 5)).isTrue();
        assertThat(names(10)).containsExactly("c", "b", "a");
        assertThat(table.key("n", 5)).isTrue();
        assertThat(names(10)).containsExactly("a", "b", "c");
        assertThat(table.key("r", 5)).isTrue();
        assertThat(names(10)).containsExactly("a", "c", "b");
        assertThat(table.key("\u001b[Z", 5)).isTrue();
        assertThat(table.key("q", 5)).isFalse();
    }

    @Test
    void arrows_scroll_within_the_table() {
        table.key("n", 5);

        assertThat(names(5)).containsExactly("a", "b");
        table.key("\u001b[B", 5);
        assertThat(names(5)).containsExactly("b", "c");
        table.key("\u001b[6~", 5);
        assertThat(names(5)).containsExactly("b", "c");
        table.key("\u001b[A", 5);
        assertThat(names(5)).containsExactly("a", "b");
        table.key("\u001b[5~", 5);
        assertThat(names(5)).containsExactly("a", "b");
    }

    @Test
    void a_filter_is_typed_and_corrected() {
        for (String key : List.of("/", "q", "x", "\u007f", "\u001b[A", "\u0007", ".", "\n", "v")) {
            assertThat(table.key(key, 5)).as(key).isTrue();
        }

        assertThat(table.filter()).isEqualTo("q.");
        assertThat(table.isFiltering()).isFalse();
        table.key("/", 5);
        assertThat(table.lines(rows, "title", "", 60, 10).get(1)).startsWith("filter: q._");
        table.key("\u001b", 5);
        assertThat(table.filter()).isEmpty();
    }

    @Test
    void nothing_is_wider_or_longer_than_the_terminal() {
        rows = rates.add(List.of(new CollectorApi.Counter("n".repeat(250), Long.MIN_VALUE)), 0);

        for (int columns : new int[] {4, 20, 60, 300}) {
            assertThat(table.lines(rows, "t".repeat(400), "note", columns, 4))
                    .hasSizeLessThanOrEqualTo(4)
                    .allMatch(line -> line.length() <= columns);
        }
    }

    @Test
    void a_counter_that_is_gone_is_forgotten() {
        rows = rates.add(List.of(new CollectorApi.Counter("b", 5)), SECOND);
        assertThat(rows)
                .singleElement()
                .satisfies(row -> assertThat(row.rate().orElseThrow()).isEqualTo(-15));

        rows = read(2, 1, 6, 1);

        assertThat(rows.get(0).rate()).isEmpty();
        assertThat(rows.get(1).rate().orElseThrow()).isEqualTo(-7);
    }
}
