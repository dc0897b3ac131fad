package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.intake.Kept;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/** What arrives at a collector of a fleet, and what it writes to the partitions. */
class GathererTest {
    private static final int PARTITIONS = 4;
    private static final long HEAP = 256 << 20;
    private static final String ID = "8f2c6a1e0b7d4c93a5e1f07b";
    private static final long MINUTE = 60_000;
    private static final long HOUR = 3_600_000;

    /** More than fit into the smallest memory used here. */
    private static final int LINES_MAX = 10_000;

    private final RecordedLog log = new RecordedLog();
    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();

    private long nowMillis = 1000;
    private Gatherer gatherer = gatherer(HEAP);
    private TargetFeed feed = new TargetFeed(gatherer);

    private Gatherer gatherer(long heapBytes) {
        return new Gatherer(
                log,
                PARTITIONS,
                heapBytes,
                () -> nowMillis * 1_000_000,
                () -> 1_700_000_000_000L + nowMillis,
                new SeededHash(new Random(1)),
                said.log(),
                metrics);
    }

    private void use(long heapBytes) {
        gatherer = gatherer(heapBytes);
        feed = new TargetFeed(gatherer);
    }

    private static int partition(String name) {
        return Partitions.of(name.getBytes(ISO_8859_1), 0, name.length(), PARTITIONS, new CRC32C());
    }

    /** The lines of the window with what has arrived, in the partition of this name. */
    private List<String> window(String name) {
        endWindow();
        return log.lines(partition(name));
    }

