package io.counters.junit;

import static io.counters.junit.CountedAssert.assertThat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.counters.Count;
import io.counters.Counter;
import io.counters.Counters;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(CountersExtension.class)
class CountersExtensionTest {
    private static final Counter KEPT = Counters.counter("extension.kept");

    @BeforeEach
    void count_before_the_test() {
        Counters.increment("extension.incremented");
        KEPT.increment();
    }

    @Test
    void counts_of_a_test_are_asserted_by_name(Counted counters) {
        Counters.increment("extension.incremented");
        Counters.add("extension.added", 40);
        Counters.add("extension.added", 2);

        assertThat(counters)
                .counted("extension.incremented", 1)
                .counted("extension.added", 42)
                .notCounted("extension.kept")
                .notCounted("extension.never");
    }

    @Test
    void a_second_test_begins_at_zero(Counted counters) {
        Counters.increment("extension.incremented");

        assertThat(counters).counted("extension.incremented", 1);
    }

    @Test
    void kept_handles_count_too_and_may_go_below_zero(Counted counters) {
        KEPT.decrement();
        KEPT.add(-2);

        assertThat(counters).counted("extension.kept", -3);
    }

    @Test
    void tags_in_any_order_are_one_name(Counted counters) {
        Counters.increment("extension.tagged,b=2,a=1");

        assertThat(counters).counted("extension.tagged,a=1,b=2", 1).counted("extension.tagged,b=2,a=1", 1);
        assertThat(counters.amounts()).containsExactly(java.util.Map.entry("extension.tagged,a=1,b=2", 1L));
    }

    @Test
    void counts_of_an_ended_thread_are_seen(Counted counters) throws InterruptedException {
        Thread thread = new Thread(() -> Counters.add("extension.elsewhere", 7));
        thread.start();
        thread.join();

        assertThat(counters).counted("extension.elsewhere", 7);
    }

    @Test
    void a_later_count_can_be_awaited(Counted counters) throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        Thread later = new Thread(() -> {
            try {
                asked.await();
                Counters.increment("extension.later");
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });
        later.start();

        assertThat(counters).notCounted("extension.later");
        asked.countDown();
        assertThat(counters).within(Duration.ofSeconds(20)).counted("extension.later", 1);
        later.join();
    }

    @Test
    void waiting_ends_after_its_limit(Counted counters) {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(
                        () -> assertThat(counters).within(Duration.ofMillis(30)).counted("extension.never", 1));
    }

    @Test
    void a_failure_lists_the_actual_counts_with_the_nearest_name_first(Counted counters) {
        Counters.increment("extension.other");
        Counters.increment("orders.place");

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThat(counters).counted("orders.placed", 1))
                .withMessageStartingWith("orders.placed was counted 0 and should be 1; counted were, most similar name"
                        + " first:\n    orders.place 1\n    extension.other 1\n");
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThat(counters).notCounted("orders.place"))
                .withMessageStartingWith("orders.place was counted 1 and should be 0");
    }

    @Test
    void a_failure_lists_at_most_twenty_counters(Counted counters) {
        for (int i = 0; i < 30; i++) {
            Counters.increment("extension.many.n" + i);
        }

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThat(counters).counted("extension.many", 1))
                .withMessageContaining("\n    and 10 more");
    }

    @Test
    void a_failure_without_the_agent_explains_that_annotations_count_nothing(Counted counters) {
        annotated();

        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> assertThat(counters).counted("extension.annotated", 1))
                .withMessageContaining("nothing was counted")
                .withMessageContaining("there is no agent in this JVM, so @Count counts nothing");
    }

    @Test
    void an_invalid_name_is_refused_with_the_rule(Counted counters) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> assertThat(counters).notCounted("orders placed"))
                .withMessageStartingWith("\"orders placed\" is not a valid name of a counter: ");
    }

    @Count("extension.annotated")
    private static void annotated() {}
}
