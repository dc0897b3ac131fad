package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerRecords;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.ledger.Snapshot;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Owners over a log in memory: whoever owns a partition when, its ledger has every line of the log once. */
class OwnerTest {
    private static final int PARTITIONS = 4;
    private static final long SECOND = 1_000_000_000;

    private long nanos;
    private OptionalLong due = OptionalLong.empty();
    private final SaidFaults said = new SaidFaults();
    private final MemoryLog log = new MemoryLog(PARTITIONS, new Random(1));
    private final Map<String, Long> expected = new TreeMap<>();

    /** A collector as far as it owns partitions. */
    private final class Collector {
        final Metrics metrics = new Metrics();
        final OwnedLedgers owned = new OwnedLedgers(PARTITIONS);
        final MemoryLog.Of lines;
        final Loader loader;
        final Owner owner;

        Collector(String name) {
            lines = log.new Of(name);
            loader = new Loader(log.new Loading(), PARTITIONS, this::ledger, said.log());
            owner = new Owner(
                    lines,
                    loader,
                    owned,
                    PARTITIONS,
                    ledger -> true,
                    () -> due,
                    () -> wallMillis(),
                    () -> nanos,
                    said.log(),
                    metrics);
        }

        private Ledger ledger(LedgerRecords.Collected records) {
            return new Ledger(
                    LedgerSettings.in(Path.of("unused")),
                    false,
                    () -> nanos / 1_000_000,
                    () -> wallMillis() / 1000,
                    records.load(new LedgerState(7, new SeededHash(new Random(1)))),
                    metrics);
        }

        void run() throws Exception {
            loader.step();
            owner.run();
        }

        /** Runs until everything is merged and committed. */
        void rest() throws Exception {
            for (int i = 0; i < 1000; i++) {
                log.answered(true);
                nanos += SECOND;
                run();
            }
        }

        Map<String, Long> values() {
            Map<String, Long> values = new TreeMap<>();
            Snapshot snapshot = owned.snapshot();
            for (int i = 0; i < snapshot.size(); i++) {
                values.put(snapshot.names()[i], snapshot.values()[i]);
            }
            return values;
        }

        long metric(String metric) {
            return metrics.values().getOrDefault(metric, 0L);
        }
    }

    private long wallMillis() {
        return 1_700_000_000_000L + nanos / 1_000_000;
    }

    private static String name(int partition, int number) {
        return "partition." + partition + ".name." + number;
    }

    private void count(int partition, int number, long amount) {
        String name = name(partition, number);
        expected.merge(name, amount, Long::sum);
        log.add(partition, wallMillis(), ("increment " + name + " " + amount + "\n").getBytes(ISO_8859_1));
    }

    private void assign(String name) {
        for (int i = 0; i < PARTITIONS; i++) {
            log.assign(i, name);
        }
    }

    private Map<String, Long> loadedAnew() throws Exception {
        assign("last");
        Collector last = new Collector("last");
        last.rest();
        return last.values();
    }

    @Test
    void lines_are_merged_and_committed_and_a_later_owner_goes_on() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        count(0, 1, 5);
        count(3, 1, 7);
        one.rest();
        assertThat(one.values()).isEqualTo(expected);
        assertThat(log.committed(0)).isEqualTo(1);
        count(0, 1, 6);

        Collector two = new Collector("two");
        assign("two");
        two.rest();

