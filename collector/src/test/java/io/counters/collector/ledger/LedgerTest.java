package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the ledger applies of each line: each row of the table in the package's Javadoc, and the bounds. */
class LedgerTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final String S2 = "from 00000000000000000000002b";
    private static final long DAY = 86_400_000;
    private static final long AMOUNT_MAX = 1L << 53;

    private final Metrics metrics = new Metrics();
    private long now = 10 * DAY;
    private long wallSeconds = 1_700_000_000;
    private LedgerSettings bounds = LedgerSettings.in(Path.of("unused"));
    private final Disk disk = new Disk();
    private Ledger ledger = ledger();
    private Feed feed = new Feed(ledger);

    private Ledger ledger() {
        return ledger(disk.load(state()));
    }

    private Ledger ledger(LedgerState state) {
        return new Ledger(bounds, false, () -> now, () -> wallSeconds, state, metrics);
    }

    private static LedgerState state() {
        return new LedgerState(1, new SeededHash(new Random(1)));
    }

    private void restored(Changes.Head head) {
        LedgerState state = state();
        state.set(head);
        ledger = ledger(state);
        feed = new Feed(ledger);
    }

    private void bounds(int counters, int streams, int watermarks) {
        bounds = new LedgerSettings(
                Path.of("unused"),
                counters * NameTable.memory(1),
                Long.MAX_VALUE,
                streams,
                Integer.MAX_VALUE,
                watermarks,
                DAY);
        restart();
    }

    private void restart() {
        disk.commit(ledger);
        crash();
    }

    private void crash() {
        ledger = ledger();
        feed = new Feed(ledger);
    }

    private long value(String name) {
        disk.commit(ledger);
        return disk.values().getOrDefault(name, Long.MIN_VALUE);
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    @Test
    void a_line_without_from_applies_its_amount_every_time() {
        feed.datagram("increment a");
        feed.datagram("increment a 5 70\ndecrement a 2");
        feed.datagram("increment a 5 70");

        assertThat(value("a")).isEqualTo(1 + 5 - 2 + 5);
    }

    @Test
    void a_line_without_a_total_applies_its_amount_and_keeps_no_watermark() {
        feed.datagram(S1 + " 10 1\nincrement a 5");
        feed.datagram(S1 + " 10 1\nincrement a 5");
        feed.datagram(S1 + " 20 2\nincrement a 1 100");

        assertThat(value("a")).isEqualTo(5 + 5 + 100);
    }

    @Test
    void a_total_at_or_below_the_watermark_applies_nothing() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        feed.datagram(S1 + " 20 2\nincrement a 5 10");
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        feed.datagram(S1 + " 20 2\nincrement a 5 10");

        assertThat(value("a")).isEqualTo(10);
        assertThat(counted("ledger_nothing_new_lines_total")).isEqualTo(2);
    }

    @Test
    void a_total_above_the_watermark_applies_the_difference() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        feed.datagram(S1 + " 30 3\nincrement a 2 12");

        assertThat(value("a")).isEqualTo(12);
        assertThat(counted("ledger_healed_total")).isEqualTo(5);
    }

    @Test
    void the_first_line_of_a_whole_stream_applies_its_total() {
        feed.datagram(S1 + " 99000 99\nincrement a 2 40");

        assertThat(value("a")).isEqualTo(40);
    }

    @Test
    void a_stream_that_is_not_whole_applies_its_first_amount_and_then_differences() {
        restored(new Changes.Head(1, 1, 0, DAY, 0, true));

        feed.datagram(S1 + " " + DAY + " 9\nincrement a 2 40");
        feed.datagram(S1 + " " + DAY + " 9\nincrement a 2 40");
        feed.datagram(S1 + " " + DAY + " 10\nincrement a 1 45");

        assertThat(value("a")).isEqualTo(2 + 5);
    }

    @Test
    void a_stream_younger_than_the_watch_is_whole() {
        restored(new Changes.Head(1, 1, 0, DAY, 0, true));

        feed.datagram(S1 + " " + (DAY - 1) + " 9\nincrement a 2 40");

        assertThat(value("a")).isEqualTo(40);
    }

    @Test
    void a_stream_that_was_whole_when_it_was_first_heard_stays_whole() {
        restored(new Changes.Head(1, 1, 0, 1000, 0, true));
        feed.datagram(S1 + " 500 1\nincrement a 1 1");
        now += DAY;

        feed.datagram(S1 + " " + DAY + " 9\nincrement b 2 40");
        restart();
        feed.datagram(S1 + " " + DAY + " 9\nincrement c 3 50");

        assertThat(value("b")).isEqualTo(40);
        assertThat(value("c")).isEqualTo(50);
    }

    @Test
    void increments_and_decrements_have_separate_totals() {
        feed.datagram(S1 + " 10 1\nincrement a 3 3\ndecrement a 7 7");
        feed.datagram(S1 + " 30 3\nincrement a 1 5\ndecrement a 1 11");
        feed.datagram(S1 + " 30 3\nincrement a 1 5\ndecrement a 1 11");

        assertThat(value("a")).isEqualTo(5 - 11);
    }

    @Test
    void streams_do_not_share_watermarks() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        feed.datagram(S2 + " 10 1\nincrement a 5 5");

        assertThat(value("a")).isEqualTo(10);
        assertThat(ledger.streams()).isEqualTo(2);
    }

    @Test
    void a_name_with_its_tags_in_another_order_is_the_same_counter() {
        feed.datagram("increment a,x=1,y=2\nincrement a,y=2,x=1");

        assertThat(value("a,x=1,y=2")).isEqualTo(2);
        assertThat(ledger.size()).isEqualTo(1);
    }

    @Test
    void an_amount_of_0_creates_a_counter_at_0() {
        feed.datagram(S1 + " 10 1\nincrement a 0 0");

        assertThat(value("a")).isZero();
    }

    @Test
    void without_room_for_a_watermark_amounts_count_and_the_stream_is_no_longer_whole() {
        bounds(10, 10, 1);

        feed.datagram(S1 + " 10 1\nincrement a 5 5\nincrement b 5 50");
        feed.datagram(S1 + " 10 1\nincrement a 5 5\nincrement b 5 50");
        assertThat(value("a")).isEqualTo(5);
        assertThat(value("b"))
                .as("a duplicate counts twice, because there is no watermark")
                .isEqualTo(10);
        bounds(10, 10, 10);
        feed.datagram(S1 + " 20 2\nincrement b 1 60\nincrement a 1 9");

        assertThat(value("b")).as("not whole, even after a restart").isEqualTo(11);
        assertThat(value("a")).as("an existing watermark still heals").isEqualTo(9);
        assertThat(counted("ledger_no_room_lines_total")).isEqualTo(2);
    }

    @Test
    void without_room_for_a_stream_its_amounts_count() {
        bounds(10, 1, 10);
        feed.datagram(S1 + " 10 1\nincrement a 1 1");

        feed.datagram(S2 + " 10 7\nincrement a 5 50");
        feed.datagram(S2 + " 20 8\nincrement a 5 55");

        assertThat(value("a")).isEqualTo(1 + 5 + 5);
        assertThat(ledger.streams()).isEqualTo(1);
    }

    @Test
    void a_stream_for_which_there_was_no_room_is_not_whole_later() {
        bounds(10, 1, 10);
        feed.datagram(S1 + " 10 1\nincrement a 1 1");
        feed.datagram(S2 + " 10 7\nincrement a 5 50");

        bounds(10, 2, 10);
        now += DAY;
        feed.datagram(S2 + " " + (DAY + 10) + " 8\nincrement a 5 55");
        feed.datagram(S2 + " " + (DAY + 20) + " 9\nincrement a 5 60");

        assertThat(value("a")).isEqualTo(1 + 5 + 5 + 5);
    }

    @Test
    void a_stream_that_began_well_after_there_was_no_room_is_whole() {
        bounds(10, 1, 10);
        feed.datagram(S1 + " 10 1\nincrement a 1 1");
        feed.datagram(S2 + " 10 7\nincrement a 5 50");

        bounds(10, 2, 10);
        now += DAY;
        feed.datagram("from 00000000000000000000003c 5000 3\nincrement a 5 55");

        assertThat(value("a")).isEqualTo(1 + 5 + 55);
    }

    @Test
    void names_without_room_are_counted_together() {
        bounds(2, 10, 10);
        feed.datagram(S1 + " 10 1\nincrement a 1 1\nincrement b 1 1");

        feed.datagram(S1 + " 20 2\nincrement c 4 40\ndecrement d 1\nincrement a 1 3");

        assertThat(value(Ledger.OVERFLOW)).isEqualTo(3);
        assertThat(value("a")).isEqualTo(3);
        assertThat(disk.values()).containsOnlyKeys("a", "b", Ledger.OVERFLOW);
        assertThat(counted("ledger_overflow_lines_total")).isEqualTo(2);
    }

    @Test
    void a_stream_that_was_counted_as_overflow_is_no_longer_whole() {
        bounds(1, 10, 10);
        feed.datagram(S1 + " 10 1\nincrement a 1 1\nincrement b 2 2");

        bounds(10, 10, 10);
        feed.datagram(S1 + " 20 2\nincrement b 3 5");

        assertThat(value(Ledger.OVERFLOW)).isEqualTo(2);
        assertThat(value("b")).isEqualTo(3);
    }

    @Test
    void a_jump_of_2_to_the_53_is_applied() {
        feed.datagram(S1 + " 10 1\nincrement a 1 " + AMOUNT_MAX);
        feed.datagram(S1 + " 10 2\nincrement a 1 " + 2 * AMOUNT_MAX);

        assertThat(value("a")).isEqualTo(2 * AMOUNT_MAX);
        assertThat(counted("ledger_quarantined_streams_total")).isZero();
    }

    @ParameterizedTest
    @CsvSource({"true, 0", "true, 7", "false, 0", "false, 7"})
    void a_larger_jump_puts_the_stream_in_quarantine_and_only_its_amounts_count(boolean whole, long watermark) {
        restored(new Changes.Head(1, 1, 0, 0, whole ? Changes.Head.FOR_EVER : 0, true));
        feed.datagram(S1 + " 10 1\nincrement a " + watermark + (watermark > 0 ? " " + watermark : ""));

        long total = watermark + AMOUNT_MAX + 1;
        feed.datagram(S1 + " 20 2\nincrement a 2 " + total);
        feed.datagram(S1 + " 20 2\nincrement a 2 " + total);
        restart();
        feed.datagram(S1 + " 30 3\nincrement a 3 " + (total + 100) + "\nincrement b 4 1000\ndecrement b 1 10");

        assertThat(value("a")).as("a duplicate counts twice").isEqualTo(watermark + 2 + 2 + 3);
        assertThat(value("b")).isEqualTo(4 - 1);
        assertThat(counted("ledger_quarantined_streams_total")).isEqualTo(1);
    }

    @Test
    void a_stream_in_quarantine_does_not_affect_others() {
        feed.datagram(S1 + " 20 2\nincrement a 2 " + Long.MAX_VALUE);
        feed.datagram(S2 + " 20 2\nincrement a 2 40");

        assertThat(value("a")).isEqualTo(42);
    }

    @Test
    void many_counters_of_many_streams_have_separate_watermarks() {
        for (int round = 1; round <= 2; round++) {
            for (int sender = 0; sender < 20; sender++) {
                StringBuilder datagram = new StringBuilder("from sender-0000000000000-" + sender + " 10 " + round);
                for (int name = 0; name < 500; name++) {
                    datagram.append("\nincrement up." + name + " 1 " + round * (name + 1));
                    datagram.append("\ndecrement down." + name + " 1 " + round * (sender + 1));
                }
                feed.datagram(datagram.toString());
            }
            restart();
        }

        for (int name = 0; name < 500; name++) {
            assertThat(value("up." + name)).isEqualTo(2L * 20 * (name + 1));
            assertThat(value("down." + name)).isEqualTo(-2L * 210);
        }
    }

    @Test
    void an_uncommitted_change_is_lost_as_a_whole_and_heals() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        disk.commit(ledger);
        feed.datagram(S1 + " 20 2\nincrement a 5 10\nincrement b 1 1");

        crash();
        assertThat(disk.values()).containsExactlyEntriesOf(java.util.Map.of("a", 5L));
        feed.datagram(S1 + " 30 3\nincrement a 0 10\nincrement b 0 1");

        assertThat(value("a")).isEqualTo(10);
        assertThat(value("b")).isEqualTo(1);
    }

    @Test
    void a_failed_commit_is_part_of_the_next_one() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5\ndecrement a 1 1");
        Changes failed = requireNonNull(ledger.changes(1));
        feed.datagram(S1 + " 20 2\nincrement b 1 1");
        ledger.putBack(failed);

        disk.commit(ledger);
        crash();
        feed.datagram(S1 + " 20 2\nincrement a 5 5\ndecrement a 1 1\nincrement b 1 1");

        assertThat(value("a")).isEqualTo(4);
        assertThat(value("b")).isEqualTo(1);
    }

    @Test
    void a_snapshot_shows_committed_values_only() {
        feed.datagram("increment a 5");
        assertThat(ledger.snapshot().size()).isZero();

        disk.commit(ledger);
        feed.datagram("increment a 5\nincrement b");
        Snapshot snapshot = ledger.snapshot();

        assertThat(snapshot.size()).isEqualTo(1);
        assertThat(snapshot.names()[0]).isEqualTo("a");
        assertThat(snapshot.values()[0]).isEqualTo(5);
    }

    @Test
    void a_repeated_datagram_needs_no_commit() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        disk.commit(ledger);

        feed.datagram(S1 + " 10 1\nincrement a 5 5");

        assertThat(ledger.changes(1)).isNull();
    }

    @Test
    void no_second_is_used_twice_even_after_a_restart() {
        assertThat(ledger.publishAt(100, 10)).hasValue(100);
        assertThat(ledger.publishAt(100, 10)).hasValue(101);
        assertThat(ledger.publishAt(90, 10)).hasValue(90);
        restart();

        assertThat(ledger.publishAt(100, 10)).hasValue(102);
        assertThat(ledger.publishAt(90, 1)).isEmpty();
        assertThat(ledger.publishAt(200, 10)).hasValue(200);
    }

    @Test
    void the_clock_begins_at_the_later_of_wall_clock_and_last_commit_and_is_monotonic() {
        long[] nanos = {5};
        LedgerClock behind = new LedgerClock(1_000_000, 7, () -> nanos[0]);
        LedgerClock ahead = new LedgerClock(7, 2_000_000, () -> nanos[0]);

        nanos[0] += 3_000_000;

        assertThat(behind.getAsLong()).isEqualTo(1_000_003);
        assertThat(ahead.getAsLong()).isEqualTo(2_000_003);
    }
}
