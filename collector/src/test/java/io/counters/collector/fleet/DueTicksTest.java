package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ticks of partitions that change their owners: which there are, and of which lines they have the values. */
class DueTicksTest extends OwnersInMemory {
    private static final int PARTITIONS = 3;

    DueTicksTest() {
        super(PARTITIONS);
    }

    private void count(int partition, long amount) {
        String name = "partition." + partition;
        expected.merge(name, amount, Long::sum);
        log.add(partition, wallMillis(), ("increment " + name + " " + amount + "\n").getBytes(ISO_8859_1));
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
            count(0, 1);
        }
        nanos += SECOND;
        long missed = wallMillis() / 1000;
        due(missed, two);
        nanos += 3 * SECOND;
        for (int i = 0; i < later; i++) {
            count(0, 1);
        }

        log.assign(0, "two");
        awaitTicks(two, 0, 2);

        assertThat(secondsOfTicks(0)).hasSize(2).endsWith(missed);
        assertThat(value(0, 1)).isEqualTo(105);
        assertThat(secondsOfTicks(1)).as("it has one of this second").containsExactly(missed);
        assertThat(two.metric("publish_skipped_ticks_total")).isZero();
        two.rest();
        assertThat(two.values()).isEqualTo(expected);
        assertThat(log.ticks(0)).hasSize(2);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_tick_that_is_due_before_the_lines_up_to_a_missed_one_are_merged_replaces_it_and_has_its_own_lines()
            throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        for (int i = 0; i < 100; i++) {
            count(0, 1);
        }
        long missed = wallMillis() / 1000;
        due(missed, two);
        log.assign(0, "two");
        two.begin();

        nanos += 10 * SECOND;
        due(missed + 10, two);
        nanos += SECOND;
        count(0, 1);
        awaitTicks(two, 0, 1);

        assertThat(secondsOfTicks(0)).containsExactly(missed + 10);
        assertThat(value(0, 0)).isEqualTo(105);
        assertThat(two.metric("publish_skipped_ticks_total")).isEqualTo(1);
        two.rest();
        assertThat(two.values()).isEqualTo(expected);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void a_tick_that_is_due_while_a_missed_one_waits_for_its_commit_is_written_after_it() throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        long missed = wallMillis() / 1000;
        due(missed, two);
        count(0, 1);
        nanos += 9 * SECOND;
        count(0, 1);
        log.assign(0, "two");
        two.holdTick();

        for (int seconds = 10; seconds <= 30; seconds += 10) {
            two.lines.next = MemoryLog.Outcome.ABORTED;
            nanos += seconds == 10 ? SECOND : 10 * SECOND;
            due(missed + seconds, two);
            count(0, 1);
        }
        two.rest();

        assertThat(secondsOfTicks(0)).as("the missed one, and the last").containsExactly(missed, missed + 30);
        assertThat(value(0, 0))
                .as("with the line of this second, and without later ones")
                .isEqualTo(6);
        assertThat(value(0, 1)).isEqualTo(10);
        assertThat(two.metric("publish_skipped_ticks_total")).isEqualTo(2);
        assertThat(two.values()).isEqualTo(expected);
        assertThat(loadedAnew()).isEqualTo(expected);
    }

    @Test
    void nothing_is_asked_of_the_log_in_each_round_in_which_a_tick_waits_for_its_commit() throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        due(wallMillis() / 1000, two);
        nanos += 9 * SECOND;
        count(0, 1);
        log.assign(0, "two");
        two.holdTick();
        int begun = two.lines.begun;

        for (int i = 0; i < 20; i++) {
            two.lines.next = MemoryLog.Outcome.ABORTED;
            two.run();
        }
        assertThat(two.lines.begun).isEqualTo(begun);
        two.rest();

        assertThat(two.lines.begun).isEqualTo(begun + 1);
        assertThat(two.values()).isEqualTo(expected);
    }

    /** Otherwise a collector that is too slow for its lines would never publish again. */
    @Test
    void a_partition_that_does_not_catch_up_within_a_minute_has_ticks_of_what_is_merged() throws Exception {
        Collector one = new Collector("one");
        Collector two = new Collector("two");
        divide(one, two);
        long missed = wallMillis() / 1000;
        due(missed, two);
        log.assign(0, "two");
        for (int i = 0; i < 100; i++) {
            count(0, 1);
        }
        two.begin();

        for (int second = 1; second <= 62; second++) {
            nanos += SECOND;
            for (int i = 0; i < 20; i++) {
                count(0, 1);
            }
            due(missed + second, two);
        }
        two.rest();

        assertThat(secondsOfTicks(0)).containsExactly(missed + 60, missed + 61, missed + 62);
        assertThat(two.values()).isEqualTo(expected);
    }

    @Test
    void a_collector_that_has_just_started_makes_up_for_a_tick_that_was_due_before() throws Exception {
        Collector one = new Collector("one");
        divide(one, new Collector("two"));
        lastDue = wallMillis() / 1000;
        nanos += 5 * SECOND;
        count(0, 1);
        count(2, 1);

        log.assign(0, "three");
        log.assign(2, "three");
        Collector three = new Collector("three");
        three.rest();

        assertThat(secondsOfTicks(0)).containsExactly(lastDue);
        assertThat(value(0, 0)).isEqualTo(5);
        assertThat(secondsOfTicks(2)).as("its ledger is new").isEmpty();
    }

    @Test
    void a_new_ledger_has_missed_no_tick() throws Exception {
        count(0, 5);
        lastDue = wallMillis() / 1000;
        nanos += 5 * SECOND;
        log.assign(0, "one");
        Collector one = new Collector("one");

        one.rest();

        assertThat(one.values()).isEqualTo(expected);
        assertThat(secondsOfTicks(0)).isEmpty();
    }

    /** A ledger looks only a minute ahead for later seconds; one ahead of the clock would block all ticks until then. */
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
        count(0, 5);
        count(1, 7);
        one.rest();
        two.rest();
    }

    /** A tick is due; no time passes. */
    private void due(long second, Collector owner) throws Exception {
        due = OptionalLong.of(second);
        owner.run();
        lastDue = second;
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

    private long value(int partition, int tick) throws Exception {
        return TickRecords.read(log.ticks(partition).get(tick)).values().values()[0];
    }
}
