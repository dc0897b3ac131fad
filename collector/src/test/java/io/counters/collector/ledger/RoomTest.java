package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.wire.Verb;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Who gets room in the ledger, and who gives way: names, streams, watermarks. */
class RoomTest {
    private static final String HONEST = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final long MINUTE = 60_000;
    private static final long HOME = 1;
    private static final long ATTACKER = 2;

    private final Self self = new Self();
    private long now;
    private final Disk disk = new Disk();
    private LedgerSettings bounds = bounds(40, 400, 1_000);
    private Ledger ledger = ledger();
    private Feed home = new Feed(ledger, HOME);
    private Feed attacker = new Feed(ledger, ATTACKER);

    private static LedgerSettings bounds(int newStreams, int streams, int watermarks) {
        return new LedgerSettings(
                Path.of("unused"), 1 << 20, 1 << 20, streams, newStreams, watermarks, Long.MAX_VALUE / 2);
    }

    private Ledger ledger() {
        return new Ledger(bounds, false, () -> now, 1, new SeededHash(new Random(1)), self);
    }

    private void begin(LedgerSettings with) {
        bounds = with;
        ledger = ledger();
        home = new Feed(ledger, HOME);
        attacker = new Feed(ledger, ATTACKER);
    }

    private static String forged(int number) {
        return "from " + String.format("forged-%017d", number) + " 1000 1";
    }

    private long counted(String name) {
        return self.values().getOrDefault(name, 0L);
    }

    @Test
    void a_from_line_alone_takes_no_room_nor_does_one_with_lines_without_totals() {
        for (int i = 0; i < 10_000; i++) {
            attacker.datagram(forged(i));
            attacker.datagram(forged(i) + "\nincrement a 1");
        }

        assertThat(ledger.streams()).isZero();
        assertThat(ledger.value("a")).isEqualTo(10_000);
    }

    @Test
    void a_flood_of_from_lines_makes_no_honest_sender_count_twice() {
        for (int i = 0; i < 100_000; i++) {
            attacker.datagram(forged(i));
        }

        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 20 3\nincrement a 1 9");

        assertThat(ledger.value("a")).isEqualTo(9);
    }

    @Test
    void one_address_takes_a_quarter_of_the_places_that_are_new_in_a_minute() {
        for (int i = 0; i < 1_000; i++) {
            attacker.datagram(forged(i) + "\nincrement forged 1 1");
        }
        assertThat(ledger.streams()).isEqualTo(10);

        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 10 1\nincrement a 5 5");

        assertThat(ledger.value("a")).isEqualTo(5);
        assertThat(ledger.streams()).isEqualTo(11);
    }

    @Test
    void a_stream_beyond_the_rate_waits_and_is_exact_once_it_gets_its_place() {
        for (long address = 2; address < 6; address++) {
            Feed flood = new Feed(ledger, address);
            for (int i = 0; i < 100; i++) {
                flood.datagram(forged((int) address * 1_000 + i) + "\nincrement forged 1 1");
            }
        }
        assertThat(ledger.streams()).isEqualTo(40);

        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        assertThat(ledger.value("a")).isZero();
        now += MINUTE;
        home.datagram(HONEST + " 60010 2\nincrement a 0 5");
        home.datagram(HONEST + " 60010 2\nincrement a 0 5");

        assertThat(ledger.value("a")).isEqualTo(5);
        assertThat(counted("ledger_deferred_lines_total")).isPositive();
    }

    @Test
    void streams_that_said_least_give_way_first() {
        for (int i = 1; i <= 50; i++) {
            home.datagram(HONEST + " 10 " + i + "\nincrement a 1 " + i);
        }
        int flooded = 0;
        for (int minute = 0; minute < 60; minute++) {
            now += MINUTE;
            for (int i = 0; i < 20; i++) {
                attacker.datagram(forged(flooded++) + "\nincrement forged 1 1");
            }
        }
        assertThat(counted("ledger_crowded_out_streams_total")).isPositive();
        assertThat(ledger.streams()).isLessThanOrEqualTo(400);

        home.datagram(HONEST + " " + 60 * MINUTE + " 50\nincrement a 1 50");
        home.datagram(HONEST + " " + 60 * MINUTE + " 52\nincrement a 1 53");

        assertThat(ledger.value("a")).as("its watermark is there still").isEqualTo(53);
    }

