package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What a ledger has counted goes on in others, of which each gets a part of its names. */
class AdditionTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final String S2 = "from 00000000000000000000002b";
    private static final long MINUTE = 60_000;

    private long now = 5 * MINUTE;
    private long wallSeconds = 1_700_000_000;
    private int made;
    private final Ledger source = ledger();
    private final Feed feed = new Feed(source);

    private Ledger ledger() {
        return ledger(state());
    }

    private LedgerState state() {
        return new LedgerState(++made, new SeededHash(new Random(made)));
    }

    private Ledger ledger(LedgerState state) {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")), true, () -> now, () -> wallSeconds, state, new Metrics());
    }

    private static void commit(Ledger ledger) {
        new KeptRecords().commit(ledger);
    }

    /** What the part of the source's names with this beginning is, written and loaded. */
    private Ledger part(String beginning) {
        return sum(ledger(), beginning);
    }

    /** The same with what the target has counted. */
    private Ledger sum(Ledger target, String beginning) {
        commit(source);
        KeptRecords records = new KeptRecords();
        records.commit(target);
        target.add(source, name -> name.startsWith(beginning), sender -> beginning.equals("a"));
        records.commit(target);
        return ledger(records.load(state(), new Random(1)));
    }

    private static Map<String, Long> values(Ledger ledger) {
        commit(ledger);
        Map<String, Long> values = new TreeMap<>();
        Snapshot snapshot = ledger.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    @Test
    void each_part_has_its_names_and_goes_on_counting_every_stream() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5\nincrement b.x 7 7\ndecrement b.x 2 2");
        feed.datagram("increment a.plain 3\na.tenth:0.4|c");
        feed.datagram(S2 + " 0 1\nincrement b.y 1 1");

        Ledger a = part("a");
        Ledger b = part("b");

        assertThat(values(a)).isEqualTo(Map.of("a.x", 5L, "a.plain", 3L, "a.tenth", 0L));
        assertThat(values(b)).isEqualTo(Map.of("b.x", 5L, "b.y", 1L));
        now += 10 * MINUTE;
        // The second one is new to these names; nothing of the third one has arrived yet.
        new Feed(a).datagram(S1 + " 600000 2\nincrement a.x 4 11");
        new Feed(a).datagram(S2 + " 600000 2\nincrement a.x 1 4");
        new Feed(a).datagram("from 00000000000000000000003c 120000 2\nincrement a.x 1 2\na.tenth:0.1|c");
        new Feed(b).datagram(S1 + " 600000 2\nincrement b.x 0 7\ndecrement b.x 1 4");
        assertThat(values(a)).isEqualTo(Map.of("a.x", 11L + 4 + 2, "a.plain", 3L, "a.tenth", 1L));
        assertThat(values(b)).isEqualTo(Map.of("b.x", 3L, "b.y", 1L));
        assertThat(a.stamp()).isEqualTo(new StoreStamp(source.stamp().ledger(), 3));
    }

    @Test
    void one_part_counts_the_datagrams_of_a_stream() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5");
        feed.datagram(S1 + " 9 4\nincrement a.x 1 9");
        now += 5_000;

        assertThat(part("a").reports())
                .containsExactly(new StreamReport(S1.substring(5), true, false, false, 1, 4, 2, 0, 3, 5_000));
        assertThat(part("b").reports())
                .containsExactly(new StreamReport(S1.substring(5), true, false, false, 0, 0, 0, 0, 0, 5_000));
    }

    @Test
    void a_stream_that_the_source_could_have_forgotten_counts_by_its_amounts() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5");
        commit(source);
        now += 2 * 86_400_000;
        feed.datagram(S2 + " 0 1\nincrement a.y 1 1");
        commit(source);
        assertThat(source.streams()).isEqualTo(1);

        Ledger a = part("a");
        now += 7 * MINUTE;

        new Feed(a).datagram(S1 + " 173220000 9\nincrement a.x 2 20");
        new Feed(a).datagram("from 00000000000000000000003c 60000 2\nincrement a.y 1 3");
        assertThat(values(a)).isEqualTo(Map.of("a.x", 7L, "a.y", 4L));
    }

    @Test
    void what_is_known_about_counters_comes_along() {
        wallSeconds = 1_600_000_000;
        feed.datagram("increment a.x 5\nincrement a.down\nincrement a.gone 3\n" + "increment b.x");
        commit(source);
        wallSeconds = 1_650_000_000;
        feed.datagram("decrement a.down 3");
        source.remove("a.gone");
        commit(source);
        wallSeconds = 1_700_000_000;

        Ledger a = part("a");

        Details details = a.details();
        assertThat(details.size()).isEqualTo(2);
        assertThat(details.createdSeconds()[0]).isEqualTo(1_600_000_000);
        assertThat(details.movedSeconds()[0]).isEqualTo(1_600_000_000);
        assertThat(details.movedSeconds()[1]).isEqualTo(1_650_000_000);
        assertThat(details.decremented().get(0)).isFalse();
        assertThat(details.decremented().get(1)).isTrue();
    }

    @Test
    void a_removed_counter_stays_removed_and_its_totals_count_no_more() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5\nincrement a.y 1 1");
        source.remove("a.x");

        Ledger a = part("a");

        new Feed(a).datagram(S1 + " 9 2\nincrement a.x 0 5");
        assertThat(values(a)).isEqualTo(Map.of("a.y", 1L));
        new Feed(a).datagram(S1 + " 9 3\nincrement a.x 2 7");
        assertThat(values(a)).isEqualTo(Map.of("a.x", 2L, "a.y", 1L));
    }

    @Test
    void no_second_is_published_twice() {
        source.publishAt(1_700_000_010, 1);
        source.publishAt(1_700_000_020, 1);
        feed.datagram("increment a.x");

        Ledger a = part("a");
        a.publishAt(1_700_000_030, 1);
        Ledger other = ledger();
        other.publishAt(1_700_000_040, 1);
        Ledger both = sum(other, "a");

        assertThat(a.publishAt(1_700_000_020, 1)).isEmpty();
        assertThat(a.publishAt(1_700_000_021, 1)).isPresent();
        assertThat(both.publishAt(1_700_000_010, 1)).isEmpty();
        assertThat(both.publishAt(1_700_000_040, 1)).isEmpty();
        assertThat(both.publishAt(1_700_000_030, 1)).isPresent();
    }

    @Test
    void a_key_that_was_claimed_is_never_adopted() {
        feed.datagram("increment a.x 5");
        commit(source);
        source.answered(new Push(0, "a.x", Kind.READ, 0), new Push.Missing());
        commit(source);
        assertThat(source.take(10, 0)).containsExactly(new Push(0, "a.x", Kind.ADD, 5));

        Ledger a = part("a");

        Push read = new Push(0, "a.x", Kind.READ, 0);
        assertThat(a.take(10, 0)).containsExactly(read);
        a.answered(read, new Holds(5));
        assertThat(values(a)).isEqualTo(Map.of("a.x", 5L));
        assertThat(a.take(10, 0)).isEmpty();
    }

    @Test
    void what_came_back_from_a_backup_adopts_nothing_in_a_part_either() {
        feed.datagram("increment a.x 5");
        commit(source);
        source.found(new StoreStamp(source.stamp().ledger(), 99));

        Ledger a = part("a");

        new Feed(a).datagram("increment a.new 1");
        commit(a);
        assertThat(a.take(10, 0))
                .containsExactlyInAnyOrder(new Push(0, "a.x", Kind.READ, 0), new Push(1, "a.new", Kind.ADD, 1));
    }

    @Test
    void counters_of_two_ledgers_are_added_with_their_fractions() {
        feed.datagram("increment a.x 5\na.x:0.4|c\nincrement a.y 2");
        Ledger other = ledger();
        new Feed(other).datagram("increment a.x 7\na.x:0.4|c\nincrement a.z 1");

        Ledger both = sum(other, "a");

        assertThat(values(both)).isEqualTo(Map.of("a.x", 13L, "a.y", 2L, "a.z", 1L));
        new Feed(both).datagram("a.x:-0.4|c");
        assertThat(values(both)).as("5.4 + 7.4 - 0.4").containsEntry("a.x", 12L);
        assertThat(both.stamp().ledger()).isEqualTo(other.stamp().ledger());
    }

    @Test
    void a_total_that_both_have_counted_is_counted_once() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5\ndecrement a.x 4 4\nincrement a.y 1 1");
        Ledger other = ledger();
        new Feed(other).datagram(S1 + " 9 2\nincrement a.x 3 8\nincrement a.z 1 1\ndecrement a.x 0 3");
        new Feed(other).datagram(S2 + " 0 1\nincrement a.x 100 100");

        Ledger both = sum(other, "a");

        assertThat(values(both)).isEqualTo(Map.of("a.x", 100L + 8 - 4, "a.y", 1L, "a.z", 1L));
        new Feed(both).datagram(S1 + " 9 3\nincrement a.x 1 9\ndecrement a.x 0 4\nincrement a.y 0 1");
        assertThat(values(both)).isEqualTo(Map.of("a.x", 105L, "a.y", 1L, "a.z", 1L));
    }

    @Test
    void what_either_of_two_ledgers_has_forgotten_is_not_taken_for_new() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5");
        commit(source);
        now += 2 * 86_400_000;
        feed.datagram("increment a.x 1");
        commit(source);
        assertThat(source.streams()).isZero();
        // It has listened for a shorter time.
        Ledger other = ledger();
        new Feed(other).datagram("increment a.y 1");
        now += MINUTE;

        Ledger both = sum(other, "a");

        new Feed(both).datagram(S1 + " 172860000 9\nincrement a.x 2 20");
        new Feed(both).datagram("from 00000000000000000000003c 60000 2\nincrement a.y 1 3");
        assertThat(values(both)).isEqualTo(Map.of("a.x", 8L, "a.y", 4L));
    }

    @Test
    void a_stream_that_may_have_moved_to_the_other_side_and_been_forgotten_there_is_refused() {
        feed.datagram(S1 + " 0 1\nincrement a.x 100 100\nincrement a.y 1 1");
        commit(source);
        Ledger other = ledger();
        now += 2 * MINUTE;
        new Feed(other).datagram(S1 + " 120000 2\nincrement a.x 20 120");
        commit(other);
        now += 2 * 86_400_000;
        new Feed(other).datagram("increment a.z 1");
        commit(other);
        assertThat(other.streams()).isZero();

        assertThatThrownBy(() -> other.add(source, name -> true, name -> true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the counter a.x is in both, and may contain what the stream 8f2c6a1e0b7d4c93a5e1f07b has"
                        + " counted, because streams were forgotten since the other ledger's collector was stopped");
    }

    @Test
    void a_stream_that_cannot_be_among_the_forgotten_ones_is_added() {
        Ledger other = ledger();
        new Feed(other).datagram(S2 + " 0 1\nincrement a.x 5 5");
        commit(other);
        now += 2 * 86_400_000;
        new Feed(other).datagram("increment a.x 1");
        commit(other);
        assertThat(other.streams()).isZero();
        feed.datagram(S1 + " 0 1\nincrement a.x 100 100\nincrement a.y 1 1");

        assertThat(values(sum(other, "a"))).isEqualTo(Map.of("a.x", 106L, "a.y", 1L));
    }

    @Test
    void a_key_that_one_of_two_ledgers_has_claimed_is_not_adopted_by_their_sum() {
        feed.datagram("increment a.x 5");
        commit(source);
        source.answered(new Push(0, "a.x", Kind.READ, 0), new Push.Missing());
        Ledger other = ledger();
        new Feed(other).datagram("increment a.x 7");

        Ledger both = sum(other, "a");

        Push read = new Push(0, "a.x", Kind.READ, 0);
        assertThat(both.take(10, 0)).containsExactly(read);
        both.answered(read, new Holds(5));
        assertThat(values(both)).isEqualTo(Map.of("a.x", 12L));
        assertThat(both.take(10, 0)).containsExactly(new Push(0, "a.x", Kind.INCREMENT, 7));
    }

    @Test
    void a_sum_is_a_counter_that_only_goes_up_unless_one_of_the_two_went_down() {
        feed.datagram(S1 + " 0 1\nincrement a.up 5 5\nincrement a.down 5 5\na.tenths:0.6|c\ndecrement a.down");
        Ledger other = ledger();
        new Feed(other).datagram(S1 + " 9 2\nincrement a.up 3 8\nincrement a.down 1 6\na.tenths:0.6|c");

        Ledger both = sum(other, "a");

        assertThat(values(both)).isEqualTo(Map.of("a.up", 8L, "a.down", 5L, "a.tenths", 1L));
        Details details = both.details();
        for (int i = 0; i < details.size(); i++) {
            String name = details.names()[i];
            assertThat(details.decremented().get(i)).as(name).isEqualTo(name.equals("a.down"));
        }
    }

    @Test
    void a_sum_was_created_when_the_older_one_was_and_has_the_datagrams_of_both() {
        wallSeconds = 1_600_000_000;
        for (int seq = 1; seq <= 4; seq++) {
            feed.datagram(S1 + " " + seq + " " + seq + "\nincrement a.x 1 " + seq);
        }
        feed.datagram(S1 + " 4 4\nincrement a.gone 1 1");
        commit(source);
        wallSeconds = 1_700_000_000;
        Ledger other = ledger();
        new Feed(other).datagram(S1 + " 5 5\nincrement a.x 1 5");
        new Feed(other).datagram(S1 + " 7 7\nincrement a.x 1 7\nincrement a.back 1");
        commit(other);
        other.remove("a.back");
        feed.datagram("increment a.back 3");

        Ledger both = sum(other, "a");

        assertThat(values(both)).isEqualTo(Map.of("a.x", 7L, "a.gone", 1L, "a.back", 3L));
        assertThat(both.details().createdSeconds()[0]).isEqualTo(1_600_000_000);
        assertThat(both.reports())
                .containsExactly(new StreamReport(S1.substring(5), true, false, false, 2, 7, 6, 1, 5, 0));
    }

    @Test
    void what_cannot_be_added_exactly_is_refused() {
        feed.datagram(S1 + " 0 1\nincrement a.x 5 5");
        commit(source);
        Ledger late = ledger();
        late.forgetEarlier();
        new Feed(late).datagram(S1 + " 9 2\nincrement b.x 3 8");
        commit(late);
        Ledger removed = ledger();
        new Feed(removed).datagram(S1 + " 9 2\nincrement a.x 3 8");
        removed.remove("a.x");
        commit(removed);
        Ledger adopted = ledger();
        new Feed(adopted).datagram("increment a.x 1");
        adopted.answered(new Push(0, "a.x", Kind.READ, 0), new Holds(5));
        commit(adopted);

        for (Map.Entry<Ledger, String> one : Map.of(
                        late, "the stream 8f2c6a1e0b7d4c93a5e1f07b is in both",
                        removed, "the counter a.x was removed",
                        adopted, "the counter a.x is in both, and in one of them it began with a value from the store")
                .entrySet()) {
            assertThatThrownBy(() -> one.getKey().add(source, name -> true, name -> true))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(one.getValue());
        }
    }

    @Test
    void a_sum_beyond_the_range_is_refused() {
        feed.datagram("increment a.x " + (1L << 53));
        for (int i = 0; i < 9; i++) {
            commit(source);
            source.add(source, name -> true, sender -> true);
        }
        assertThat(source.value("a.x")).isEqualTo(1L << 62);

        assertThatThrownBy(() -> source.add(source, name -> true, sender -> true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("the sum of the counter a.x would exceed its range");
    }
}