    private void endWindow() {
        log.clear();
        nowMillis += Gatherer.WINDOW_MILLIS;
        gatherer.run();
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    private static List<String> commands(List<String> lines) {
        return lines.stream().filter(line -> !line.startsWith("from ")).toList();
    }

    @Test
    void a_stream_whose_lines_come_once_is_told_to_no_other_partition() {
        byte[] id = ID.getBytes(ISO_8859_1);
        byte[] name = {'a'};
        gatherer.batch(() -> gatherer.merge(gatherer.once(id, 0, id.length, 10), Verb.INCREMENT, name, 0, 1, 3, 3));

        assertThat(window("a")).contains("increment a 3 3");
        assertThat(IntStream.range(0, PARTITIONS).filter(one -> !log.lines(one).isEmpty()))
                .containsExactly(partition("a"));
    }

    @Test
    void of_two_totals_whose_difference_is_a_value_both_are_taken_or_none() {
        for (int heap = 1 << 20; heap < (1 << 20) + 100_000; heap += 5_000) {
            use(heap);
            for (int i = 0; i < LINES_MAX; i++) {
                feed.datagram("from " + ID + " 10 1\nincrement a" + i + " 0 7\ndecrement a" + i + " 0 5");
            }
            endWindow();
            List<String> all = IntStream.range(0, PARTITIONS)
                    .mapToObj(log::lines)
                    .flatMap(List::stream)
                    .toList();
            assertThat(all.stream().filter(line -> line.startsWith("increment")).count())
                    .as("heap " + heap)
                    .isPositive()
                    .isEqualTo(all.stream()
                            .filter(line -> line.startsWith("decrement"))
                            .count());
        }
    }

    @Test
    void the_end_tells_whether_Kafka_has_all_lines() {
        feed.datagram("increment a");
        assertThat(gatherer.end()).isTrue();

        use(HEAP);
        log.answers = false;
        feed.datagram("increment a");
        assertThat(gatherer.end()).isFalse();
    }

    private Supplier<Kept> take(String line) {
        return gatherer.take(() -> feed.datagram(line));
    }

    @Test
    void who_waits_for_lines_learns_whether_Kafka_has_all_of_them() {
        Supplier<Kept> kept = take("increment a");
        endWindow();
        assertThat(kept.get()).isEqualTo(Kept.ALL);

        log.answers = false;
        Supplier<Kept> lost = take("increment a");
        endWindow();
        Supplier<Kept> next = take("increment b");
        log.fail();
        assertThat(lost.get()).isEqualTo(Kept.LATE);
        endWindow();
        log.acknowledge();
        assertThat(next.get()).isEqualTo(Kept.ALL);
    }

    @Test
    void who_waits_for_lines_that_were_dropped_or_wait_learns_that_at_once() {
        use(1 << 20);
        for (int i = 0; i < LINES_MAX; i++) {
            feed.datagram("increment a" + i);
        }
        assertThat(take("increment b").get()).isEqualTo(Kept.NO_ROOM);
    }

    @Test
    void increments_and_decrements_of_a_name_of_a_stream_are_in_one_record() {
        byte[] id = ID.getBytes(ISO_8859_1);
        gatherer.batch(() -> {
            Object stream = gatherer.stream(id, 0, id.length, 0, 0, 0);
            for (int i = 0; i < 20_000; i++) {
                byte[] name = ("counter" + i).getBytes(ISO_8859_1);
                gatherer.merge(stream, Verb.INCREMENT, name, 0, name.length, 0, 1L << 50);
                gatherer.merge(stream, Verb.DECREMENT, name, 0, name.length, 0, 1L << 50);
            }
        });
        endWindow();

        assertThat(log.rows).hasSizeGreaterThan(PARTITIONS);
        for (RecordedLog.Row row : log.rows) {
            List<String> lines = row.string().lines().toList();
            assertThat(lines.get(0)).startsWith("from " + ID + " ");
            assertThat(lines.get(1)).startsWith("increment");
            assertThat(lines.get(lines.size() - 1)).startsWith("decrement");
        }
    }

    @Test
    void lines_wait_for_the_end_of_their_window() {
        feed.datagram("increment a");

        nowMillis += Gatherer.WINDOW_MILLIS - 1;
        assertThat(gatherer.run()).isEqualTo(1);
        assertThat(log.rows).isEmpty();

        nowMillis++;
        gatherer.run();

        assertThat(log.lines(partition("a"))).containsExactly("increment a 1");
        assertThat(log.rows.get(0).wallMillis()).isEqualTo(1_700_000_000_000L + nowMillis);
    }

    @Test
    void amounts_of_a_name_are_added_up_by_verb_whoever_sent_them() {
        feed.datagram("increment a 2\na:3|c\ndecrement a 4");
        feed.datagram("from " + ID + " 0 1\nincrement a 5\nb:0|c");

        assertThat(commands(window("a"))).contains("increment a 10", "decrement a 4");
        assertThat(log.lines(partition("b"))).contains("increment b 0");
        assertThat(counted("fleet_gathered_lines_total")).isEqualTo(5);
        assertThat(counted("fleet_sent_lines_total")).isEqualTo(3);
    }

    @Test
    void totals_of_a_stream_become_the_highest_with_what_lies_between() {
        feed.datagram("from " + ID + " 0 1\nincrement a 3 10");
        feed.datagram("from " + ID + " 0 3\nincrement a 1 17\ndecrement a 2 2");
        feed.datagram("from " + ID + " 0 2\nincrement a 6 16");

        assertThat(commands(window("a"))).containsExactly("increment a 10 17", "decrement a 2 2");
    }

    @Test
    void a_late_total_becomes_the_lowest() {
        feed.datagram("from " + ID + " 0 2\nincrement a 1 17");
        feed.datagram("from " + ID + " 0 1\nincrement a 3 10");

        assertThat(commands(window("a"))).containsExactly("increment a 10 17");
    }

    @Test
    void a_repeated_total_is_passed_on_and_the_larger_amount_of_the_same_total_counts() {
        feed.datagram("from " + ID + " 0 1\nincrement a 0 10");
        assertThat(commands(window("a"))).containsExactly("increment a 0 10");

        feed.datagram("from " + ID + " 0 2\nincrement a 0 10");
        feed.datagram("from " + ID + " 0 3\nincrement a 4 10");
        feed.datagram("from " + ID + " 0 4\nincrement a 0 10");
        assertThat(commands(window("a"))).containsExactly("increment a 4 10");
    }

    @Test
    void totals_of_two_streams_stay_apart_each_under_its_from_line() {
        String other = "other-stream-0123456789";
        feed.datagram("from " + ID + " 0 1\nincrement a 1 1");
        feed.datagram("from " + other + " 0 1\nincrement a 2 2");
        feed.datagram("from " + ID + " 0 2\nincrement a 1 2");
        feed.datagram("increment a 7");

        String text = String.join("\n", window("a"));

        assertThat(text)
                .matches(
                        "(?s)increment a 7\nfrom " + ID + " .*increment a 2 2\nfrom " + other + " .*increment a 2 2.*");
    }

    @Test
    void a_jump_of_2_to_the_53_is_not_merged() {
        long large = 1L << 53;
        feed.datagram("from " + ID + " 0 1\nincrement a 5 5");
        feed.datagram("from " + ID + " 0 2\nincrement a 1 " + (5 + large));
        feed.datagram("from " + ID + " 0 3\nincrement a 1 " + (6 + large));

        assertThat(commands(window("a"))).containsExactly("increment a 5 5", "increment a 2 " + (6 + large));
    }

    @Test
    void an_amount_never_becomes_larger_than_a_line_may_have() {
        long large = 1L << 53;
        feed.datagram("from " + ID + " 0 1\nincrement a " + large + " " + large);
        feed.datagram("from " + ID + " 0 2\nincrement a 1 " + (large + 1));
        feed.datagram("increment b " + large + "\nincrement b " + large + "\nincrement b 3");

        assertThat(commands(window("a")))
                .contains("increment a " + large + " " + large, "increment a 1 " + (large + 1));
        assertThat(commands(log.lines(partition("b")))).contains("increment b " + large, "increment b 3");
    }

    @Test
    void fractions_are_added_up_exactly() {
        feed.datagram("f:0.25|c\nf:0.1|c\nf:1.65|c\ng:-0.25|c\ng:-2.5|c\nh:0.000000000000000001|c\ni:0.5|c\ni:0.5|c");

        endWindow();

        assertThat(IntStream.range(0, PARTITIONS).mapToObj(log::lines).flatMap(List::stream))
                .containsExactlyInAnyOrder("increment f 2", "g:-2.75|c", "h:0.000000000000000001|c", "increment i 1");
    }

    @Test
    void a_new_stream_is_announced_to_every_partition_and_numbered_only_in_its_home() {
        feed.datagram("from " + ID + " 61000 58\nincrement a 1 1");
        nowMillis += 7;
        feed.datagram("from " + ID + " 61007 59");

        endWindow();

        for (int partition = 0; partition < PARTITIONS; partition++) {
            String from = "from " + ID + " " + (61000 + 7 + Gatherer.WINDOW_MILLIS);
            List<String> expected = new ArrayList<>();
            if (partition == partition(ID)) {
                expected.add(from + " 58-59");
            }
            if (partition == partition("a")) {
                expected.add(from + " 58 59");
            }
            assertThat(log.lines(partition).stream().filter(line -> line.startsWith("from ")))
                    .isEqualTo(expected.isEmpty() ? List.of(from) : expected);
        }
        assertThat(counted("fleet_announced_streams_total")).isEqualTo(1);
    }

    @Test
    void before_lines_of_a_stream_are_the_lowest_and_the_highest_number_of_their_datagrams() {
        for (int seq : new int[] {7, 5, 8}) {
            feed.datagram("from " + ID + " 0 " + seq + "\nincrement a 1 " + seq);
        }
        assertThat(window("a")).contains("from " + ID + " " + Gatherer.WINDOW_MILLIS + " 5 8");

        feed.datagram("from " + ID + " 0 9\nincrement a 1 9");
        assertThat(window("a")).contains("from " + ID + " " + Gatherer.WINDOW_MILLIS + " 9 9");
    }

    /** Their numbers do not tell the order of the lines, so a total that is lower than others would show nothing. */
    @Test
    void lines_of_a_connection_and_totals_that_stay_apart_are_not_numbered() {
        String from = "from " + ID + " [0-9]+";
        feed.datagram("from " + ID + " 0 1\nincrement a 1 1");
        feed.lines("from " + ID + " 0 2\nincrement a 1 2\n");
        assertThat(window("a")).anyMatch(line -> line.matches(from));

        feed.lines("increment a 1 3\n");
        feed.datagram("from " + ID + " 0 3\nincrement a 1 4");
        assertThat(window("a")).anyMatch(line -> line.matches(from));

        feed.datagram("from " + ID + " 0 5\nincrement a 1 " + (1L << 54));
        feed.datagram("from " + ID + " 0 4\nincrement a 1 5");
        assertThat(window("a")).anyMatch(line -> line.matches(from));
    }

    @Test
    void a_known_stream_is_announced_again_after_an_hour() {
        feed.datagram("from " + ID + " 0 1");
        endWindow();
        assertThat(log.rows).hasSize(PARTITIONS);

        nowMillis += HOUR - 1000;
        feed.datagram("from " + ID + " 0 2");
        endWindow();
        assertThat(log.rows).hasSize(1);

        nowMillis += 1000;
        feed.datagram("from " + ID + " 0 3");
        endWindow();
        assertThat(log.rows).hasSize(PARTITIONS);
    }

    @Test
    void a_stream_of_a_connection_is_announced_each_hour_by_the_lines_that_follow_its_from_line() {
        feed.lines("from " + ID + " 0 1\n");
        endWindow();
        nowMillis += HOUR;

        feed.lines("increment a 1 1\n");
        endWindow();

        assertThat(log.rows).hasSize(PARTITIONS);
        assertThat(log.lines(partition("a")))
                .containsExactly("from " + ID + " " + (HOUR + 2 * Gatherer.WINDOW_MILLIS), "increment a 1 1");
    }

    @Test
    void streams_are_announced_again_after_a_record_was_lost() {
        feed.datagram("from " + ID + " 0 1\nincrement a 1 1\nb:1|c");
        log.answers = false;
        endWindow();
        nowMillis++;
        log.fail();
        log.answers = true;
        assertThat(counted("fleet_lost_lines_total{kind=\"total\"}")).isEqualTo(1);
        assertThat(counted("fleet_lost_lines_total{kind=\"amount\"}")).isEqualTo(1);
        assertThat(counted("fleet_lost_lines_total{kind=\"number\"}")).isEqualTo(1);
        assertThat(said.lines()).singleElement().asString().startsWith("WARN Kafka did not take a record with ");

        feed.datagram("from " + ID + " 0 2");
        endWindow();

        assertThat(log.rows).hasSize(PARTITIONS);
    }

    @Test
    void many_new_streams_are_announced_one_after_the_other() {
        for (int i = 0; i < 600; i++) {
            feed.datagram("from sender-0123456789-" + i + " 0 1");
        }

        List<Long> announced = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            endWindow();
            announced.add(counted("fleet_announced_streams_total"));
        }

        assertThat(announced).containsExactly(256L, 512L, 600L);
    }