    @Test
    void a_stream_that_gave_way_is_not_whole_when_it_comes_back() {
        attacker.datagram(forged(0) + "\nincrement a 7 7");
        int flooded = 1;
        for (int minute = 0; minute < 60; minute++) {
            now += MINUTE;
            for (int i = 0; i < 20; i++) {
                attacker.datagram(forged(flooded++) + "\nincrement forged 1 1");
            }
        }

        attacker.datagram(
                "from " + String.format("forged-%017d", 0) + " " + (60 * MINUTE + 1000) + " 1\nincrement a 0 7");

        assertThat(ledger.value("a")).as("no total is taken twice").isEqualTo(7);
    }

    @Test
    void watermarks_of_streams_that_said_least_give_way_to_one_that_said_more() {
        begin(bounds(400, 400, 100));
        for (int i = 0; i < 100; i++) {
            attacker.datagram(forged(i) + "\nincrement forged 1 1");
        }
        assertThat(counted("ledger_watermarks")).isEqualTo(100);

        for (int i = 1; i <= 3; i++) {
            now += 2_000;
            home.datagram(HONEST + " 10 " + i + "\nincrement a 1 " + i);
        }
        home.datagram(HONEST + " 10 4\nincrement b 2 2");
        home.datagram(HONEST + " 10 4\nincrement b 2 2");

        assertThat(ledger.value("b")).isEqualTo(2);
    }

    @Test
    void names_are_bounded_by_the_memory_that_they_take_and_the_sum_stays_true() {
        begin(new LedgerSettings(Path.of("unused"), 100_000, 1 << 20, 100, 100, 100, Long.MAX_VALUE / 2));
        String longName = "n".repeat(240);
        for (int i = 0; i < 1_000; i++) {
            attacker.datagram("increment " + longName + i + " 2");
        }

        assertThat(ledger.size()).isBetween(100, 160);
        assertThat(counted("ledger_names_bytes")).isLessThanOrEqualTo(100_000 + NameTable.memory(20));
        disk.commit(ledger);
        assertThat(disk.values().values().stream().mapToLong(Long::longValue).sum())
                .isEqualTo(2_000);
    }

    @Test
    void a_flood_of_new_names_leaves_room_for_others_in_the_next_minute() {
        begin(new LedgerSettings(Path.of("unused"), 100_000, 10_000, 100, 100, 100, Long.MAX_VALUE / 2));
        for (int i = 0; i < 10_000; i++) {
            attacker.datagram("increment flood." + i);
        }
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        assertThat(ledger.value("a")).isZero();

        now += MINUTE;
        home.datagram(HONEST + " 60010 2\nincrement a 0 5");

        assertThat(ledger.value("a")).isEqualTo(5);
    }

    @Test
    void what_a_forger_wrote_in_a_streams_name_does_not_hold_back_its_amounts() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 2\nincrement a 1 " + Long.MAX_VALUE);

        home.datagram(HONEST + " 20 2\nincrement a 3 8\nincrement b 2 2");
        disk.commit(ledger);
        ledger = ledger();
        disk.load(ledger);
        new Feed(ledger, HOME).datagram(HONEST + " 30 3\nincrement a 4 12");

