package io.counters.emit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.cells.CellSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class SweepTest {
    private static final long AMOUNT_MAX = 1L << 53;
    private static final EmitterSettings SETTINGS = EmitterSettings.to("localhost");

    private final CountedCells cells = new CountedCells();
    private final CounterTable table = cells.table();
    private final RecordingTransport transport = new RecordingTransport();
    private final AtomicInteger ids = new AtomicInteger();
    private long nanos = -5_000_000_000L;
    private long wallMillis = 1_700_000_000_000L;

    @Test
    void counts_from_before_the_first_sweep_are_sent_by_it() {
        cells.add("a", 3);
        cells.add("b", -2);
        Sweep sweep = sweep(SETTINGS);
        cells.add("a", 1);

        sweep.run(transport);

        assertThat(transport.lines())
                .containsExactly("from stream-1-of-this-test 0 1", "increment a 4 4", "decrement b 2 2");
    }

    @Test
    void increments_and_decrements_between_two_sweeps_are_sent_as_their_difference() {
        Sweep sweep = sweep(SETTINGS);
        cells.add("a", 3);
        sweep.run(transport);
        cells.add("a", 5);
        cells.add("a", -7);

        sweep.run(transport);

        assertThat(transport.commands()).containsExactly("increment a 3 3", "increment a 0 3", "decrement a 2 2");
    }

    @Test
    void the_sum_of_several_cells_stops_at_the_end_of_the_range() {
        CountedCells others = new CountedCells();
        CounterTable both = new CounterTable(() -> List.<Object[]>of(cells.source(), others.source()));
        Sweep sweep = new Sweep(both, SETTINGS, () -> nanos, () -> wallMillis, () -> "stream-of-both-copies");
        cells.add("a", Long.MAX_VALUE);
        cells.add("b", Long.MIN_VALUE);
        sweep.run(transport);
        others.add("a", Long.MAX_VALUE);
        others.add("b", Long.MIN_VALUE);

        sweep.run(transport);

        assertThat(both.sums()).isEqualTo(Map.of("a", Long.MAX_VALUE, "b", Long.MIN_VALUE));
        assertThat(transport.commands())
                .containsExactly(
                        "increment a " + AMOUNT_MAX + " " + AMOUNT_MAX,
                        "decrement b " + AMOUNT_MAX + " " + AMOUNT_MAX,
                        "increment a " + AMOUNT_MAX + " " + 2 * AMOUNT_MAX,
                        "decrement b " + AMOUNT_MAX + " " + 2 * AMOUNT_MAX);
    }

    @Test
    void a_sweep_with_nothing_due_sends_nothing() {
        cells.add("a", 0);

        sweep(SETTINGS).run(transport);

        assertThat(transport.datagrams).isEmpty();
    }

    @Test
    void several_copies_of_the_cells_are_added_up_by_name() {
        CountedCells others = new CountedCells();
        List<Object[]> sources = new ArrayList<>(List.of(cells.source(), others.source()));
        CounterTable both = new CounterTable(() -> sources);
        Sweep sweep = new Sweep(both, SETTINGS, () -> nanos, () -> wallMillis, () -> "stream-of-both-copies");
        cells.add("a", 1);
        others.add("b", 2);
        others.add("a", 3);

        sweep.run(transport);
        sources.remove(1);
        cells.add("a", 3);
        cells.add("b", 2 + 5);
        transport.datagrams.clear();
        sweep.run(transport);

        assertThat(transport.commands())
                .as("folded in, not sent again")
                .containsExactly("increment a 0 4", "increment b 5 7");
    }

    @Test
    void tens_of_thousands_of_counters_are_summed() {
        Map<String, Integer> names = new TreeMap<>();
        IntStream.range(0, 60_000).forEach(id -> names.put("c" + id, id));
        Object[] source = CellSource.of(names, new long[60_000]);
        CounterTable large = new CounterTable(() -> List.<Object[]>of(source));

        large.read();

        assertThat(large.size()).isEqualTo(60_000);
    }

    @Test
    void a_name_whose_id_is_not_visible_yet_is_counted_later() {
        Map<String, Integer> names = new TreeMap<>(Map.of("a", 0, "c", 2));
        Object[] source = CellSource.of(names, new long[3]);
        CounterTable early = new CounterTable(() -> List.<Object[]>of(source));

        early.read();
        int before = early.size();
        names.put("b", 1);
        early.read();

        assertThat(before).isEqualTo(1);
        assertThat(early.size()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({"60000, 0, 1", "60001, 0, 2", "0, 60000, 1", "0, 60001, 2", "0, -60001, 2", "3600000, 3600000, 1"})
    void clocks_that_differ_by_over_a_minute_begin_a_new_stream(long nanoMillis, long wall, int streams) {
        Sweep sweep = sweep(SETTINGS);
        cells.add("a", 3);
        sweep.run(transport);
        transport.datagrams.clear();

        nanos += nanoMillis * 1_000_000;
        wallMillis += wall;
        cells.add("a", 4);
        sweep.run(transport);

        long age = Math.max(nanoMillis, wall);
        if (streams == 1) {
            assertThat(transport.lines())
                    .containsExactly("from stream-1-of-this-test " + age + " 2", "increment a 4 7");
        } else {
            assertThat(transport.lines())
                    .containsExactly(
                            "from stream-1-of-this-test " + age + " 2",
                            "increment a 0 3",
                            "from stream-2-of-this-test 0 1",
                            "increment a 4 4");
        }
    }

    @Test
    void the_last_sweep_of_a_restored_snapshot_does_not_continue_the_old_stream() {
        Sweep sweep = sweep(SETTINGS);
        cells.add("a", 3);
        sweep.run(transport);
        transport.datagrams.clear();

        wallMillis += 100_000_000;
        cells.add("a", 4);
        sweep.last(transport);

        assertThat(transport.lines())
                .containsExactly(
                        "from stream-1-of-this-test 100000000 2",
                        "increment a 0 3",
                        "from stream-2-of-this-test 0 1",
                        "increment a 4 4");
    }

    @Test
    void a_new_destination_receives_only_later_counts() {
        Sweep sweep = sweep(SETTINGS);
        cells.add("a", 3);
        sweep.run(transport);
        transport.datagrams.clear();

        sweep.begin(0);
        cells.add("a", 4);
        sweep.run(transport);

        assertThat(transport.lines()).containsExactly("from stream-2-of-this-test 0 1", "increment a 4 4");
    }

    @Test
    void the_last_sweep_sends_every_total_and_may_be_repeated_with_amounts_of_0() {
        Sweep sweep = sweep(SETTINGS);
        cells.add("quiet", 3);
        for (int i = 0; i < 4; i++) {
            sweep.run(transport);
        }
        transport.datagrams.clear();
        cells.add("a", -4);

        sweep.last(transport);
        List<String> last = transport.commands();
        cells.add("too.late", 1);
        sweep.repeat(transport);
        sweep.repeat(transport);

        assertThat(last).containsExactly("increment quiet 0 3", "decrement a 4 4");
        assertThat(transport.commands())
                .containsExactly("increment quiet 0 3", "decrement a 0 4", "increment quiet 0 3", "decrement a 0 4");
    }

    @Test
    void the_last_sweep_without_totals_is_sent_once() {
        Sweep sweep = sweep(SETTINGS.totals(false));
        cells.add("a", 3);
        sweep.run(transport);
        cells.add("a", 4);

        sweep.last(transport);
        sweep.repeat(transport);

        assertThat(transport.lines()).containsExactly("increment a 3", "increment a 4");
    }

    @ParameterizedTest
    @CsvSource({"1", "-1"})
    void an_amount_over_2_to_the_53_is_carried_over_several_sweeps(long sign) {
        cells.add("a", sign * (2 * AMOUNT_MAX + 5));
        Sweep sweep = sweep(SETTINGS);

        sweep.run(transport);
        sweep.run(transport);
        sweep.run(transport);
        sweep.run(transport);

        String verb = sign > 0 ? "increment" : "decrement";
        assertThat(transport.commands())
                .containsExactly(
                        verb + " a " + AMOUNT_MAX + " " + AMOUNT_MAX,
                        verb + " a " + AMOUNT_MAX + " " + 2 * AMOUNT_MAX,
                        verb + " a 5 " + (2 * AMOUNT_MAX + 5),
                        verb + " a 0 " + (2 * AMOUNT_MAX + 5));
    }

    @Test
    void the_lowest_long_and_a_total_near_the_highest_are_sent_exactly_over_two_streams() {
        cells.add("a", Long.MIN_VALUE);
        Sweep sweep = sweep(SETTINGS);
        TotalsReceiver receiver = new TotalsReceiver();

        for (int i = 0; i < 1100; i++) {
            sweep.run(transport);
        }
        deliver(transport.datagrams, receiver);

        assertThat(receiver.value("a")).isEqualTo(Long.MIN_VALUE);
        assertThat(receiver.streams()).containsExactly("stream-1-of-this-test", "stream-2-of-this-test");
        assertThat(receiver.rejections()).isEmpty();
    }

    @Test
    @Tag("slow")
    void the_next_sweep_sends_what_a_sweep_without_memory_did_not() throws Exception {
        Process full = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx16m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        SweepInFullHeap.class.getName())
                .redirectErrorStream(true)
                .start();

        String said = new String(full.getInputStream().readAllBytes(), UTF_8);

        assertThat(said.trim()).isEqualTo("failed true, wrong 0");
    }

    @Test
    void two_successive_sweeps_over_one_table_send_nothing_twice() {
        Sweep first = sweep(SETTINGS);
        cells.add("a", 3);
        first.last(transport);
        transport.datagrams.clear();

        Sweep second = sweep(SETTINGS);
        cells.add("a", 4);
        second.run(transport);

        assertThat(transport.lines()).containsExactly("from stream-2-of-this-test 0 1", "increment a 4 4");
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void sums_are_exact_over_a_network_that_loses_duplicates_and_reorders(int seed) {
        Random random = new Random(seed);
        Sweep sweep = sweep(SETTINGS);
        transport.datagramBytes(512 + random.nextInt(1000));
        TotalsReceiver receiver = new TotalsReceiver();
        Map<String, Long> counted = new TreeMap<>();
        double loss = random.nextDouble() * 0.9;
        List<byte[]> underWay = new ArrayList<>();

        int counters = 1 + random.nextInt(60);
        int sweeps = 20 + random.nextInt(150);
        for (int i = 0; i < sweeps; i++) {
            for (int counts = random.nextInt(20); counts > 0; counts--) {
                String name = "counter." + random.nextInt(counters);
                long amount = random.nextInt(21) - 10L;
                cells.add(name, amount);
                counted.merge(name, amount, Long::sum);
            }
            passTime(random);
            sweep.run(transport);
            for (byte[] datagram : transport.datagrams) {
                for (int copies = random.nextDouble() < loss ? 0 : 1 + random.nextInt(2); copies > 0; copies--) {
                    underWay.add(datagram);
                }
            }
            transport.datagrams.clear();
            Collections.shuffle(underWay, random);
            List<byte[]> arriving = underWay.subList(0, random.nextInt(underWay.size() + 1));
            deliver(arriving, receiver);
            arriving.clear();
        }
        // The network recovers; within 64 sweeps every total has been sent again.
        for (int i = 0; i < OutboundStream.REPEAT_SWEEPS; i++) {
            passTime(random);
            sweep.run(transport);
        }
        deliver(transport.datagrams, receiver);
        deliver(underWay, receiver);

        counted.values().removeIf(sum -> sum == 0);
        Map<String, Long> received = new TreeMap<>(receiver.values());
        received.values().removeIf(sum -> sum == 0);
        assertThat(received).isEqualTo(counted);
        assertThat(receiver.rejections()).isEmpty();
        assertThat(receiver.streams()).hasSize(1);
    }

    static IntStream seeds() {
        return IntStream.range(0, 300);
    }

    private void passTime(Random random) {
        nanos += 1_000_000_000L + random.nextInt(1_000_000);
        wallMillis += 1_000;
    }

    private static void deliver(List<byte[]> datagrams, TotalsReceiver receiver) {
        for (byte[] datagram : datagrams) {
            receiver.datagram(Arrays.copyOf(datagram, datagram.length), datagram.length);
        }
    }

    private Sweep sweep(EmitterSettings settings) {
        return new Sweep(
                table,
                settings,
                () -> nanos,
                () -> wallMillis,
                () -> "stream-" + ids.incrementAndGet() + "-of-this-test");
    }
}
