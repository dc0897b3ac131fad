package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Push.Exists;
import io.counters.collector.ledger.Push.Holds;
import io.counters.collector.ledger.Push.Kind;
import io.counters.collector.ledger.Push.Missing;
import io.counters.collector.ledger.Push.Refused;
import io.counters.collector.ledger.Push.Unknown;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** One key in the store, step by step. */
class ProjectionTest {
    private final Metrics metrics = new Metrics();
    private final Disk disk = new Disk();
    private Ledger ledger = ledger();

    private Ledger ledger() {
        return new Ledger(
                LedgerSettings.in(Path.of("unused")),
                true,
                () -> 0,
                () -> 0,
                disk.load(new LedgerState(1, new SeededHash(new Random(1)))),
                metrics);
    }

    private void count(long difference) {
        new Feed(ledger).datagram((difference < 0 ? "decrement a " : "increment a ") + Math.abs(difference));
    }

    private void crash() {
        ledger = ledger();
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    private long value() {
        disk.commit(ledger);
        return disk.values().getOrDefault("a", 0L);
    }

    /** Commits, takes the one request that is due, checks that it is this one, and answers it. */
    private void exchange(Kind kind, long number, Push.Reply reply) {
        Push request = new Push(0, "a", kind, number);
        disk.commit(ledger);
        assertThat(ledger.take(10, 0)).containsExactly(request);
        ledger.answered(request, reply);
    }

    private void read(Push.Reply reply) {
        exchange(Kind.READ, 0, reply);
    }

    /** Reads the key as one at rest. */
    private void look(Push.Reply reply) {
        disk.commit(ledger);
        Push request = new Push(0, "a", Kind.READ, 0);
        assertThat(ledger.take(10, 1)).containsExactly(request);
        ledger.answered(request, reply);
    }

    private void assertAtRest() {
        disk.commit(ledger);
        assertThat(ledger.take(10, 0)).isEmpty();
        assertThat(ledger.unanswered()).isZero();
    }

    /** The key contains 5, and nothing is due. */
    private void settledAtFive() {
        count(5);
        read(new Missing());
        exchange(Kind.ADD, 5, new Holds(5));
        assertAtRest();
    }

    @Test
    void a_new_key_is_added_and_then_moved_by_differences() {
        settledAtFive();
        count(-8);
        exchange(Kind.INCREMENT, -8, new Holds(-3));
        count(1);
        count(1);
        exchange(Kind.INCREMENT, 2, new Holds(-1));

        assertAtRest();
        assertThat(value()).isEqualTo(-1);
    }

    @Test
    void nothing_is_pushed_before_its_goal_is_committed() {
        count(5);
        disk.commit(ledger);
        ledger.answered(ledger.take(10, 10).get(0), new Missing());

        assertThat(ledger.take(10, 10)).isEmpty();
        disk.commit(ledger);
        assertThat(ledger.take(10, 10)).hasSize(1);
    }

    @Test
    void an_amount_that_is_counted_during_a_push_is_pushed_after_it() {
        settledAtFive();
        count(1);
        disk.commit(ledger);
        Push sent = ledger.take(10, 10).get(0);
        count(10);
        disk.commit(ledger);
        assertThat(ledger.take(10, 10)).as("one request per key").isEmpty();
        ledger.answered(sent, new Holds(6));

        exchange(Kind.INCREMENT, 10, new Holds(16));

        assertAtRest();
    }

    @Test
    void a_key_that_was_never_pushed_starts_from_the_value_in_the_store() {
        count(5);
        read(new Holds(100));

        exchange(Kind.INCREMENT, 5, new Holds(105));

        assertAtRest();
        assertThat(value()).isEqualTo(105);
        assertThat(counted("store_adopted_keys_total")).isEqualTo(1);
    }

    @Test
    void an_existing_value_is_adopted_once_even_after_a_crash() {
        count(5);
        read(new Holds(100));
        crash();
        read(new Holds(100));
        disk.commit(ledger);
        crash();

        read(new Holds(100));
        exchange(Kind.INCREMENT, 5, new Holds(105));

        assertThat(value()).isEqualTo(105);
    }

    @Test
    void an_existing_value_is_adopted_even_if_the_store_does_not_answer_at_first() {
        count(5);
        read(new Unknown("silent"));
        read(new Unknown("silent"));
        read(new Holds(100));

        assertThat(value()).isEqualTo(105);
    }

    @Test
    void an_increment_whose_answer_was_lost_is_found_by_a_read() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Unknown("lost"));
        read(new Holds(7));

