package io.counters.collector.prometheus;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.http.Exposition;
import io.counters.collector.http.Text;
import io.counters.collector.ledger.Details;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FamiliesTest {
    private final List<String> names = new ArrayList<>();
    private final List<Long> created = new ArrayList<>();
    private final List<Long> values = new ArrayList<>();
    private final BitSet decremented = new BitSet();

    /** Adds a counter with the value 1. */
    private void counter(String name, long createdSecond) {
        counter(name, createdSecond, 1, false);
    }

    private void counter(String name, long createdSecond, long value, boolean isDecremented) {
        decremented.set(names.size(), isDecremented);
        names.add(name);
        created.add(createdSecond);
        values.add(value);
    }

    private Families families() {
        long[] seconds = created.stream().mapToLong(Long::longValue).toArray();
        return new Families(new Details(
                names.toArray(String[]::new),
                values.stream().mapToLong(Long::longValue).toArray(),
                seconds,
                seconds,
                decremented,
                names.size()));
    }

    /** The lines of the samples. */
    private List<String> samples() {
        return text(Exposition.TEXT)
                .lines()
                .filter(line -> !line.startsWith("#"))
                .toList();
    }

    private String text(Exposition format) {
        return text(families(), new NamePatterns(List.of()), format);
    }

    private static String text(Families families, NamePatterns patterns, Exposition format) {
        Text text = new FamiliesText(families, families.matching(patterns), format);
        StringBuilder all = new StringBuilder();
        boolean more = true;
        while (more) {
            StringBuilder piece = new StringBuilder();
            more = text.append(piece);
            assertThat(piece.length()).isLessThan(2_000);
            all.append(piece);
        }
        return all.toString();
    }

    @Test
    void the_counters_of_one_metric_are_a_family() {
        counter("b,x=2", 5);
        counter("b-c", 5);
        counter("b", 5);
        counter("b,x=1", 5);
        counter("a", 0);

        assertThat(text(Exposition.OPEN_METRICS)).isEqualTo("""
                        # HELP a The counter a.
                        # TYPE a counter
                        a_total 1
                        # HELP b The counter b.
                        # TYPE b counter
                        b_total 1
                        b_created 5
                        b_total{x="1"} 1
                        b_created{x="1"} 5
                        b_total{x="2"} 1
                        b_created{x="2"} 5
                        # HELP b_c The counter b-c.
                        # TYPE b_c counter
                        b_c_total 1
                        b_c_created 5
                        # EOF
                        """);
    }

    @Test
    void without_counters_there_is_a_valid_empty_text() {
        assertThat(text(Exposition.OPEN_METRICS)).isEqualTo("# EOF\n");
        assertThat(text(Exposition.TEXT)).isEmpty();
    }

    @Test
    void values_are_exact() {
        counter("a", 0, Long.MAX_VALUE, false);
        counter("b", 0, Long.MIN_VALUE, false);
        counter("c", 0, 10_000_000, false);

        assertThat(samples())
                .containsExactly("a_total 9223372036854775807", "b -9223372036854775808", "c_total 10000000");
    }

    @Test
    void one_counter_that_was_decremented_makes_its_metric_a_gauge() {
        counter("sessions.total,host=a", 7);
        counter("sessions.total,host=b", 7, 2, true);

        assertThat(text(Exposition.OPEN_METRICS)).isEqualTo("""
                        # HELP sessions The counter sessions.total.
                        # TYPE sessions gauge
                        sessions{host="a"} 1
                        sessions{host="b"} 2
                        # EOF
                        """);
    }

    @Test
    void the_metric_that_was_created_first_has_the_plain_name() {
        counter("orders-placed", 30);
        counter("orders.placed", 20);
        counter("orders.placed,x=1", 40);
        counter("orders_placed", 25);
        counter("orders_placed.total", 50);

        assertThat(samples())
                .containsExactly(
                        "U__orders_2d_placed_total 1",
                        "orders_placed_total 1",
                        "orders_placed_total{x=\"1\"} 1",
                        "U__orders__placed_total 1",
                        "U__orders__placed_2e_total_total 1");
        assertThat(families().collisions())
                .contains("the counters orders.placed and orders-placed are both orders_placed for Prometheus, so the"
                        + " latter is U__orders_2d_placed; give one of them another name");
        assertThat(families().collisionsCount()).isEqualTo(3);
    }

    @Test
    void metrics_of_the_same_or_an_unknown_second_are_ordered_by_name() {
        counter("a_b", 0);
        counter("a.b", 0);

        assertThat(samples()).containsExactly("a_b_total 1", "U__a__b_total 1");
    }

    @Test
    void a_gauge_and_a_counter_with_one_plain_name_get_different_names() {
        counter("a.b", 1);
        counter("a_b", 2, 5, true);

        assertThat(samples()).containsExactly("a_b_total 1", "U__a__b 5");
    }

    @Test
    void a_gauge_is_not_called_like_a_counters_sample() {
        counter("a", 1);
        counter("a.total.total", 2, 5, true);

        assertThat(samples()).containsExactly("a_total 1", "U__a_2e_total_2e_total 5");
    }

    @Test
    void names_that_look_escaped_and_gauges_that_look_like_times_are_always_escaped() {
        counter("U__a", 1);
        counter("a", 2);
        counter("a.created", 1, 5, true);
        counter("b.created", 1);

        assertThat(samples())
                .containsExactly("U__U____a_total 1", "a_total 1", "U__a_2e_created 5", "b_created_total 1");
        assertThat(families().collisionsCount()).isZero();
    }

    @Test
    void the_tag_key_that_was_created_first_has_the_plain_label() {
        counter("a,x.y=1", 20);
        counter("a,x_y=1", 10);
        counter("a,z-1=1", 30);
        counter("b,x.y=1", 40);

        assertThat(samples())
                .containsExactly(
                        "a_total{U__x_2e_y=\"1\"} 1",
                        "a_total{x_y=\"1\"} 1",
                        "a_total{z_1=\"1\"} 1",
                        "b_total{x_y=\"1\"} 1");
        assertThat(families().collisions())
                .containsExactly(
                        "the tag keys x_y and x.y of the counter a are both x_y for Prometheus, so the latter is"
                                + " U__x_2e_y; give one of them another name");
    }

    @Test
    void equal_keys_in_one_counter_escape_all_of_its_keys() {
        counter("a,b=0,x.y=1,x_y=2", 1);
        counter("a,b=0,x.y=3", 1);

        assertThat(samples())
                .containsExactly("a_total{U__b=\"0\",U__x_2e_y=\"1\",U__x__y=\"2\"} 1", "a_total{b=\"0\",x_y=\"3\"} 1");
    }

    @Test
    void a_metric_with_too_many_keys_has_escaped_labels() {
        for (int i = 0; i <= Families.KEYS_MAX; i++) {
            counter("a,k." + i + "=1", 1);
        }

        assertThat(samples()).hasSize(Families.KEYS_MAX + 1).allMatch(line -> line.startsWith("a_total{U__k_2e_"));
        assertThat(families().collisionsCount()).isEqualTo(1);
    }

    @Test
    void a_filter_does_not_change_names() {
        counter("a_b", 1);
        counter("a.b", 2);

        assertThat(text(families(), new NamePatterns(List.of("a.b")), Exposition.TEXT))
                .contains("\nU__a_2e_b_total 1\n");
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    /** Names of few letters, so that many plain names are equal; no two series and no two families may be equal. */
    @ParameterizedTest
    @MethodSource("seeds")
    void random_names_never_give_equal_series_or_families(int seed) {
        Random random = new Random(seed);
        Set<String> different = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            String name = some(random, "._-", 3) + ".total".repeat(Math.max(0, random.nextInt(6) - 3));
            String tags = random.nextBoolean() ? "" : ",a" + some(random, "._", 2) + "=" + random.nextInt(2);
            String more = tags.isEmpty() || random.nextBoolean() ? "" : ",b" + some(random, "-_", 1) + "=1";
            if (different.add(name + tags + more)) {
                counter(name + tags + more, random.nextInt(5), random.nextInt(9), random.nextInt(9) == 0);
            }
        }

        for (Exposition format : Exposition.values()) {
            List<String> lines = text(format).lines().toList();
            List<String> samples = lines.stream()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .toList();
            List<String> types = lines.stream()
                    .filter(line -> line.startsWith("# TYPE"))
                    .map(line -> line.split(" ", -1)[2])
                    .toList();

            assertThat(samples).hasSizeGreaterThanOrEqualTo(names.size()).doesNotHaveDuplicates();
            assertThat(types).doesNotHaveDuplicates();
        }
    }

    private static String some(Random random, String letters, int most) {
        StringBuilder some = new StringBuilder("x");
        for (int i = random.nextInt(most + 1); i > 0; i--) {
            some.append(letters.charAt(random.nextInt(letters.length()))).append(random.nextBoolean() ? "" : "y");
        }
        return some.toString();
    }
}
