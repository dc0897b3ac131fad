package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Staged;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What methods count whose outcome is known when their stage completes. */
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
    void entry_counts_at_once_and_the_outcome_when_the_stage_completes() {
        // given: one that completes later, one that has, one that fails, one that is cancelled, and null
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
    void a_call_that_throws_instead_has_ended() {
        assertThat(sums)
                .containsEntry("sync", 1L)
                .containsEntry("sync.errors", 1L)
                .containsEntry("sync.exit", 1L)
                .doesNotContainKeys("sync.return", "sync.open");
    }

    @Test
    void on_sees_what_failed_and_not_what_it_is_wrapped_in() {
        assertThat(sums)
                .containsEntry("some", 6L)
                .containsEntry("some.errors", 4L)
                .containsEntry("some.throw", 2L);
    }

    @Test
    void a_stage_that_cannot_be_watched_harms_nobody_and_one_that_calls_twice_counts_once() {
        assertThat(sums).containsEntry("odd", 2L).doesNotContainKey("odd.open");
    }

    @Test
    void what_returns_no_stage_is_refused_once() {
        assertThat(sums).doesNotContainKeys("refused.object", "refused.future");
        assertThat(child.err())
                .containsOnlyOnce("Staged.plain: async is for methods declared to return a CompletionStage")
                .containsOnlyOnce("Staged.future: async is for methods declared to return a CompletionStage");
    }
}
