package io.counters.emit;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CheckpointRestTest {
    private final CheckpointRest rest = new CheckpointRest();

    @Test
    void a_thread_prepares_for_a_checkpoint_that_has_ended_before_it_noticed() {
        rest.begin();
        rest.end();

        assertThat(rest.isDue()).isTrue();
    }

    @Test
    void a_thread_that_did_not_notice_a_restore_prepares_for_the_next_checkpoint_too() throws Exception {
        rest.begin();
        rest.prepare();
        rest.rests(true);
        assertThat(rest.await(Thread.currentThread(), 1)).isTrue();
        assertThat(rest.lasts()).isTrue();

        rest.end();
        rest.begin();

        assertThat(rest.await(Thread.currentThread(), 1)).isFalse();
        assertThat(rest.isDue()).isTrue();
        assertThat(rest.lasts()).isFalse();
    }
}
