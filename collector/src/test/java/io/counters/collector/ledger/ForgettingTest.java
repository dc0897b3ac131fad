package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** When the ledger forgets a stream, and how it merges one that it may have forgotten. */
class ForgettingTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final String S2 = "from 00000000000000000000002b";
    private static final long MINUTE = 60_000;
    private static final long HOUR = 3_600_000;
    private static final long A_NAME = NameTable.memory(1);

    private final Metrics metrics = new Metrics();
    private long now = 1_000 * HOUR;
    private final Disk disk = new Disk();
    private Ledger ledger = ledger();
    private Feed feed = new Feed(ledger);

    private Ledger ledger() {
        Ledger made = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                () -> now,
                () -> 0,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                metrics);
        LedgerGauges.register(made, () -> List.of(made), metrics);
        return made;
    }

    /** Lets time pass while the ledger is listening. */
    private void listen(long millis) {
        for (long until = now + millis; now < until; ) {
            now = Math.min(until, now + HOUR);
            disk.commit(ledger);
        }
    }

    /** Lets time pass while the ledger is down. */
    private void down(long millis) {
        disk.commit(ledger);
        now += millis;
        ledger = ledger();
        feed = new Feed(ledger);
    }

    private long value(String name) {
        disk.commit(ledger);
        return disk.values().getOrDefault(name, 0L);
    }

    @Test
    void a_stream_that_was_silent_for_a_day_is_forgotten_and_its_values_stay() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5\ndecrement a 1 1");
        listen(23 * HOUR);
        assertThat(ledger.streams()).isEqualTo(1);

        listen(2 * HOUR);

        assertThat(ledger.streams()).isZero();
        assertThat(value("a")).isEqualTo(4);
        assertThat(requireNonNull(ledger.explain("a")).rest()).isEqualTo(4);
        assertThat(metrics.values()).containsEntry("ledger_watermarks", 0L);
        down(0);
        assertThat(ledger.streams()).isZero();
        assertThat(value("a")).isEqualTo(4);
    }

    @Test
    void a_stream_that_only_repeats_totals_is_kept() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5");
        for (int i = 2; i < 12; i++) {
            listen(20 * HOUR);
            feed.datagram(S1 + " " + (i * 20L * HOUR) + " " + i + "\nincrement a 0 5");
        }

        assertThat(ledger.streams()).isEqualTo(1);
        feed.datagram(S1 + " 999999999 12\nincrement a 1 9");
        assertThat(value("a")).isEqualTo(9);
    }

    @Test
    void time_that_the_ledger_is_down_does_not_count() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5");
        listen(13 * HOUR);
        down(100 * HOUR);
        listen(10 * HOUR);
        assertThat(ledger.streams()).isEqualTo(1);

        feed.datagram(S1 + " 999999999 2\nincrement a 1 7");

        assertThat(value("a")).isEqualTo(7);
    }

    @Test
    void a_stream_that_returns_after_it_was_forgotten_counts_by_amounts() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5");
        listen(30 * HOUR);

        feed.datagram(S1 + " " + (30 * HOUR) + " 2\nincrement a 2 7");
        feed.datagram(S1 + " " + (30 * HOUR) + " 3\nincrement a 1 9");

        assertThat(value("a")).as("the amount, then what the watermark heals").isEqualTo(5 + 2 + 2);
    }

    @Test
    void a_stream_that_began_after_the_last_forgotten_one_was_heard_is_whole() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5");
        listen(30 * HOUR);

        feed.datagram(S2 + " " + (29 * HOUR) + " 7\nincrement a 1 4");

        assertThat(value("a")).isEqualTo(9);
    }

    @Test
    void a_delayed_datagram_of_a_forgotten_stream_counts_by_its_amount() {
        feed.datagram(S1 + " 1000 1\nincrement a 5 5");
        listen(30 * HOUR);

        feed.datagram(S1 + " " + (30 * HOUR - MINUTE / 2) + " 1\nincrement a 1 5");

        assertThat(value("a")).as("its amount counts again, its total does not").isEqualTo(6);
    }

    @Test
    void new_names_beyond_the_rate_wait_for_their_repetition_or_count_as_overflow() {
        LedgerSettings usual = LedgerSettings.in(Path.of("unused"));
        Ledger slow = new Ledger(
                new LedgerSettings(usual.folder(), 100 * A_NAME, 2 * A_NAME, 100, 100, 100, usual.expiryMillis()),
                false,
                () -> now,
                () -> 0,
                new LedgerState(1, new SeededHash(new Random(1))),
                metrics);
        Feed feed = new Feed(slow);
        feed.datagram(S1 + " 1 1\nincrement a 1 1\nincrement b 1 1\nincrement c 1 1");
        feed.datagram("increment d 5");
        assertThat(slow.value("c")).isZero();
        assertThat(slow.value("counters.overflow")).isEqualTo(5);

        now += MINUTE;
        feed.datagram(S1 + " 60000 2\nincrement c 0 1");

        assertThat(slow.value("c")).isEqualTo(1);
        assertThat(metrics.values()).containsEntry("ledger_deferred_lines_total", 1L);
    }

    @Test
    void a_connection_whose_stream_was_forgotten_counts_by_amounts() {
        byte[] id = "8f2c6a1e0b7d4c93a5e1f07b".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        InboundStream held = ledger.stream(id, 0, id.length, 1000, 1, 0);
        ledger.merge(held, io.counters.wire.Verb.INCREMENT, new byte[] {'a'}, 0, 1, 5, 5);
        listen(30 * HOUR);

        ledger.merge(held, io.counters.wire.Verb.INCREMENT, new byte[] {'a'}, 0, 1, 1, 9);

        assertThat(value("a")).isEqualTo(6);
        assertThat(ledger.streams()).isZero();
    }

    @Test
    void a_new_ledger_on_the_store_of_another_ledger_ignores_totals_of_older_streams() {
        assertThat(ledger.found(new StoreStamp(99, 7))).contains("another ledger");

        feed.datagram(S1 + " 60000 2\nincrement a 2 100");
        now += MINUTE;
        feed.datagram(S2 + " 1000 1\nincrement a 2 3");

        assertThat(value("a")).isEqualTo(2 + 3);
    }

    @Test
    void a_ledger_restored_from_a_backup_adopts_nothing_even_after_a_restart() {
        Ledger restored = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                true,
                () -> now,
                () -> 0,
                new LedgerState(1, new SeededHash(new Random(1))),
                metrics);
        new Feed(restored).datagram("increment old 1");
        disk.commit(restored);
        assertThat(restored.found(new StoreStamp(1, restored.stamp().commit() + 5)))
                .contains("backup");

        for (int life = 0; life < 2; life++) {
            String name = "born.after." + life;
            new Feed(restored).datagram("increment " + name + " 10");
            for (int round = 0; round < 6; round++) {
                disk.commit(restored);
                for (Push push : restored.take(10, 0)) {
                    restored.answered(push, new Push.Holds(10));
                }
            }
            assertThat(restored.value(name))
                    .as("later values of this ledger in the store are not adopted")
                    .isEqualTo(10);

            restored = new Ledger(
                    LedgerSettings.in(Path.of("unused")),
                    true,
                    () -> now,
                    () -> 0,
                    disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                    metrics);
        }
    }

    @Test
    void a_stamp_that_was_written_can_be_read() {
        StoreStamp stamp = new StoreStamp(-5, 1234);

        assertThat(StoreStamp.of(stamp.toString())).contains(stamp);
        assertThat(StoreStamp.of("ledger x commit 1")).isEmpty();
        assertThat(ledger.found(null)).isNull();
        assertThat(ledger.found(ledger.stamp())).isNull();
    }

    @Test
    void lost_and_repeated_datagrams_are_counted_by_their_numbers() {
        for (int seq : new int[] {1, 2, 5, 5, 4, 9}) {
            feed.datagram(S1 + " 1000 " + seq + "\nincrement a 1 " + seq);
        }

        StreamReport report = ledger.reports().get(0);
        assertThat(report.sent()).isEqualTo(9);
        assertThat(report.received()).isEqualTo(5);
        assertThat(report.repeated()).isEqualTo(1);
        assertThat(report.lost()).isEqualTo(4);
        assertThat(report.healed()).isEqualTo(9 - 4);
        assertThat(report.isSplit()).isFalse();
        feed.datagram(S1 + " 1000 50\nincrement a 1 50");
        assertThat(ledger.reports().get(0).isSplit()).isTrue();
        down(HOUR);
        assertThat(ledger.reports().get(0))
                .isEqualTo(
                        new StreamReport("8f2c6a1e0b7d4c93a5e1f07b", true, false, false, 1, 50, 6, 1, 9 - 4 + 40, 0));
    }
}
