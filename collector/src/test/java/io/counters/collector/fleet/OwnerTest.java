package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Owners over a log in memory: whoever owns a partition when, its ledger has every line of the log once. */
class OwnerTest extends OwnersInMemory {
    private static final int PARTITIONS = 4;

    OwnerTest() {
        super(PARTITIONS);
    }

    private static String name(int partition, int number) {
        return "partition." + partition + ".name." + number;
    }

    private void count(int partition, int number, long amount) {
        String name = name(partition, number);
        expected.merge(name, amount, Long::sum);
        log.add(partition, wallMillis(), ("increment " + name + " " + amount + "\n").getBytes(ISO_8859_1));
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
        for (int i = 0; i < 1000 && one.metric("fleet_aborted_transactions_total") == 0; i++) {
            one.run();
        }
        assertThat(one.metric("fleet_aborted_transactions_total")).isPositive();

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
    void a_collector_that_has_not_met_the_others_yet_says_so() throws Exception {
        Collector one = new Collector("one");
        one.rest();
        assertThat(one.owner.trouble()).contains("this collector is not in the group of owners");

        assign("one");
        one.rest();

        assertThat(one.owner.trouble()).isEmpty();

        one.lines.isOut = true;
        one.run();
        assertThat(one.owner.trouble()).contains("this collector is not in the group of owners");
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
        assertThat(two.metric("publish_skipped_ticks_total"))
                .as("nothing is missing, because the former owner has written this tick")
                .isZero();
        assertThat(said.lines()).noneMatch(line -> line.contains("published already"));

        due = OptionalLong.of(1_700_000_009);
        two.rest();
        assertThat(log.ticks(0)).as("the clock was set back").hasSize(1);
        assertThat(two.metric("publish_skipped_ticks_total")).isPositive();
        assertThat(said.lines())
                .anyMatch(line -> line.contains("second 1700000009 or a later one, up to 1700000010, was published"
                        + " already for partitions [0, 1, 2, 3]"));
    }

    @Test
    void a_record_whose_clock_is_off_is_said() throws Exception {
        Collector one = new Collector("one");
        assign("one");
        one.rest();
        log.add(0, wallMillis() + 40_000, "increment a\n".getBytes(ISO_8859_1));
        one.run();
        for (int i = 0; i < 1000 && one.owned.size() == 0; i++) {
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
        Loader other = new Loader(log.new Loading(), PARTITIONS + 1, one::ledger, () -> nanos, said.log());
        other.want(new Load(0, 0, 0));

        while (other.step()) {
            assertThat(other.take()).isNull();
        }

        Load load = Objects.requireNonNull(other.take());
        assertThat(load.ledger).isNull();
        assertThat(load.damage).contains("4 partitions").contains("5 now");
    }
}
