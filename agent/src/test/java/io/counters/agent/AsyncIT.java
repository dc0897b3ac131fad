package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Staged;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Methods with {@code async}: their outcome is known when their stage completes. */
class AsyncIT {
    private static Map<String, Long> sums = Map.of();
    private static ChildJvm.Ended child = new ChildJvm.Ended(-1, "", "");

    @BeforeAll
    static void run() throws Exception {
        try (Receiver receiver = new Receiver()) {
            child = ChildJvm.run(receiver.arguments(), List.of(ChildJvm.FIXTURES), Staged.class, "-Xverify:all")
                    .well();
            sums = receiver.sums();
        }
    }

    @Test
    void entry_counts_at_the_call_and_the_outcome_when_the_stage_completes() {
        // given: a stage that completes later, one that has completed, one that fails, one that is canceled, and null
        assertThat(sums)
                .containsEntry("staged", 5L)
                .containsEntry("staged.return", 3L)
                .containsEntry("staged.throw", 2L)
                .containsEntry("staged.exit", 15L)
                .containsEntry("staged.plus", 5L)
                .containsEntry("staged.plus.errors", 2L);
    }

    @Test
    void a_call_is_in_flight_until_its_stage_completes() {
        assertThat(sums).doesNotContainKey("staged.open").containsEntry("still.open", 1L);
    }

    @Test
    void a_call_that_throws_instead_of_returning_a_stage_has_ended() {
        assertThat(sums)
                .containsEntry("sync", 1L)
                .containsEntry("sync.errors", 1L)
                .containsEntry("sync.exit", 1L)
                .doesNotContainKeys("sync.return", "sync.open");
    }

    @Test
    void on_matches_the_cause_inside_a_completion_exception() {
        assertThat(sums)
                .containsEntry("some", 6L)
                .containsEntry("some.errors", 4L)
                .containsEntry("some.throw", 2L);
    }

    @Test
    void a_stage_that_throws_in_when_complete_is_returned_and_one_that_calls_back_twice_counts_once() {
        assertThat(sums).containsEntry("odd", 2L).doesNotContainKey("odd.open");
    }

    @Test
    void async_on_a_method_that_is_not_declared_to_return_a_stage_is_refused_once() {
        assertThat(sums).doesNotContainKeys("refused.object", "refused.future");
        assertThat(child.err())
                .containsOnlyOnce("Staged.plain: async is for methods declared to return a CompletionStage")
                .containsOnlyOnce("Staged.future: async is for methods declared to return a CompletionStage");
    }
}