        assertThat(two.values()).isEqualTo(expected).containsEntry(name(0, 1), 11L);
        assertThat(two.metric("fleet_owned_partitions")).isEqualTo(4);
        assertThat(two.metric("fleet_loading_partitions")).isZero();
        assertThat(two.metric("fleet_take_over_second")).isPositive();
        one.rest();
        assertThat(one.values()).isEmpty();
    }

    @Test
    void an_aborted_transaction_becomes_part_of_the_next_one() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        count(0, 1, 5);
        one.lines.next = MemoryLog.Outcome.ABORTED;

        one.rest();

        assertThat(one.values()).isEqualTo(expected);
        assertThat(one.metric("fleet_aborted_transactions_total")).isEqualTo(1);
        assertThat(one.metric("fleet_discarded_ledgers_total")).isZero();
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_meeting_of_the_members_discards_no_ledger_that_stays() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        log.assign(3, "two");
        count(0, 1, 5);
        nanos += SECOND;
        while (one.metric("fleet_aborted_transactions_total") == 0) {
            one.run();
        }

        one.rest();

        assertThat(log.committed(0)).isEqualTo(1);
        assertThat(one.values()).isEqualTo(expected);
        assertThat(one.owned.partitions()).hasSize(3);
        assertThat(one.metric("fleet_discarded_ledgers_total")).isLessThanOrEqualTo(1);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_collector_that_cannot_begin_transactions_meets_the_others_and_says_what_it_waits_for() throws Exception {
        Collector one = new Collector("one");
        one.lines.isRenewable = false;
        assign("one");
        count(0, 1, 5);

        one.rest();

        assertThat(one.metric("fleet_rebalances_total")).isEqualTo(1);
        assertThat(one.owned.partitions()).isEmpty();
        assertThat(one.owner.trouble().orElseThrow()).contains("begin no transaction");
        one.lines.isRenewable = true;
        one.rest();
        assertThat(one.values()).isEqualTo(expected);
        assertThat(one.owner.trouble()).isEmpty();
    }

    @Test
    void partitions_that_were_anothers_meanwhile_are_loaded_anew_though_nobody_says_so() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        count(0, 1, 5);
        one.rest();
        Collector two = new Collector("two");
        assign("two");
        count(0, 1, 6);
        two.rest();
        assign("one");
        count(0, 1, 7);

        one.rest();

        assertThat(one.metric("fleet_discarded_ledgers_total")).isPositive();
        assertThat(one.metric("fleet_rebalances_total")).as("nothing is said").isEqualTo(1);
        assertThat(one.values()).isEqualTo(expected);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"UNKNOWN_OPEN, 0", "UNKNOWN_COMMITTED, 1"})
    void a_transaction_without_an_answer_discards_the_ledgers_only_if_it_was_committed(
            MemoryLog.Outcome outcome, long discarded) throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        count(0, 1, 5);
        one.lines.next = outcome;

        one.rest();

        assertThat(one.metric("fleet_aborted_transactions_total")).isEqualTo(1);
        assertThat(one.metric("fleet_discarded_ledgers_total")).isEqualTo(discarded);
        assertThat(one.values()).isEqualTo(expected);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_zombie_commits_nothing_and_loads_anew_what_it_still_owns() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        Collector two = new Collector("two");
        count(0, 1, 5);
        nanos += SECOND;
        while (one.owned.ledgers().get(0).value(name(0, 1)) == 0) {
            one.owner.lines(0, 0, wallMillis(), ("increment " + name(0, 1) + " 5\n").getBytes(ISO_8859_1));
        }
        log.assign(0, "two");
        two.rest();
        count(0, 1, 6);
        two.rest();

        // It has not polled since, so it does not know.
        one.owner.committing().run();
        one.rest();

        assertThat(two.values()).isEqualTo(Map.of(name(0, 1), 11L));
        assertThat(one.owned.partition(0)).isNull();
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_tick_is_in_the_transaction_that_records_its_second() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        count(0, 1, 5);
        one.rest();
        count(0, 1, 6);
        due = OptionalLong.of(1_700_000_010);
        one.lines.next = MemoryLog.Outcome.ABORTED;
        one.run();
        due = OptionalLong.empty();
        assertThat(log.ticks(0)).isEmpty();

        one.rest();
        due = OptionalLong.of(1_700_000_010);
        Collector two = new Collector("two");
        assign("two");
        two.rest();

        assertThat(log.ticks(0))
                .as("the second owner knows that the second was used")
                .hasSize(1);
        TickRecords.Tick tick = TickRecords.read(log.ticks(0).get(0));
        assertThat(tick.second()).isEqualTo(1_700_000_010);
        assertThat(tick.values().values()[0]).isBetween(5L, 11L);
        assertThat(tick.values().createdSecond(0)).as("for sinks that need it").isPositive();
        assertThat(two.metric("publish_skipped_ticks_total")).isPositive();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 50})
    void a_partition_that_is_taken_over_has_the_tick_that_its_former_owner_missed_with_the_lines_up_to_it(int later)
            throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        due(wallMillis() / 1000, one);
        nanos += 9 * SECOND;
        for (int i = 0; i < 100; i++) {
            count(0, 1, 1);
        }
        nanos += SECOND;
        long missed = wallMillis() / 1000;
        due(missed, two);
        nanos += 3 * SECOND;
        for (int i = 0; i < later; i++) {
            count(0, 1, 1);
        }

        log.assign(0, "two");
        awaitTicks(two, 0, 2);

        assertThat(secondsOfTicks(0)).hasSize(2).endsWith(missed);
        assertThat(TickRecords.read(log.ticks(0).get(1)).values().values()[0]).isEqualTo(105);
        assertThat(secondsOfTicks(1)).as("it has one of this second").containsExactly(missed);
        assertThat(two.metric("publish_skipped_ticks_total")).isZero();
        two.rest();
        assertThat(two.values()).isEqualTo(expected);
        assertThat(log.ticks(0)).hasSize(2);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_tick_that_is_due_while_a_missed_one_waits_for_its_commit_is_left_out() throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        long missed = wallMillis() / 1000;
        due(missed, two);
        count(0, 1, 1);
        nanos += 9 * SECOND;
        count(0, 1, 1);
        log.assign(0, "two");
        two.lines.next = MemoryLog.Outcome.ABORTED;
        while (two.metric("fleet_aborted_transactions_total") == 0) {
            two.run();
        }
        two.lines.next = MemoryLog.Outcome.ABORTED;
        nanos += SECOND;
        due(missed + 10, two);

        two.rest();

        assertThat(secondsOfTicks(0)).containsExactly(missed);
        assertThat(TickRecords.read(log.ticks(0).get(0)).values().values()[0])
                .as("with the line of this second, and without the later one")
                .isEqualTo(6);
        assertThat(two.metric("publish_skipped_ticks_total")).isEqualTo(1);
        assertThat(two.values()).isEqualTo(expected);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    /** Of earlier seconds a ledger does not know whether later ones were used; a later one would keep all until then from it. */
    @ParameterizedTest
    @ValueSource(longs = {-60, 1, 5_000})
    void no_second_is_used_for_it_that_is_long_ago_or_ahead_of_the_clock(long secondsAhead) throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        due(wallMillis() / 1000 + secondsAhead, two);

        log.assign(0, "two");
        for (int i = 0; i < 1000; i++) {
            log.answered(true);
            two.run();
        }

        assertThat(secondsOfTicks(1)).hasSize(1);
        assertThat(secondsOfTicks(0)).isEmpty();
        assertThat(two.values()).isEqualTo(expected);
    }

    /** Each of the first two partitions has an owner and a counter. */
    private void divide(Collector one, Collector two) throws Exception {
        log.assign(0, "one");
        log.assign(1, "two");
        count(0, 1, 5);
        count(1, 1, 7);
        one.rest();
        two.rest();
    }

    /** A tick is due; no time passes. */
    private void due(long second, Collector owner) throws Exception {
        due = OptionalLong.of(second);
        owner.run();
        due = OptionalLong.empty();
        log.answered(true);
    }

    private void awaitTicks(Collector owner, int partition, int count) throws Exception {
        for (int i = 0; i < 1000 && log.ticks(partition).size() < count; i++) {
            log.answered(true);
            owner.run();
        }
    }

    private List<Long> secondsOfTicks(int partition) throws Exception {
        List<Long> seconds = new ArrayList<>();
        for (byte[] tick : log.ticks(partition)) {
            seconds.add(TickRecords.read(tick).second());
        }
        return seconds;
    }

    @Test
    void a_record_whose_clock_is_off_is_said() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        log.add(0, wallMillis() + 40_000, "increment a\n".getBytes(ISO_8859_1));
        one.run();
        while (one.owned.size() == 0) {
            one.run();
        }

        assertThat(one.metric("fleet_clock_off_records_total")).isEqualTo(1);
        assertThat(String.join("\n", said.lines())).contains("ahead of this collector's clock");
    }

    @Test
    void another_number_of_partitions_is_refused() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        count(0, 1, 5);
        one.rest();
        Loader other = new Loader(log.new Loading(), PARTITIONS + 1, one::ledger, said.log());
        other.want(new Load(0, 0, 0));

        while (other.step()) {
            assertThat(other.take()).isNull();
        }

        Load load = Objects.requireNonNull(other.take());
        assertThat(load.ledger).isNull();
        assertThat(load.damage).contains("4 partitions").contains("5 now");
    }
}
