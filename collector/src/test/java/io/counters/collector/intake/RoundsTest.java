package io.counters.collector.intake;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RoundsTest {
    private long nanos;
    private long rounds;
    private boolean mustRead = true;
    private final Rounds thread = new Rounds("the thread", () -> rounds, () -> mustRead, () -> nanos);

    private void lookFor(int seconds, int roundsASecond) {
        for (int i = 0; i < seconds; i++) {
            nanos += TimeUnit.SECONDS.toNanos(1);
            rounds += roundsASecond;
            thread.look();
        }
    }

    @Test
    void a_thread_that_makes_rounds_does_not_hang() {
        lookFor(100, 1);

        assertThat(thread.trouble()).isEmpty();
    }

    @Test
    void a_thread_for_which_nothing_waits_does_not_hang() {
        mustRead = false;
        lookFor(100, 0);

        assertThat(thread.trouble()).isEmpty();
    }

    @Test
    void a_thread_that_does_not_read_what_waits_hangs_after_some_seconds_and_until_it_reads() {
        lookFor(3, 1);
        lookFor(4, 0);
        assertThat(thread.trouble()).isEmpty();
        lookFor(1, 0);
        assertThat(thread.trouble()).contains("the thread has read nothing for 5 s, although something waits");
        lookFor(3, 0);
        assertThat(thread.trouble()).contains("the thread has read nothing for 8 s, although something waits");

        lookFor(1, 1);

        assertThat(thread.trouble()).isEmpty();
    }

    @Test
    void what_came_after_a_long_silence_does_not_wait_since_then() {
        mustRead = false;
        lookFor(60, 0);
        mustRead = true;
        lookFor(4, 0);

        assertThat(thread.trouble()).isEmpty();
    }
}
