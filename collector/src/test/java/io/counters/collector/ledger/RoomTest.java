package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.wire.Verb;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Which names, streams and watermarks get room in the ledger, and which streams are dropped for them. */
class RoomTest {
    private static final String HONEST = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final long MINUTE = 60_000;
    private static final long HOME = AddressKey.ipv4(0x0a00_0001);
    private static final long ATTACKER = AddressKey.ipv4(0x0a00_0002);

    private final Metrics metrics = new Metrics();
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
        Ledger made = new Ledger(
                bounds,
                false,
                () -> now,
                () -> 0,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                metrics);
        LedgerGauges.register(made, () -> List.of(made), metrics);
        return made;
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
        return metrics.values().getOrDefault(name, 0L);
    }

    @Test
    void a_from_line_without_totals_takes_no_room() {
        for (int i = 0; i < 10_000; i++) {
            attacker.datagram(forged(i));
            attacker.datagram(forged(i) + "\nincrement a 1");
        }

        assertThat(ledger.streams()).isZero();
        assertThat(ledger.value("a")).isEqualTo(10_000);
    }

    @Test
    void a_flood_of_from_lines_does_not_make_an_honest_sender_count_twice() {
        for (int i = 0; i < 100_000; i++) {
            attacker.datagram(forged(i));
        }

        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 20 3\nincrement a 1 9");

        assertThat(ledger.value("a")).isEqualTo(9);
    }

    @Test
    void one_address_may_begin_a_quarter_of_the_new_streams_of_a_minute() {
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
    void a_stream_beyond_the_rate_waits_and_is_exact_once_it_has_a_place() {
        for (int host = 2; host < 6; host++) {
            Feed flood = new Feed(ledger, AddressKey.ipv4(0x0a00_0000 + host));
            for (int i = 0; i < 100; i++) {
                flood.datagram(forged(host * 1_000 + i) + "\nincrement forged 1 1");
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
    void streams_that_sent_least_often_are_dropped_first() {
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

        assertThat(ledger.value("a")).as("its watermark was kept").isEqualTo(53);
    }

    @Test
    void a_dropped_stream_that_returns_is_not_whole() {
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

        assertThat(ledger.value("a")).as("its total is not applied twice").isEqualTo(7);
    }

    @Test
    void streams_that_sent_less_often_lose_their_watermarks_to_one_that_sent_more_often() {
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
    void names_are_bounded_by_their_memory_and_the_sum_stays_exact() {
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

    /** Each of its amounts is its total, so none of them counts by itself, though the stream is not known to be whole. */
    @Test
    void a_line_that_comes_once_waits_for_room_for_its_name() {
        begin(new LedgerSettings(Path.of("unused"), 100_000, 10_000, 100, 100, 100, Long.MAX_VALUE / 2));
        now += MINUTE;
        ledger.forgetEarlier();
        for (int i = 0; i < 10_000; i++) {
            attacker.datagram("increment flood." + i);
        }
        long overflow = ledger.value(LineMerger.OVERFLOW);

        assertThat(ledger.batch(() -> once(5))).as("all was taken").isFalse();
        assertThat(ledger.value(LineMerger.OVERFLOW)).isEqualTo(overflow);
        now += MINUTE;
        assertThat(ledger.batch(() -> once(5))).isTrue();

        assertThat(ledger.value("a")).isEqualTo(5);
    }

    private void once(long amount) {
        byte[] id = "once-0123456789-0123456789".getBytes(ISO_8859_1);
        byte[] name = {'a'};
        InboundStream stream = ledger.stream(id, 0, id.length, 10 * MINUTE, 0, AddressKey.HTTP);
        stream.comeOnce();
        ledger.merge(stream, Verb.INCREMENT, name, 0, 1, amount, amount);
    }

    @Test
    void a_forged_total_does_not_block_the_amounts_of_its_stream() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 2\nincrement a 1 " + Long.MAX_VALUE);

        home.datagram(HONEST + " 20 2\nincrement a 3 8\nincrement b 2 2");
        disk.commit(ledger);
        ledger = ledger();
        new Feed(ledger, HOME).datagram(HONEST + " 30 3\nincrement a 4 12");

        assertThat(ledger.value("a")).isEqualTo(5 + 1 + 3 + 4);
        assertThat(ledger.value("b")).isEqualTo(2);
    }

    @Test
    void a_forged_total_within_the_bound_and_then_one_beyond_it_do_not_block_amounts() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 2\nincrement a 0 " + (1L << 52));
        attacker.datagram(HONEST + " 10 3\nincrement a 0 " + Long.MAX_VALUE);
        long before = ledger.value("a");

        home.datagram(HONEST + " 20 2\nincrement a 3 8");

        assertThat(ledger.value("a") - before).isEqualTo(3);
    }

    @Test
    void a_forged_datagram_number_does_not_change_the_count_of_lost_datagrams() {
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        attacker.datagram(HONEST + " 10 " + Long.MAX_VALUE + "\nincrement a 0 5");
        home.datagram(HONEST + " 20 3\nincrement a 1 6");
        attacker.datagram("from forged-0000000000000001 10 " + Long.MAX_VALUE + "\nincrement b 1 1");

        assertThat(counted("ledger_datagrams_lost")).isEqualTo(1);
        assertThat(counted("ledger_datagrams_sent")).isEqualTo(4);
    }

    @Test
    void ids_with_equal_string_hash_codes_have_different_seeded_hashes() {
        int size = 1 << 14;
        StreamKey[] senders = new StreamKey[size];
        SeededHash hashing = new SeededHash(new Random(7));
        for (int i = 0; i < size; i++) {
            StringBuilder id = new StringBuilder();
            for (int bit = 0; bit < 14; bit++) {
                id.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            }
            assertThat(id.toString().hashCode()).isEqualTo("Aa".repeat(14).hashCode());
            senders[i] = new StreamKey(id.toString(), hashing);
        }

        long different =
                Arrays.stream(senders).mapToInt(StreamKey::hashCode).distinct().count();

        assertThat(different).isGreaterThan(size - 100);
        assertThat(new StreamKey("x", hashing).hashCode())
                .as("another seed gives another hash")
                .isNotEqualTo(new StreamKey("x", new SeededHash(new Random(8))).hashCode());
    }

    @Test
    void a_wrong_clock_at_a_restart_does_not_make_an_old_stream_whole() {
        long year = 365L * 24 * 60 * MINUTE;
        home.datagram(HONEST + " 10 1\nincrement a 101 101");
        // Something is forgotten, so that only streams younger than the watch are whole.
        ledger.forgetEarlier();
        disk.commit(ledger);
        now += year;
        ledger = ledger();
        String other = "from 00000000000000000000002b";

        new Feed(ledger).datagram(other + " 600000 9\nincrement b 0 100");

        assertThat(ledger.value("b"))
                .as("it is older than the watch, whatever the wall clock shows")
                .isZero();
    }

    @Test
    void each_read_of_a_tcp_stream_counts_as_sent_once() {
        byte[] id = "8f2c6a1e0b7d4c93a5e1f07b".getBytes(ISO_8859_1);
        InboundStream tcp = ledger.stream(id, 0, id.length, 1000, 1, HOME);
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

        assertThat(ledger.value("a")).as("its watermark was kept").isEqualTo(53);
    }

    @Test
    void a_commit_that_fails_while_a_stream_is_dropped_and_returns_keeps_all_watermarks() {
        begin(bounds(400, 2, 1_000));
        home.datagram(HONEST + " 10 1\nincrement a 5 5");
        home.datagram(HONEST + " 10 2\nincrement a 1 6");
        attacker.datagram(forged(1) + "\nincrement victim 1 1\nincrement other 1 1");
        Changes failing = ledger.changes(1);
        now += 2 * MINUTE;
        attacker.datagram(forged(2) + "\nincrement forged 1 1");
        now += 2 * MINUTE;
        attacker.datagram(forged(1) + "\nincrement third 1 1");

        ledger.putBack(Objects.requireNonNull(failing));
        disk.commit(ledger);
        ledger = ledger();
        new Feed(ledger, HOME).datagram(HONEST + " 20 3\nincrement a 0 6");

        assertThat(ledger.value("a"))
                .as("value and watermark are on disk together")
                .isEqualTo(6);
    }

    // With keys, a datagram whose signature is correct may be sent again for some minutes

    private static LedgerSettings signed(LedgerSettings with) {
        return new LedgerSettings(
                with.folder(),
                with.namesBytes(),
                with.newNamesBytes(),
                with.streamsMax(),
                with.newStreamsMax(),
                with.watermarksMax(),
                with.expiryMillis(),
                20 * MINUTE);
    }

    @Test
    void with_keys_a_line_without_room_for_its_watermark_is_refused_until_there_is_room() {
        begin(signed(bounds(40, 400, 2)));

        home.datagram(HONEST + " 10 1\nincrement a 1 1\nincrement b 1 1\nincrement c 1 1");
        home.datagram(HONEST + " 10 1\nincrement a 1 1\nincrement b 1 1\nincrement c 1 1");
        home.datagram(HONEST + " 20 2\nincrement a 1 2\nincrement c 1 2");

        assertThat(ledger.value("a")).isEqualTo(2);
        assertThat(ledger.value("b")).isEqualTo(1);
        assertThat(ledger.value("c")).as("not counted by its amounts").isZero();
        assertThat(counted("ledger_refused_lines_total")).isEqualTo(3);
        assertThat(ledger.reports().get(0).whole()).isTrue();
    }

    @Test
    void with_keys_a_line_without_room_for_its_name_is_refused_and_not_counted_as_overflow() {
        begin(signed(new LedgerSettings(Path.of("unused"), 2_000, 1 << 20, 100, 100, 1_000, Long.MAX_VALUE / 2)));

        for (int i = 0; i < 200; i++) {
            String line = HONEST + " " + i + " " + (i + 1) + "\nincrement name." + i + " 1 1";
            home.datagram(line);
            home.datagram(line);
        }

        assertThat(ledger.value("name.0")).isEqualTo(1);
        assertThat(ledger.value("name.199")).isZero();
        assertThat(ledger.value(LineMerger.OVERFLOW)).isZero();
        assertThat(counted("ledger_refused_lines_total")).isGreaterThan(100);
    }

    @Test
    void with_keys_a_total_that_jumps_is_refused_and_its_stream_goes_on() {
        begin(signed(bounds(40, 400, 1_000)));
        long far = (1L << 53) + 10;

        home.datagram(HONEST + " 10 1\nincrement a 1 1");
        home.datagram(HONEST + " 20 2\nincrement a 5 " + far);
        home.datagram(HONEST + " 20 2\nincrement a 5 " + far);
        home.datagram(HONEST + " 20 3\nincrement b 5 " + far);
        home.datagram(HONEST + " 30 4\nincrement a 1 2");

        assertThat(ledger.value("a")).isEqualTo(2);
        assertThat(ledger.value("b")).isZero();
        assertThat(counted("ledger_refused_lines_total")).isEqualTo(3);
        assertThat(counted("ledger_quarantined_streams_total")).isZero();
    }

    /** Without keys the old streams give way, and the second of two equal datagrams counts again. */
    @Test
    void with_keys_no_stream_gives_way_that_may_be_replayed_so_a_replay_changes_nothing() {
        begin(signed(bounds(1_000, 10, 1_000)));
        String first = "from first-0123456789abcdef 5000 7\nincrement a 3 30";

        home.datagram(first);
        for (int i = 0; i < 500; i++) {
            now += 1_000;
            new Feed(ledger, AddressKey.ipv4(0x0a00_0100 + i)).datagram(forged(i) + "\nincrement other 1 1");
        }
        home.datagram(first);

        assertThat(ledger.value("a")).isEqualTo(30);
        assertThat(ledger.value("other")).isEqualTo(9);
        assertThat(counted("ledger_deferred_lines_total")).isEqualTo(491);

        now += 21 * MINUTE;
        home.datagram(HONEST + " 10 1\nincrement late 4 4");
        assertThat(ledger.value("late")).as("silent ones gave way").isEqualTo(4);
    }

    @Test
    void with_keys_a_datagram_that_was_held_back_is_not_whole_after_its_stream_gave_way() {
        begin(signed(bounds(1_000, 2, 1_000)));
        home.datagram("from first-0123456789abcdef 1000 1\nincrement a 3 3");
        now += 1_000;
        home.datagram("from other-0123456789abcdef 1000 1\nincrement b 1 1");
        now = 21 * MINUTE;
        home.datagram(HONEST + " 10 1\nincrement c 1 1");
        now += MINUTE / 2;

        // Sent ten minutes ago, so the stream seems to be ten minutes younger than it is.
        home.datagram("from first-0123456789abcdef 691000 2\nincrement a 1 4");

        assertThat(ledger.value("a")).isEqualTo(4);
    }

    @Test
    void with_keys_a_stream_that_waited_for_a_place_is_whole_if_it_began_after_the_one_that_gave_way() {
        begin(signed(bounds(1_000, 2, 1_000)));
        home.datagram("from first-0123456789abcdef 3600000 1\nincrement a 3 3");
        home.datagram("from other-0123456789abcdef 3600000 1\nincrement b 1 1");

        now = 10 * MINUTE;
        home.datagram(HONEST + " 10 1\nincrement c 900 900");
        assertThat(ledger.value("c")).as("it waits").isZero();
        now = 21 * MINUTE;
        home.datagram(HONEST + " 660010 2\nincrement c 0 1000");

        assertThat(ledger.value("c")).isEqualTo(1000);
    }

    /** Whatever address it was sent from: only a request is exempt. */
    @Test
    void with_keys_a_replay_without_room_does_not_count_if_its_address_is_not_known_either() {
        begin(signed(bounds(1_000, 400, 1)));
        Feed unknown = new Feed(ledger, AddressKey.UNKNOWN);
        unknown.datagram(HONEST + " 10 1\nincrement a 1 1\nincrement b 5 5");

        unknown.datagram(HONEST + " 10 1\nincrement a 1 1\nincrement b 5 5");

        assertThat(ledger.value("a")).isEqualTo(1);
        assertThat(ledger.value("b")).isZero();
        assertThat(counted("ledger_refused_lines_total")).isEqualTo(2);
    }

    @Test
    void with_keys_the_streams_of_requests_give_way_and_count_as_without_keys() {
        begin(signed(new LedgerSettings(Path.of("unused"), 2_000, 1 << 20, 10, 1_000, 1_000, Long.MAX_VALUE / 2)));
        Feed http = new Feed(ledger, AddressKey.HTTP);

        for (int i = 0; i < 200; i++) {
            http.datagram(forged(i) + "\nincrement name." + i + " 1 1");
        }

        assertThat(ledger.value(LineMerger.OVERFLOW)).isPositive();
        assertThat(counted("ledger_refused_lines_total")).isZero();
        assertThat(counted("ledger_crowded_out_streams_total")).isPositive();
    }

    @Test
    void rules_of_room_are_strict_only_where_signatures_are_required() {
        assertThat(replayMillis(Map.of(CollectorFlag.KEYS, "keys"))).isEqualTo(20 * MINUTE);
        assertThat(replayMillis(Map.of(CollectorFlag.KEYS, "keys", CollectorFlag.SIGNING, "accepted")))
                .isZero();
        assertThat(replayMillis(Map.of())).isZero();
    }

    private static long replayMillis(Map<CollectorFlag, String> flags) {
        return LedgerSettings.from(new Settings(flags, Map.of()), 1L << 28).replayMillis();
    }

    @Test
    void each_ledger_of_a_fleet_refuses_as_one_of_its_own_would() {
        assertThat(signed(bounds(40, 400, 1_000)).ofEach(8).replayMillis()).isEqualTo(20 * MINUTE);
        assertThat(bounds(40, 400, 1_000).ofEach(8).replayMillis()).isZero();
    }
}