    @Test
    void a_flood_of_new_streams_from_one_address_is_not_announced_and_delays_no_other_stream() {
        use(16 << 20);
        long max = counted("fleet_known_streams_max");
        TargetFeed flood = new TargetFeed(gatherer, 2);
        TargetFeed honest = new TargetFeed(gatherer, 1);
        for (int i = 0; i < 2 * max; i++) {
            flood.datagram("from forged-0123456789-" + i + " 1000 1\nincrement forged 1 1");
            if (i % 100 == 0) {
                endWindow();
            }
        }
        endWindow();
        assertThat(counted("fleet_announced_streams_total")).isEqualTo(max / 16);
        assertThat(counted("fleet_deferred_streams_total")).isEqualTo(2 * max - max / 16);
        assertThat(counted("fleet_deferred_lines_total")).isEqualTo(2 * max - max / 16);

        honest.datagram("from " + ID + " 1000 1\nincrement a 1 1");
        endWindow();

        assertThat(log.lines(partition("a"))).contains("increment a 1 1");
        for (int partition = 0; partition < PARTITIONS; partition++) {
            assertThat(log.lines(partition)).anyMatch(line -> line.startsWith("from " + ID));
        }
    }

    @Test
    void a_stream_beyond_the_rate_waits_until_every_partition_is_told_of_it_and_is_exact_then() {
        use(1 << 20);
        TargetFeed sender = new TargetFeed(gatherer, 1);
        for (int i = 0; counted("fleet_deferred_streams_total") == 0; i++) {
            sender.datagram("from other-0123456789-" + i + " 1000 1");
        }
        sender.datagram("from " + ID + " 1000 1\nincrement a 5 5\nb:1|c");
        endWindow();
        assertThat(commands(allLines())).as("lines without totals do not wait").containsExactly("increment b 1");
        assertThat(allLines()).as("a flood reaches no ledger").noneMatch(line -> line.startsWith("from " + ID));

        nowMillis += MINUTE;
        sender.datagram("from " + ID + " 61000 2\nincrement a 0 5");
        endWindow();

        assertThat(commands(allLines())).containsExactly("increment a 0 5");
        for (int partition = 0; partition < PARTITIONS; partition++) {
            assertThat(log.lines(partition)).anyMatch(line -> line.startsWith("from " + ID));
        }
    }