        assertAtRest();
        assertThat(counted("store_doubts_total")).isEqualTo(1);
        assertThat(counted("store_foreign_values_total")).isZero();
    }

    @Test
    void an_increment_that_did_not_happen_is_sent_again() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Unknown("lost"));
        read(new Holds(5));
        exchange(Kind.INCREMENT, 2, new Holds(7));

        assertAtRest();
        assertThat(counted("store_foreign_values_total")).isZero();
    }

    @Test
    void a_first_push_whose_answer_was_lost_is_not_adopted() {
        count(5);
        read(new Missing());
        exchange(Kind.ADD, 5, new Unknown("lost"));
        count(2);
        read(new Holds(5));
        exchange(Kind.INCREMENT, 2, new Holds(7));

        assertAtRest();
        assertThat(value()).isEqualTo(7);
    }

    @Test
    void a_first_push_that_happens_after_the_read_does_not_count_twice() {
        count(5);
        read(new Missing());
        exchange(Kind.ADD, 5, new Unknown("late"));
        read(new Missing());
        count(2);
        exchange(Kind.ADD, 7, new Exists());
        read(new Holds(5));
        exchange(Kind.INCREMENT, 2, new Holds(7));

        assertAtRest();
        assertThat(value()).isEqualTo(7);
        assertThat(counted("store_adopted_keys_total")).isZero();
    }

    @Test
    void an_increment_that_happens_after_the_read_is_reverted() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Unknown("late"));
        read(new Holds(5));
        exchange(Kind.INCREMENT, 2, new Holds(9));
        exchange(Kind.INCREMENT, -2, new Holds(7));

        assertAtRest();
        assertThat(value()).isEqualTo(7);
    }

    @Test
    void nothing_is_sent_if_the_claim_did_not_reach_the_disk() {
        count(5);
        read(new Missing());
        disk.fail(ledger);
        assertThat(ledger.take(10, 10)).isEmpty();
        assertThat(ledger.unanswered()).isEqualTo(1);

        exchange(Kind.ADD, 5, new Holds(5));
        assertAtRest();
    }

    @Test
    void the_committed_value_is_pushed() {
        settledAtFive();
        count(2);
        disk.commit(ledger);
        count(1);

        assertThat(ledger.take(10, 0)).containsExactly(new Push(0, "a", Kind.INCREMENT, 2));
    }

    @Test
    void an_answer_needs_no_commit() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Holds(7));

        assertThat(ledger.changes(1)).isNull();
        assertThat(ledger.unanswered()).isZero();
    }

    @Test
    void after_a_crash_a_key_at_rest_is_read_before_it_is_pushed() {
        settledAtFive();
        crash();
        count(1);

        read(new Missing());
        exchange(Kind.ADD, 6, new Holds(6));

        assertAtRest();
        assertThat(value()).isEqualTo(6);
    }

    @Test
    void after_a_crash_the_result_of_a_push_is_read_first() {
        settledAtFive();
        count(2);
        disk.commit(ledger);
        ledger.take(10, 0);
        crash();
        count(1);

        read(new Holds(7));
        exchange(Kind.INCREMENT, 1, new Holds(8));

        assertAtRest();
    }

    @Test
    void a_lost_key_is_restored_when_its_counter_changes() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Missing());
        exchange(Kind.ADD, 7, new Holds(7));

        assertAtRest();
        assertThat(counted("store_lost_keys_total")).isEqualTo(1);
    }

    @Test
    void a_lost_key_at_rest_is_detected_and_restored() {
        settledAtFive();
        look(new Missing());
        exchange(Kind.ADD, 5, new Holds(5));

        assertAtRest();
        assertThat(counted("store_lost_keys_total")).isEqualTo(1);
    }

    @Test
    void a_value_of_another_writer_is_detected_and_overwritten() {
        settledAtFive();
        look(new Holds(1000));
        exchange(Kind.INCREMENT, -995, new Holds(5));

        assertAtRest();
        assertThat(value()).isEqualTo(5);
        assertThat(counted("store_foreign_values_total")).isEqualTo(1);
    }

    @Test
    void a_correct_key_at_rest_needs_no_commit() {
        settledAtFive();
        look(new Holds(5));

        assertThat(ledger.changes(1)).isNull();
        assertThat(ledger.unanswered()).isZero();
    }

    @Test
    void a_store_that_does_not_answer_needs_no_commit() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Unknown("silent"));
        assertThat(ledger.changes(1)).isNull();

        read(new Unknown("silent"));
        assertThat(ledger.changes(1)).isNull();
        read(new Refused("text"));
        assertThat(ledger.changes(1)).isNull();
    }

    @Test
    void a_key_with_text_is_left_unchanged_until_a_read_finds_it_deleted() {
        settledAtFive();
        count(2);
        exchange(Kind.INCREMENT, 2, new Refused("it holds no number"));
        count(1);
        disk.commit(ledger);
        assertThat(ledger.take(10, 0)).as("left unchanged").isEmpty();
        look(new Refused("it holds no number"));
        disk.commit(ledger);
        assertThat(ledger.take(10, 0)).isEmpty();
        assertThat(counted("store_refused_keys_total")).isEqualTo(2);

        look(new Missing());
        exchange(Kind.ADD, 8, new Holds(8));

        assertAtRest();
    }

    @Test
    void a_new_key_with_text_is_pushed_once_it_is_deleted() {
        count(5);
        read(new Refused("it holds no number"));
        look(new Missing());
        exchange(Kind.ADD, 5, new Holds(5));

        assertAtRest();
        assertThat(value()).isEqualTo(5);
    }

    @Test
    void keys_without_answers_do_not_starve_others() {
        for (int i = 0; i < 10; i++) {
            new Feed(ledger).datagram("increment name." + i);
        }
        boolean[] seen = new boolean[10];
        for (int round = 0; round < 10; round++) {
            disk.commit(ledger);
            List<Push> requests = ledger.take(3, 0);
            assertThat(requests).hasSizeLessThanOrEqualTo(3);
            for (Push request : requests) {
                seen[request.counter()] = true;
                ledger.answered(request, new Unknown("silent"));
            }
        }

        assertThat(seen).containsOnly(true);
    }

    @Test
    void without_a_store_nothing_is_due() {
        ledger = new Ledger(
                LedgerSettings.in(Path.of("unused")),
                false,
                () -> 0,
                () -> 0,
                new LedgerState(1, new SeededHash(new Random(1))),
                metrics);
        count(5);
        disk.commit(ledger);

        assertThat(ledger.take(10, 0)).isEmpty();
        assertThat(ledger.unanswered()).isZero();
    }
}
