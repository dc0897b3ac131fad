package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.wire.Verb;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams that two copies of a process continue are noticed; those of one sender are not, whatever the network does. */
class ClonedStreamsTest {
    private static final String STREAM = "8f2c6a1e0b7d4c93a5e1f07b";

    @TempDir
    Path folder = Path.of("");

    private KeptLedger kept;

    @BeforeEach
    void open() throws Exception {
        kept = new KeptLedger(folder, false);
    }

    @Test
    void a_total_that_falls_in_a_later_datagram_shows_a_clone_which_is_counted_and_logged_once() {
        send(1, "increment a 5 5");
        send(2, "increment a 7 12");
        assertThat(isCloned()).isFalse();

        send(3, "increment a 1 6");
        send(4, "increment a 1 7");
        kept.commit.run();

        assertThat(isCloned()).isTrue();
        assertThat(kept.counted("ledger_cloned_streams_total")).isEqualTo(1);
        assertThat(kept.said.lines())
                .singleElement()
                .asString()
                .contains("the totals of stream " + STREAM + " from 10.0.0.7 go back and forth");
        assertThat(kept.value("a")).as("as before").isEqualTo(12);
    }

    @Test
    void a_stream_is_noted_once_a_minute_and_counted_once_however_many_lines_show_a_clone() {
        long[] now = {0};
        Metrics metrics = new Metrics();
        LedgerState empty = new LedgerState(1, new SeededHash(new Random(1)));
        Ledger ledger = new Ledger(LedgerSettings.in(folder), false, () -> now[0], () -> 0, empty, metrics);
        Feed feed = new Feed(ledger);
        List<Integer> noted = new ArrayList<>();
        feed.datagram("from " + STREAM + " 0 1\nincrement a 9 9\nincrement b 9 9");

        for (int seq = 2; seq <= 5; seq++) {
            feed.datagram("from " + STREAM + " 0 " + seq + "\nincrement a 1 1\nincrement b 1 1");
            noted.add(ledger.takeCloned().size());
            now[0] += 30_000;
        }

        assertThat(noted).containsExactly(1, 0, 1, 0);
        assertThat(metrics.values()).containsEntry("ledger_cloned_streams_total", 1L);
    }

    @Test
    void two_copies_that_use_the_same_numbers_are_noticed() {
        send(1, "increment a 5 5");
        send(2, "increment a 9 14");
        assertThat(isCloned()).isFalse();

        send(2, "increment b 1 1\nincrement a 1 6");
        send(2, "increment b 1 1");

        assertThat(isCloned()).isTrue();
    }

    @Test
    void a_repeated_datagram_may_have_a_name_twice() {
        String twice = "increment a 5 5\ndecrement a 1 1\nincrement b 1 1\nincrement a 4 9\nincrement b 1 2";
        for (int i = 0; i < 3; i++) {
            send(1, twice);
        }

        assertThat(isCloned()).isFalse();
    }

    @Test
    void late_and_repeated_datagrams_of_one_sender_are_no_clone() {
        send(1, "increment a 5 5");
        send(3, "increment a 2 9");
        send(3, "increment a 2 9");
        send(2, "increment a 2 7");
        send(1, "increment a 5 5");
        send(3, "increment a 2 9");

        assertThat(isCloned()).isFalse();
    }

    @Test
    void lines_that_come_later_on_a_tcp_connection_are_no_sign() {
        InboundStream stream = stream(2);
        merge(stream, 5, 5);
        merge(stream, 4, 9);
        kept.ledger.heard(stream);

        merge(stream, 0, 5);

        assertThat(isCloned()).isFalse();
    }

    @Test
    void datagrams_without_a_number_are_not_judged() {
        for (int total : new int[] {9, 5, 9, 4}) {
            merge(stream(0), 0, total);
        }
        kept.ledger.heard(stream(0));

        assertThat(isCloned()).isFalse();
    }

    @Test
    void in_a_fleet_a_total_that_falls_in_lines_that_are_newer_than_all_others_shows_a_clone() {
        merge(among(3, 7), 9, 9);
        merge(among(7, 9), 0, 5);
        merge(among(9, 9), 0, 9);
        merge(among(8, 9), 0, 5);
        merge(announced(10, 10), 0, 5);
        kept.ledger.heard(announced(0, 0));
        assertThat(isCloned())
                .as("some may be of datagrams 7 and 8; the numbers that arrived tell no order")
                .isFalse();

        merge(among(12, 13), 0, 8);

        assertThat(isCloned()).isTrue();
    }

