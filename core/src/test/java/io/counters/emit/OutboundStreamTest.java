package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.wire.DatagramWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class OutboundStreamTest {
    private static final String ID = "stream-0123456789";
    private static final long AMOUNT_MAX = 1L << 53;

    private final CounterTable table = new CountedCells().table();
    private final RecordingTransport transport = new RecordingTransport();
    private final DatagramWriter writer = new DatagramWriter(1432);
    private final int a = table.index("a");
    private final int b = table.index("b");

    @Test
    void a_sweep_sends_amounts_and_totals_of_both_verbs() {
        OutboundStream stream = withTotals();
        stream.assign(a, 3);
        stream.assign(a, -2);
        stream.assign(b, -1);
        sweep(stream);
        transport.datagrams.clear();

        stream.assign(a, 4);
        stream.assign(a, 1);
        stream.assign(a, -5);
        sweep(stream);

        assertThat(transport.lines())
                .containsExactly("from " + ID + " 0 2", "increment a 5 8", "decrement a 5 7", "decrement b 0 1");
    }

    @Test
    void a_quiet_total_is_repeated_after_1_2_4_to_64_sweeps_and_then_every_64() {
        OutboundStream stream = withTotals();
        stream.assign(a, 3);
        List<Integer> told = new ArrayList<>();

        for (int quiet = 0; quiet <= 400; quiet++) {
            sweep(stream);
            List<String> commands = transport.commands();
            if (!commands.isEmpty()) {
                told.add(quiet);
                assertThat(commands).containsExactly(quiet == 0 ? "increment a 3 3" : "increment a 0 3");
            }
        }

        assertThat(told).containsExactly(0, 1, 2, 4, 8, 16, 32, 64, 128, 192, 256, 320, 384);
    }

    @Test
    void a_change_restarts_the_repeats_of_its_own_line_only() {
        OutboundStream stream = withTotals();
        stream.assign(a, 1);
        stream.assign(a, -1);
        for (int sweep = 0; sweep < 10; sweep++) {
            sweep(stream);
        }
        transport.datagrams.clear();

        stream.assign(a, 1);
        List<String> told = new ArrayList<>();
        for (int sweep = 10; sweep <= 18; sweep++) {
            sweep(stream);
            told.add(sweep + ":" + String.join(";", transport.commands()));
        }

        assertThat(told)
                .containsExactly(
                        "10:increment a 1 2",
                        "11:increment a 0 2",
                        "12:increment a 0 2",
                        "13:",
                        "14:increment a 0 2",
                        "15:",
                        "16:decrement a 0 1",
                        "17:",
                        "18:increment a 0 2");
    }

    @Test
    void a_stream_without_totals_has_no_from_line_no_total_and_no_repeat() {
        OutboundStream stream = new OutboundStream(ID, 0, 0, false);
        stream.assign(a, 3);
        stream.assign(b, -4);

        sweep(stream);
        List<String> first = transport.lines();
        for (int sweep = 0; sweep < 200; sweep++) {
            sweep(stream);
        }
        stream.repeatAll(table, 0, 0, writer, transport);

        assertThat(first).containsExactly("increment a 3", "decrement b 4");
        assertThat(transport.datagrams).isEmpty();
    }

    @Test
    void age_is_the_larger_of_both_clocks_and_never_negative() {
        OutboundStream stream = new OutboundStream(ID, 5_000_000, 1_000, true);
        stream.assign(a, 1);

        stream.sweep(table, 12_000_000, 1_003, writer, transport);
        stream.repeatAll(table, 12_000_000, 1_030, writer, transport);
        stream.repeatAll(table, 4_000_000, 900, writer, transport);

        assertThat(transport.lines())
                .containsSubsequence("from " + ID + " 7 1", "from " + ID + " 30 2", "from " + ID + " 0 3");
    }

    @Test
    void a_monotonic_clock_that_passes_zero_gives_the_right_age() {
        OutboundStream stream = new OutboundStream(ID, Long.MAX_VALUE - 1_000_000, 0, true);
        stream.assign(a, 1);

        stream.sweep(table, Long.MIN_VALUE + 8_000_000, 0, writer, transport);

        assertThat(transport.lines()).first().isEqualTo("from " + ID + " 9 1");
        assertThat(stream.driftMillis(Long.MIN_VALUE + 8_000_000, 0)).isEqualTo(9);
    }

    @Test
    void datagrams_of_thousands_of_counters_keep_to_the_maximum_size_and_seq_has_no_gaps() {
        OutboundStream stream = withTotals();
        for (int i = 0; i < 5_000; i++) {
            stream.assign(table.index("shop.orders,customer=" + i), i + 1);
        }

        sweep(stream);
        stream.repeatAll(table, 0, 0, writer, transport);

        assertThat(transport.datagrams)
                .hasSizeGreaterThan(100)
                .allSatisfy(datagram -> assertThat(datagram).hasSizeBetween(1, 1432));
        List<String> lines = transport.lines();
        List<String> froms =
                lines.stream().filter(line -> line.startsWith("from ")).collect(Collectors.toList());
        for (int i = 0; i < froms.size(); i++) {
            assertThat(froms.get(i)).isEqualTo("from " + ID + " 0 " + (i + 1));
        }
        assertThat(lines).contains("increment shop.orders,customer=4999 5000 5000");
        assertThat(lines).contains("increment shop.orders,customer=4999 0 5000");
        assertThat(lines.size() - froms.size()).isEqualTo(10_000);
    }

    @Test
    void a_datagram_that_is_too_long_for_the_path_is_sent_as_shorter_ones_without_loss() {
        transport.datagramBytes(65_507);
        for (boolean totals : new boolean[] {true, false}) {
            OutboundStream stream = new OutboundStream(ID, 0, 0, totals);
            TotalsReceiver receiver = new TotalsReceiver();
            transport.takesBytes = 65_507;
            for (int i = 0; i < 3_000; i++) {
                stream.assign(table.index("shop.orders,customer=" + i), i + 1);
            }
            sweep(stream);
            transport.takesBytes = 1_000;
            for (int i = 0; i < 3_000; i++) {
                stream.assign(table.index("shop.orders,customer=" + i), i + 1);
            }

            sweep(stream);

            assertThat(transport.datagrams).anyMatch(datagram -> datagram.length > 65_000);
            assertThat(transport.datagrams)
                    .filteredOn(datagram -> datagram.length <= 1_000)
                    .hasSizeGreaterThan(100);
            if (totals) {
                String last = new String(transport.datagrams.get(transport.datagrams.size() - 1), ISO_8859_1);
                assertThat(last).startsWith("from " + ID + " 0 " + transport.datagrams.size() + "\n");
            }
            transport.datagrams.forEach(datagram -> receiver.datagram(datagram, datagram.length));
            for (int i = 0; i < 3_000; i++) {
                assertThat(receiver.value("shop.orders,customer=" + i)).isEqualTo(2L * (i + 1));
            }
            transport.datagrams.clear();
            transport.datagramBytes(65_507);
        }
    }

    @Test
    void an_amount_beyond_the_limit_of_a_line_is_left_for_the_next_sweep() {
        OutboundStream stream = withTotals();

        assertThat(stream.assign(a, AMOUNT_MAX + 5)).isEqualTo(AMOUNT_MAX);
        assertThat(stream.assign(a, 5)).isZero();
        assertThat(stream.assign(b, Long.MIN_VALUE)).isEqualTo(-AMOUNT_MAX);
        sweep(stream);
        assertThat(stream.assign(a, 5)).isEqualTo(5);
        sweep(stream);

        assertThat(transport.commands())
                .containsExactly(
                        "increment a " + AMOUNT_MAX + " " + AMOUNT_MAX,
                        "decrement b " + AMOUNT_MAX + " " + AMOUNT_MAX,
                        "increment a 5 " + (AMOUNT_MAX + 5),
                        "decrement b 0 " + AMOUNT_MAX);
    }

    @Test
    void a_line_is_full_if_one_more_amount_could_exceed_the_largest_total() {
        OutboundStream stream = withTotals();
        assertThat(stream.isFull(a)).isFalse();

        int amounts = 0;
        while (!stream.isFull(a)) {
            assertThat(stream.assign(a, -AMOUNT_MAX)).isEqualTo(-AMOUNT_MAX);
            sweep(stream);
            amounts++;
        }

        assertThat(amounts).isEqualTo(1023);
        assertThat(stream.isFull(b)).isFalse();
        assertThat(transport.commands()).endsWith("decrement a " + AMOUNT_MAX + " " + 1023 * AMOUNT_MAX);
    }

    private static OutboundStream withTotals() {
        return new OutboundStream(ID, 0, 0, true);
    }

    private void sweep(OutboundStream stream) {
        stream.sweep(table, 0, 0, writer, transport);
    }
}