        assertThat(ledger.value("a")).isEqualTo(5 + 1 + 3 + 4);
        assertThat(ledger.value("b")).isEqualTo(2);
    }

    @Test
    void a_total_forged_within_bounds_and_then_one_beyond_them_hold_back_nothing_either() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 2\nincrement a 0 " + (1L << 52));
        attacker.datagram(HONEST + " 10 3\nincrement a 0 " + Long.MAX_VALUE);
        long before = ledger.value("a");

        home.datagram(HONEST + " 20 2\nincrement a 3 8");

        assertThat(ledger.value("a") - before).isEqualTo(3);
    }

    @Test
    void a_forged_number_of_a_datagram_leaves_the_numbers_of_loss_as_they_were() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 " + Long.MAX_VALUE + "\nincrement a 0 5");
        home.datagram(HONEST + " 20 3\nincrement a 1 6");
        attacker.datagram("from forged-0000000000000001 10 " + Long.MAX_VALUE + "\nincrement b 1 1");

        assertThat(counted("ledger_datagrams_lost")).isEqualTo(1);
        assertThat(counted("ledger_datagrams_sent")).isEqualTo(4);
    }

    @Test
    void senders_that_collide_by_a_polynomial_of_31_have_hashes_of_their_own() {
        int size = 1 << 14;
        Sender[] senders = new Sender[size];
        SeededHash hashing = new SeededHash(new Random(7));
        for (int i = 0; i < size; i++) {
            StringBuilder id = new StringBuilder();
            for (int bit = 0; bit < 14; bit++) {
                id.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            }
            assertThat(id.toString().hashCode()).isEqualTo("Aa".repeat(14).hashCode());
            senders[i] = new Sender(id.toString(), hashing);
        }

        long different =
                Arrays.stream(senders).mapToInt(Sender::hashCode).distinct().count();

        assertThat(different).isGreaterThan(size - 100);
        assertThat(new Sender("x", hashing).hashCode())
                .as("another start, another hash")
                .isNotEqualTo(new Sender("x", new SeededHash(new Random(8))).hashCode());
    }

    @Test
    void a_clock_that_is_wrong_at_a_restart_makes_no_old_stream_look_whole() {
        long year = 365L * 24 * 60 * MINUTE;
        home.datagram(HONEST + " 10 1\nincrement a 101 101");
        // Something is forgotten, so that only what is younger than the watch is whole.
        ledger.forgetEarlier();
        disk.commit(ledger);
        now += year;
        ledger = ledger();
        disk.load(ledger);
        String other = "from 00000000000000000000002b";

        new Feed(ledger).datagram(other + " 600000 9\nincrement b 0 100");

        assertThat(ledger.value("b"))
                .as("it is older than the watch, whatever the clock says")
                .isZero();
    }

    @Test
    void a_stream_that_speaks_by_tcp_says_something_with_whatever_comes_at_once() {
        byte[] id = "8f2c6a1e0b7d4c93a5e1f07b".getBytes(ISO_8859_1);
        Stream tcp = ledger.stream(id, 0, id.length, 1000, 1, HOME);
        byte[] name = {'a'};
        for (int i = 1; i <= 50; i++) {
            ledger.heard(tcp);
            ledger.merge(tcp, Verb.INCREMENT, name, 0, 1, 1, i);
        }
        int flooded = 0;
        for (int minute = 0; minute < 60; minute++) {
            now += MINUTE;
            for (int i = 0; i < 20; i++, flooded++) {
                attacker.datagram(forged(flooded) + "\nincrement forged 1 1");
                attacker.datagram(forged(flooded).replaceFirst("1$", "2") + "\nincrement forged 1 2");
            }
        }
        assertThat(counted("ledger_crowded_out_streams_total")).isPositive();

        ledger.merge(tcp, Verb.INCREMENT, name, 0, 1, 1, 53);

        assertThat(ledger.value("a")).as("its watermark is there still").isEqualTo(53);
    }

    @Test
    void a_commit_that_fails_while_a_stream_is_displaced_and_comes_back_loses_no_watermark() {
        begin(bounds(400, 2, 1_000));
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 10 2\nincrement a 1 6");
        attacker.datagram(forged(1) + "\nincrement victim 1 1\nincrement other 1 1");
        Changes failing = ledger.changes();
        now += 2 * MINUTE;
        attacker.datagram(forged(2) + "\nincrement forged 1 1");
        now += 2 * MINUTE;
        attacker.datagram(forged(1) + "\nincrement third 1 1");

        ledger.putBack(Objects.requireNonNull(failing));
        disk.commit(ledger);
        ledger = ledger();
        disk.load(ledger);
        new Feed(ledger, HOME).datagram(HONEST + " 20 3\nincrement a 0 6");

        assertThat(ledger.value("a"))
                .as("value and watermark are on disk together")
                .isEqualTo(6);
    }
}