    @Test
    void a_connection_whose_stream_waits_is_admitted_later_without_another_from_line() {
        use(1 << 20);
        TargetFeed sender = new TargetFeed(gatherer, 1);
        for (int i = 0; counted("fleet_deferred_streams_total") == 0; i++) {
            sender.datagram("from other-0123456789-" + i + " 1000 1");
        }
        sender.lines("from " + ID + " 1000 1\nincrement a 5 5\n");
        nowMillis += MINUTE;
        sender.lines("increment a 1 6\n");
        endWindow();

        assertThat(commands(allLines())).containsExactly("increment a 1 6");
    }

    @Test
    void a_stream_that_was_forgotten_for_lack_of_room_is_announced_again() {
        use(1 << 20);
        long max = counted("fleet_known_streams_max");
        feed.datagram("from " + ID + " 0 1");
        endWindow();
        for (int i = 0; i < 2 * max; i++) {
            feed.datagram("from sender-0123456789-" + i + " 0 1");
            if (i % 10 == 0) {
                endWindow();
                nowMillis += MINUTE;
            }
        }
        assertThat(counted("fleet_known_streams")).isLessThanOrEqualTo(max);
        for (int i = 0; i < max / 100 + 1; i++) {
            endWindow();
        }
        assertThat(counted("fleet_announced_streams_total")).isEqualTo(2 * max + 1);
        endWindow();
        assertThat(log.rows).isEmpty();

        feed.datagram("from " + ID + " 0 2");
        endWindow();

        assertThat(log.rows).hasSize(PARTITIONS);
    }

