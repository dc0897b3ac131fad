package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The ledger's explanation of one counter. */
class ExplanationTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final String S2 = "from 00000000000000000000002b";
    private static final long DAY = 86_400_000;

    private final Disk disk = new Disk();
    private long now = 10 * DAY;
    private long wallSeconds = 1_700_000_000;
    private Ledger ledger = ledger();
    private Feed feed = new Feed(ledger);

    private Ledger ledger() {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")),
                true,
                () -> now,
                () -> wallSeconds,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                new Metrics());
    }

    private void restart() {
        disk.commit(ledger);
        ledger = ledger();
        feed = new Feed(ledger);
    }

    private Explanation explain(String name) {
        Explanation explanation = requireNonNull(ledger.explain(name));
        assertThat(explanation.adopted()
                        + explanation.parts().stream()
                                .mapToLong(Explanation.Part::applied)
                                .sum()
                        + explanation.appliedLeftOut()
                        + explanation.rest())
                .as("the sum of all parts")
                .isEqualTo(explanation.value());
        return explanation;
    }

    private Explanation.Part part(String name) {
        assertThat(explain(name).parts()).hasSize(1);
        return explain(name).parts().get(0);
    }

    @Test
    void a_counter_that_does_not_exist_has_no_explanation() {
        feed.datagram("increment a");

        assertThat(ledger.explain("b")).isNull();
        assertThat(explain("a").value()).isEqualTo(1);
        assertThat(explain("a").committed()).as("before the first commit").isZero();
    }

    @Test
    void the_value_is_split_into_streams_and_a_rest_and_the_largest_stream_comes_first() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5\ndecrement a 2 2");
        feed.datagram(S2 + " 10 1\ndecrement a 70 70");
        now += 5000;
        feed.datagram(S1 + " 5010 4\nincrement a 1 9");
        feed.datagram("increment a 100");
        disk.commit(ledger);
        feed.datagram("increment a");

        Explanation a = explain("a");

        assertThat(a.value()).isEqualTo(9 - 2 - 70 + 100 + 1);
        assertThat(a.committed()).isEqualTo(37);
        assertThat(a.rest()).isEqualTo(101);
        assertThat(a.parts())
                .containsExactly(
                        new Explanation.Part(S2.substring(5), 0, 70, -70, 5000, 0, 0, true, false),
                        new Explanation.Part(S1.substring(5), 9, 2, 7, 0, 2, 3, true, false));
    }

    @Test
    void a_stream_that_is_not_whole_explains_only_the_amounts_that_were_applied() {
        ledger.forgetEarlier();
        feed.datagram(S1 + " " + DAY + " 7\nincrement a 5 1000\ndecrement a 1 50");
        feed.datagram(S1 + " " + DAY + " 8\nincrement a 5 1010");

        assertThat(explain("a").value()).isEqualTo(5 - 1 + 10);
        assertThat(part("a").increments()).isEqualTo(1010);
        assertThat(part("a").decrements()).isEqualTo(50);
        assertThat(part("a").applied()).isEqualTo(14);
        assertThat(part("a").isWhole()).isFalse();
        assertThat(explain("a").rest()).isZero();
        restart();
        assertThat(part("a").applied()).as("after a restart").isEqualTo(14);
        assertThat(explain("a").rest()).isZero();
    }

    @Test
    void after_a_failed_commit_the_part_that_was_not_applied_is_still_known() {
        ledger.forgetEarlier();
        feed.datagram(S1 + " " + DAY + " 7\nincrement a 5 1000");
        disk.fail(ledger);

        restart();

        assertThat(part("a").applied()).isEqualTo(5);
    }

    @Test
    void amounts_of_a_stream_in_quarantine_are_in_the_rest() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        feed.datagram(S1 + " 20 2\nincrement a 3 " + (1L << 60));
        feed.datagram(S1 + " 30 3\nincrement a 4 " + ((1L << 60) + 4));

        assertThat(explain("a").value()).isEqualTo(12);
        assertThat(part("a").isQuarantined()).isTrue();
        assertThat(part("a").applied()).isEqualTo(5);
        assertThat(explain("a").rest()).isEqualTo(7);
    }

    @Test
    void amounts_of_a_forgotten_stream_are_in_the_rest() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        disk.commit(ledger);
        now += 2 * DAY;
        disk.commit(ledger);

        assertThat(explain("a").parts()).isEmpty();
        assertThat(explain("a").rest()).isEqualTo(5);
    }

    @Test
    void a_value_adopted_from_the_store_is_not_part_of_the_rest() {
        feed.datagram("increment a 2");
        disk.commit(ledger);
        ledger.answered(ledger.take(1, 0).get(0), new Push.Holds(40));

        assertThat(explain("a").value()).isEqualTo(42);
        assertThat(explain("a").adopted()).isEqualTo(40);
        assertThat(explain("a").rest()).isEqualTo(2);
        assertThat(explain("a").isDecremented()).isFalse();
        restart();
        assertThat(explain("a").adopted()).isEqualTo(40);
    }

    @Test
    void a_negative_value_in_the_store_means_that_the_counter_was_decremented() {
        feed.datagram("increment a 2");
        disk.commit(ledger);
        ledger.answered(ledger.take(1, 0).get(0), new Push.Holds(-40));

        assertThat(explain("a").isDecremented()).isTrue();
    }

    @Test
    void more_streams_than_are_listed_are_counted_and_summed() {
        for (int i = 1; i <= 150; i++) {
            feed.datagram("from " + String.format("sender-%017d", i) + " 10 1\nincrement a " + i + " " + i);
        }

        Explanation a = explain("a");

        assertThat(a.parts()).hasSize(100);
        assertThat(a.parts().get(0).applied()).isEqualTo(150);
        assertThat(a.partsLeftOut()).isEqualTo(50);
        assertThat(a.appliedLeftOut()).isEqualTo(50 * 51 / 2);
        assertThat(a.rest()).isZero();
    }

    @Test
    void a_counter_is_created_by_the_commit_that_contains_it_and_moves_when_its_value_changes() {
        feed.datagram("increment a\nincrement b");
        assertThat(explain("a").createdSecond()).as("not committed").isZero();
        disk.fail(ledger);
        wallSeconds += 10;
        disk.commit(ledger);
        wallSeconds += 10;
        feed.datagram("increment a\nincrement b 0");
        disk.commit(ledger);

        assertThat(explain("a").createdSecond()).isEqualTo(1_700_000_010);
        assertThat(explain("a").movedSecond()).isEqualTo(1_700_000_020);
        assertThat(explain("b").createdSecond()).isEqualTo(1_700_000_010);
        assertThat(explain("b").movedSecond()).isEqualTo(1_700_000_010);
        restart();
        assertThat(explain("a").createdSecond()).isEqualTo(1_700_000_010);
    }

    @Test
    void when_counters_moved_is_committed_after_5_minutes_even_if_nothing_else_changes() {
        feed.datagram("increment a");
        disk.commit(ledger);
        now += LastMoves.WRITTEN_EVERY_MILLIS - 1;
        assertThat(ledger.changes(1)).isNull();

        now++;

        Changes changes = requireNonNull(ledger.changes(1));
        assertThat(changes.moves().seconds()[0][0]).isEqualTo((int) wallSeconds);
        ledger.committed(changes);
        assertThat(ledger.changes(1)).isNull();
    }

    @Test
    void seconds_up_to_2106_are_kept_and_later_ones_stop_there() {
        wallSeconds = 4_000_000_000L;
        feed.datagram("increment a");
        disk.commit(ledger);
        wallSeconds = 1L << 40;
        feed.datagram("increment b");
        disk.commit(ledger);

        assertThat(explain("a").createdSecond()).isEqualTo(4_000_000_000L);
        assertThat(explain("a").movedSecond()).isEqualTo(4_000_000_000L);
        assertThat(explain("b").createdSecond()).isEqualTo((1L << 32) - 1);
    }

    @Test
    void every_way_to_subtract_counts_as_a_decrement() {
        feed.datagram("""
                increment up 5
                decrement none 0
                increment plain
                decrement plain 1
                fine:0.4|c
                half:-0.4|c
                sampled:3|c|@0.5
                """);
        feed.datagram(S1 + " 10 1\nincrement total 5 5");
        feed.datagram(S1 + " 20 2\ndecrement total 1 1");

        assertThat(decremented()).isEqualTo("half,plain,total");
        restart();
        assertThat(decremented()).isEqualTo("half,plain,total");
    }

    private @Nullable String decremented() {
        disk.commit(ledger);
        Details details = ledger.details();
        return details.decremented().stream()
                .mapToObj(place -> details.names()[place])
                .sorted()
                .reduce((a, b) -> a + "," + b)
                .orElse(null);
    }

    @Test
    void details_have_the_same_as_explanations() {
        feed.datagram("increment a\ndecrement b 2\nincrement c");
        disk.commit(ledger);
        wallSeconds += 7;
        feed.datagram("increment c\nincrement d");
        disk.commit(ledger);
        ledger.remove("a");
        disk.commit(ledger);

        Details details = ledger.details();

        assertThat(details.size()).isEqualTo(3);
        for (int i = 0; i < details.size(); i++) {
            Explanation explanation = explain(details.names()[i]);
            assertThat(details.values()[i]).isEqualTo(explanation.value());
            assertThat(details.createdSeconds()[i]).isEqualTo(explanation.createdSecond());
            assertThat(details.movedSeconds()[i]).isEqualTo(explanation.movedSecond());
            assertThat(details.decremented().get(i)).isEqualTo(explanation.isDecremented());
        }
        assertThat(details.names()).startsWith("b", "c", "d");
    }
}