    @Test
    void in_a_fleet_two_copies_that_use_the_same_numbers_are_noticed() {
        merge(among(7, 7), 9, 9);
        merge(among(7, 7), 0, 8);
        assertThat(isCloned()).as("a later line may repeat the datagram").isFalse();

        merge(among(7, 7), 0, 9);

        assertThat(isCloned()).isTrue();
    }

    @Test
    void in_a_fleet_nothing_is_known_of_watermarks_that_were_raised_before_the_start_or_by_lines_without_numbers()
            throws Exception {
        merge(among(7, 7), 9, 9);
        kept.commit.run();
        kept.close();
        open();
        merge(among(5, 5), 0, 5);
        merge(among(6, 6), 0, 6);
        merge(announced(0, 0), 1, 10);
        merge(among(8, 8), 0, 9);
        assertThat(isCloned()).as("9 was of datagram 7, and 10 may be of any").isFalse();

        merge(among(9, 9), 2, 12);
        merge(among(10, 10), 0, 11);

        assertThat(isCloned()).isTrue();
    }

    @Test
    void in_a_fleet_a_number_that_no_sender_reaches_is_ignored() {
        merge(among(7, 7), 9, 9);
        merge(among(8, Long.MAX_VALUE), 1, 10);
        merge(among(8, 8), 0, 9);
        assertThat(isCloned()).as("10 was of a forged number").isFalse();

        merge(among(9, 9), 1, 11);
        merge(among(10, 10), 0, 10);

        assertThat(isCloned()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void one_sender_is_never_taken_for_two_and_two_copies_are_always_noticed(int seed) {
        Random random = new Random(seed);
        List<String> one = datagrams(random, 0, new long[4], 300);
        deliver(one, random);
        assertThat(isCloned()).isFalse();

        long[] totals = {1000, 1000, 1000, 1000};
        List<String> copy = datagrams(random, 300, totals.clone(), 60);
        List<String> other = datagrams(random, 300, totals.clone(), 60);
        List<String> both = new ArrayList<>();
        for (int i = 0; i < copy.size(); i++) {
            both.add(copy.get(i));
            both.add(other.get(i));
        }
        deliver(both, random);

        assertThat(isCloned()).isTrue();
    }

    /** The datagrams of a sender after the one with this number, with totals that begin at these. */
    private static List<String> datagrams(Random random, int after, long[] totals, int count) {
        List<String> sent = new ArrayList<>();
        for (int seq = after + 1; seq <= after + count; seq++) {
            StringBuilder text = new StringBuilder("from " + STREAM + " 1000 " + seq);
            for (int counter = 0; counter < totals.length; counter++) {
                int amount = random.nextInt(3);
                totals[counter] += amount;
                if (random.nextInt(3) > 0 && totals[counter] > 0) {
                    text.append("\nincrement c")
                            .append(counter)
                            .append(' ')
                            .append(amount)
                            .append(' ')
                            .append(totals[counter]);
                }
            }
            sent.add(text.toString());
        }
        return sent;
    }

    /** Loses a third, doubles a tenth, and delays each by up to ten others. */
    private void deliver(List<String> sent, Random random) {
        List<String> arriving = new ArrayList<>();
        for (String datagram : sent) {
            for (int copies = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(10) / 9; copies > 0; copies--) {
                arriving.add(datagram);
            }
        }
        for (int begin = 0; begin < arriving.size(); begin += 10) {
            Collections.shuffle(arriving.subList(begin, Math.min(arriving.size(), begin + 10)), random);
        }
        arriving.forEach(new Feed(kept.ledger, AddressKey.ipv4(0x0a00_0007))::datagram);
    }

    private void send(int seq, String line) {
        new Feed(kept.ledger, AddressKey.ipv4(0x0a00_0007)).datagram("from " + STREAM + " 1000 " + seq + "\n" + line);
    }

    private InboundStream stream(int seq) {
        byte[] id = STREAM.getBytes(ISO_8859_1);
        return kept.ledger.stream(id, 0, id.length, 1000, seq, 0);
    }

    private InboundStream announced(long first, long last) {
        byte[] id = STREAM.getBytes(ISO_8859_1);
        return kept.ledger.announced(id, 0, id.length, 1000, first, last);
    }

    private InboundStream among(long first, long last) {
        InboundStream stream = announced(0, 0);
        stream.among(first, last);
        return stream;
    }

    private void merge(InboundStream stream, long amount, long total) {
        byte[] name = {'a'};
        kept.ledger.merge(stream, Verb.INCREMENT, name, 0, 1, amount, total);
    }

    private boolean isCloned() {
        return kept.ledger.reports().get(0).cloned();
    }
}