    @Test
    void the_numbers_of_datagrams_become_runs_in_the_order_of_arrival() {
        feed.datagram("from " + ID + " 0 1");
        endWindow();
        for (int seq : new int[] {2, 3, 4, 6, 5, 7, 7, 8}) {
            feed.datagram("from " + ID + " 0 " + seq);
        }

        endWindow();

        assertThat(log.lines(partition(ID)).stream().map(line -> line.substring(line.lastIndexOf(' ') + 1)))
                .containsExactly("2-4", "6", "5", "7", "7-8");
    }

    @Test
    void a_window_stays_open_while_Kafka_has_no_room_and_drops_nothing_that_it_can_merge() {
        log.hasRoom = false;
        for (int i = 1; i <= 20; i++) {
            feed.datagram("from " + ID + " 0 " + i + "\nincrement a 1 " + i + "\nb:1|c");
            endWindow();
            assertThat(log.rows).isEmpty();
        }
        log.hasRoom = true;

        assertThat(commands(window("a"))).contains("increment a 20 20");
        assertThat(log.lines(partition("b"))).contains("increment b 20");
        assertThat(log.lines(partition(ID))).anyMatch(line -> line.startsWith("from ") && line.endsWith(" 1-20"));
        assertThat(metrics.values().entrySet().stream()
                        .filter(metric -> metric.getKey().contains("dropped"))
                        .mapToLong(metric -> metric.getValue()))
                .containsOnly(0L);
    }

