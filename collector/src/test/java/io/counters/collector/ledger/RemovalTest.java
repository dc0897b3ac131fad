package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Removing a counter, and what happens to it then. */
class RemovalTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";

    private final Metrics metrics = new Metrics();
    private final Disk disk = new Disk();
    private long wallSeconds = 1_700_000_000;
    private Ledger ledger = ledger();
    private Feed feed = new Feed(ledger);

    private Ledger ledger() {
        Ledger made = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                true,
                () -> 0,
                () -> wallSeconds,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                metrics);
        LedgerGauges.register(made, () -> List.of(made), metrics);
        return made;
    }

    /** What was not committed is lost. */
    private void crash() {
        ledger = ledger();
        feed = new Feed(ledger);
    }

    private void restart() {
        disk.commit(ledger);
        crash();
    }

    private static SortedMap<String, Long> shown(Snapshot snapshot) {
        SortedMap<String, Long> values = new TreeMap<>();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }

    private SortedMap<String, Long> shown() {
        disk.commit(ledger);
        return shown(ledger.snapshot());
    }

    private void exchange(Kind kind, long number, Push.Reply reply) {
        disk.commit(ledger);
        Push request = new Push(0, "a", kind, number);
        assertThat(ledger.take(10, 0)).containsExactly(request);
        ledger.answered(request, reply);
    }

    private void assertAtRest() {
        disk.commit(ledger);
        assertThat(ledger.take(10, 0)).isEmpty();
        assertThat(ledger.unanswered()).isZero();
    }

    @Test
    void a_removed_counter_is_in_no_list_and_the_others_stay() {
        feed.datagram("increment a 5\nincrement b 6\nincrement c 7");
        disk.commit(ledger);

        Removal removal = ledger.remove("b");

        assertThat(removal).isEqualTo(new Removal("b", 6, true, 0));
        assertThat(shown(ledger.snapshot())).as("before the commit").isEqualTo(Map.of("a", 5L, "b", 6L, "c", 7L));
        assertThat(shown()).isEqualTo(Map.of("a", 5L, "c", 7L));
        assertThat(ledger.explain("b")).isNull();
        assertThat(ledger.size()).isEqualTo(2);
        assertThat(metrics.values()).containsEntry("ledger_counters", 2L);
        assertThat(ledger.remove("b")).as("again").isNull();
        assertThat(ledger.remove("nowhere")).isNull();
        restart();
        assertThat(shown()).isEqualTo(Map.of("a", 5L, "c", 7L));
        assertThat(ledger.remove("b")).isNull();
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -3, 0, Long.MAX_VALUE})
    void every_value_becomes_0(long value) {
        feed.datagram("increment a 0");
        disk.commit(ledger);
        ledger.answered(ledger.take(1, 0).get(0), new Holds(value));
        assertThat(ledger.value("a")).isEqualTo(value);

        assertThat(requireNonNull(ledger.remove("a")).value()).isEqualTo(value);

        assertThat(ledger.value("a")).isZero();
        feed.datagram("increment a 2");
        assertThat(shown()).isEqualTo(Map.of("a", 2L));
    }

    @Test
    void the_next_increment_brings_it_back_and_it_counts_from_0() {
        feed.datagram("increment a 5\ntimes:0.4|c\ntimes:0.4|c");
        disk.commit(ledger);
        ledger.remove("a");
        ledger.remove("times");
        disk.commit(ledger);
        wallSeconds += 60;

        feed.datagram("increment a 2\ntimes:0.4|c");

        assertThat(shown()).as("no fraction is left").isEqualTo(Map.of("a", 2L, "times", 0L));
        Explanation back = requireNonNull(ledger.explain("a"));
        assertThat(back.createdSecond()).isEqualTo(1_700_000_060);
        assertThat(back.movedSecond()).isEqualTo(1_700_000_060);
        restart();
        assertThat(shown()).isEqualTo(Map.of("a", 2L, "times", 0L));
    }

    @Test
    void its_watermarks_stay_so_that_repeated_totals_do_not_bring_it_back() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5\ndecrement a 1 1");
        disk.commit(ledger);

        assertThat(ledger.remove("a")).isEqualTo(new Removal("a", 4, true, 1));

        feed.datagram(S1 + " 20 2\nincrement a 0 5\ndecrement a 0 1");
        assertThat(shown()).isEmpty();
        restart();
        feed.datagram(S1 + " 30 3\nincrement a 0 5\ndecrement a 0 1");
        assertThat(shown()).isEmpty();
        feed.datagram(S1 + " 40 4\nincrement a 3 8");
        assertThat(shown()).isEqualTo(Map.of("a", 3L));
        Explanation back = requireNonNull(ledger.explain("a"));
        assertThat(back.parts()).singleElement().satisfies(part -> {
            assertThat(part.increments()).isEqualTo(8);
            assertThat(part.decrements()).isEqualTo(1);
            assertThat(part.applied()).isEqualTo(3);
        });
        assertThat(back.rest()).isZero();
        assertThat(back.isDecremented()).as("remembered").isTrue();
    }

    @Test
    void a_removal_is_committed_completely_or_not_at_all() {
        feed.datagram(S1 + " 10 1\nincrement a 5 5");
        disk.commit(ledger);
        ledger.remove("a");
        crash();
        assertThat(shown()).as("not committed").isEqualTo(Map.of("a", 5L));

        ledger.remove("a");
        disk.fail(ledger);
        assertThat(shown(ledger.snapshot())).as("the commit failed").isEqualTo(Map.of("a", 5L));
        disk.commit(ledger);
        crash();

        assertThat(shown()).isEmpty();
        feed.datagram(S1 + " 20 2\nincrement a 1 6");
        assertThat(requireNonNull(ledger.explain("a")).rest()).isZero();
        assertThat(shown()).isEqualTo(Map.of("a", 1L));
    }

    @Test
    void a_counter_that_is_counted_again_before_the_commit_is_back() {
        feed.datagram("increment a 5");
        disk.commit(ledger);
        wallSeconds += 60;

        ledger.remove("a");
        feed.datagram("increment a 2");

        assertThat(shown()).isEqualTo(Map.of("a", 2L));
        assertThat(requireNonNull(ledger.explain("a")).createdSecond()).isEqualTo(1_700_000_060);
    }

    @Test
    void a_counter_that_was_never_committed_can_be_removed() {
        feed.datagram("increment a 5");

        assertThat(requireNonNull(ledger.remove("a")).value()).isEqualTo(5);

        assertThat(shown()).isEmpty();
        restart();
        assertThat(shown()).isEmpty();
    }

    @Test
    void a_counter_that_returns_during_a_failed_commit_is_created_by_the_next_one() {
        feed.datagram("increment a 5");
        disk.commit(ledger);
        ledger.remove("a");
        disk.commit(ledger);
        feed.datagram("increment a 2");
        disk.fail(ledger);
        wallSeconds += 60;
        disk.commit(ledger);

        assertThat(requireNonNull(ledger.explain("a")).createdSecond()).isEqualTo(1_700_000_060);
    }

    @Test
    void its_key_becomes_0_and_is_not_restored_if_it_is_then_deleted() {
        feed.datagram("increment a 5");
        exchange(Kind.READ, 0, new Missing());
        exchange(Kind.ADD, 5, new Holds(5));

        ledger.remove("a");

        exchange(Kind.INCREMENT, -5, new Holds(0));
        assertAtRest();
        Push look = ledger.take(10, 1).get(0);
        ledger.answered(look, new Missing());
        assertAtRest();
        restart();
        exchange(Kind.READ, 0, new Missing());
        assertAtRest();
        feed.datagram("increment a 2");
        exchange(Kind.ADD, 2, new Holds(2));
        assertAtRest();
    }

    @Test
    void a_key_that_was_never_read_is_set_to_0_and_not_adopted() {
        feed.datagram("increment a 5");
        disk.commit(ledger);
        Push read = ledger.take(10, 0).get(0);
        ledger.remove("a");
        ledger.answered(read, new Holds(100));

        exchange(Kind.INCREMENT, -100, new Holds(0));

        assertAtRest();
        assertThat(shown()).isEmpty();
    }

    @Test
    void a_push_in_progress_does_not_bring_the_value_back() {
        feed.datagram("increment a 5");
        exchange(Kind.READ, 0, new Missing());
        exchange(Kind.ADD, 5, new Holds(5));
        feed.datagram("increment a 2");
        disk.commit(ledger);
        Push sent = ledger.take(10, 0).get(0);
        ledger.remove("a");
        disk.commit(ledger);
        ledger.answered(sent, new Holds(7));

        exchange(Kind.INCREMENT, -7, new Holds(0));

        assertAtRest();
    }

    /** Any order of lines, removals, commits that succeed or fail, and crashes, against a model. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void a_removed_counter_counts_only_what_comes_after_it(long seed) {
        Random random = new Random(seed);
        String[] names = {"a", "b", "c"};
        long[] totals = new long[names.length];
        Map<String, Long> values = new TreeMap<>();
        Map<String, Long> committed = new TreeMap<>();
        int seq = 0;
        for (int step = 0; step < 3000; step++) {
            int place = random.nextInt(names.length);
            String name = names[place];
            switch (random.nextInt(8)) {
                case 0, 1 -> {
                    totals[place] += 3;
                    if (random.nextInt(4) > 0) {
                        feed.datagram(
                                S1 + " " + (10 + seq) + " " + ++seq + "\nincrement " + name + " 3 " + totals[place]);
                        values.put(name, null);
                    }
                }
                case 2, 3 -> {
                    feed.datagram("decrement " + name + " 1");
                    values.put(name, null);
                }
                case 4 -> {
                    Removal removal = ledger.remove(name);
                    assertThat(removal != null).isEqualTo(values.containsKey(name));
                    values.remove(name);
                }
                case 5 -> disk.fail(ledger);
                case 6 -> {
                    disk.commit(ledger);
                    committed = new TreeMap<>(values);
                }
                default -> {
                    if (random.nextInt(20) == 0) {
                        crash();
                        values = new TreeMap<>(committed);
                    }
                }
            }
            for (String each : names) {
                Explanation explanation = ledger.explain(each);
                assertThat(explanation != null).as(each).isEqualTo(values.containsKey(each));
                if (explanation == null) {
                    assertThat(ledger.value(each)).isZero();
                } else {
                    long parts = explanation.parts().stream()
                            .mapToLong(Explanation.Part::applied)
                            .sum();
                    assertThat(parts % 3).as("whole amounts of the stream").isZero();
                    assertThat(parts).isNotNegative();
                    assertThat(explanation.rest()).as("plain lines").isNotPositive();
                    assertThat(parts + explanation.rest()).isEqualTo(explanation.value());
                }
            }
            assertThat(shown(ledger.snapshot()).keySet()).isEqualTo(committed.keySet());
        }
        assertThat(seq).isPositive();
    }
}