    @Test
    void beyond_the_memory_lines_are_dropped_those_with_totals_first_counted_and_logged() {
        use(1 << 20);
        log.hasRoom = false;
        int sent = 0;
        while (counted("fleet_dropped_lines_total{kind=\"total\"}") == 0 && sent < LINES_MAX) {
            feed.datagram("from " + ID + " 0 " + (2 * sent) + 1 + "\nincrement total." + sent + " 1 1");
            endWindow();
            sent++;
        }
        feed.datagram("amount.0:1|c");
        endWindow();
        assertThat(counted("fleet_dropped_lines_total{kind=\"amount\"}")).isZero();
        assertThat(gatherer.trouble()).isEmpty();
        int amounts = 1;
        while (counted("fleet_dropped_lines_total{kind=\"amount\"}") == 0 && amounts < LINES_MAX) {
            feed.datagram("amount." + amounts + ":1|c");
            endWindow();
            amounts++;
        }

        assertThat(said.lines()).isNotEmpty().allMatch(line -> line.startsWith("WARN the memory for lines that wait"));
        assertThat(gatherer.trouble()).contains("Kafka does not take the lines, and new ones are dropped");
        assertThat(counted("fleet_waiting_bytes")).isBetween(1L, counted("fleet_waiting_bytes_max"));
        feed.datagram("amount.0:1|c");
        feed.datagram("from " + ID + " 0 1\nincrement total.0 1 2");
        log.hasRoom = true;
        endWindow();
        assertThat(commands(allLines()).stream()
                        .collect(Collectors.partitioningBy(line -> line.contains(" total."), Collectors.counting())))
                .containsEntry(true, sent - 1L)
                .containsEntry(false, amounts - 1L);
        assertThat(allLines()).contains("increment amount.0 2", "increment total.0 2 2");
    }

    private List<String> allLines() {
        return IntStream.range(0, PARTITIONS)
                .mapToObj(log::lines)
                .flatMap(List::stream)
                .toList();
    }

    @Test
    void a_silent_Kafka_is_trouble_until_it_answers() {
        log.answers = false;
        feed.datagram("a:1|c");
        endWindow();
        assertThat(gatherer.trouble()).isEmpty();

        nowMillis += 6000;
        assertThat(gatherer.trouble()).contains("Kafka has not taken lines for 6 s");

        log.acknowledge();
        assertThat(gatherer.trouble()).isEmpty();
    }

    @Test
    void a_Kafka_that_refuses_each_line_is_trouble_until_it_takes_one() {
        log.answers = false;
        for (int i = 0; i < 3; i++) {
            feed.datagram("a:1|c");
            endWindow();
            log.fail();
        }
        assertThat(gatherer.trouble()).contains("Kafka refuses lines: nobody answers");
        endWindow();
        assertThat(gatherer.trouble()).as("nothing waits").isPresent();
        nowMillis += 60_000;
        assertThat(gatherer.trouble())
                .as("a load balancer that sends nothing to who has trouble would do so for ever")
                .isEmpty();

        feed.datagram("a:1|c");
        endWindow();
        log.fail();
        assertThat(gatherer.trouble()).contains("Kafka refuses lines: nobody answers");
        log.answers = true;
        feed.datagram("a:1|c");
        endWindow();
        assertThat(gatherer.trouble()).isEmpty();
    }

    @Test
    void a_window_that_grows_fast_is_sent_before_its_end() {
        use(4 << 20);
        for (int i = 0; log.rows.isEmpty() && i < LINES_MAX; i++) {
            feed.datagram("n." + i + ":1|c");
            gatherer.run();
        }

        assertThat(counted("fleet_gathered_lines_total")).isBetween(100L, 1000L);
        assertThat(commands(allLines())).hasSize((int) counted("fleet_gathered_lines_total"));
    }

    @Test
    void a_large_window_becomes_several_records_whose_lines_keep_their_stream() {
        use(1L << 30);
        StringBuilder text = new StringBuilder("from " + ID + " 0 1\n");
        for (int i = 0; i < 60_000; i++) {
            text.append("increment orders.placed.in.a.shop.with.a.long.name.")
                    .append(i)
                    .append(" 1 1\n");
        }
        feed.lines(text.toString());

        endWindow();

        assertThat(log.rows).hasSizeGreaterThan(PARTITIONS);
        assertThat(log.rows).allSatisfy(row -> {
            assertThat(row.text().length).isLessThan(LineWindow.RECORD_BYTES + 512);
            assertThat(row.string()).startsWith("from " + ID + " ");
        });
        assertThat(commands(allLines())).hasSize(60_000).doesNotHaveDuplicates();
        assertThat(allLines().stream().filter(line -> line.endsWith(" 1") && line.startsWith("from ")))
                .hasSize(1);
    }

    @Test
    void the_end_sends_what_has_arrived_at_once() {
        feed.datagram("a:1|c");

        gatherer.close();
        gatherer.close();

        assertThat(allLines()).containsExactly("increment a 1");
        assertThat(log.closed).isTrue();
    }
}
