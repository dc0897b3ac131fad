package io.counters.collector.publish;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.SaidFaults;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TickClockTest {
    private static final long YEAR_MILLIS = 365L * 24 * 3_600_000;
    private static final long HOUR_MILLIS = 3_600_000;

    private final SaidFaults said = new SaidFaults();
    private long wallMillis = 1_700_000_003_500L;
    private long nanos = 77;
    private TickClock clock = clock();
    private final List<Long> ticks = new ArrayList<>();

    private TickClock clock() {
        return new TickClock(10, () -> Instant.ofEpochMilli(wallMillis), () -> nanos, said.log());
    }

    /** Lets this many seconds pass, and asks for a tick whenever the wait is over. */
    private void pass(long seconds) {
        for (long left = seconds * 1000; left > 0; ) {
            clock.due().ifPresent(ticks::add);
            long pause = Math.min(left, clock.waitMillis());
            left -= pause;
            wallMillis += pause;
            nanos += pause * 1_000_000;
        }
        clock.due().ifPresent(ticks::add);
    }

    @Test
    void ticks_are_at_the_wall_clocks_multiples_of_the_interval() {
        pass(30);

        assertThat(ticks).containsExactly(1_700_000_010L, 1_700_000_020L, 1_700_000_030L);
        assertThat(clock.takeMissed()).isZero();
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void the_last_tick_is_known_even_if_it_was_due_before_the_start() {
        assertThat(clock.last()).isEqualTo(1_700_000_000L);
        pass(10);
        assertThat(clock.last()).isEqualTo(1_700_000_010L);
        wallMillis += YEAR_MILLIS;
        assertThat(clock.due()).isEmpty();
        assertThat(clock.last()).isBetween(wallMillis / 1000 - 10, wallMillis / 1000);
    }

    @Test
    void a_clock_that_is_a_year_ahead_for_four_seconds_is_followed_and_logged() {
        pass(10);
        wallMillis += YEAR_MILLIS;
        pass(4);
        wallMillis -= YEAR_MILLIS;
        pass(20);

        assertThat(ticks).containsExactly(1_700_000_010L, 1_700_000_020L, 1_700_000_030L);
        assertThat(clock.takeMissed()).as("a year of ticks is not missing").isZero();
        assertThat(said.lines()).hasSize(2);
        assertThat(said.lines().get(0)).contains("ahead by 31536000 s");
        assertThat(said.lines().get(1)).contains("back by 31536000 s");
    }

    @Test
    void ticks_follow_a_clock_that_stays_a_year_ahead() {
        pass(10);
        wallMillis += YEAR_MILLIS;
        pass(10);

        assertThat(ticks.get(1)).isEqualTo(1_700_000_020L + YEAR_MILLIS / 1000);
    }

    @Test
    void ticks_continue_at_once_after_a_clock_was_set_back_by_an_hour() {
        pass(10);
        wallMillis -= HOUR_MILLIS;
        pass(20);

        assertThat(ticks).containsExactly(1_700_000_010L, 1_699_996_420L, 1_699_996_430L);
        assertThat(said.lines()).hasSize(1).first().asString().contains("back by 3600 s");
    }

    @Test
    void a_late_tick_is_the_latest_one_and_those_before_it_are_missed() {
        pass(10);
        wallMillis += 35_000;
        nanos += 35_000_000_000L;

        assertThat(clock.due()).hasValue(1_700_000_040L);
        assertThat(clock.takeMissed()).isEqualTo(2);
        assertThat(clock.takeMissed()).isZero();
    }

    @Test
    void after_a_restart_with_a_wrong_clock_ticks_follow_that_clock() {
        pass(10);
        wallMillis += YEAR_MILLIS;
        clock = clock();
        pass(10);
        wallMillis -= YEAR_MILLIS;
        clock = clock();
        pass(10);

        assertThat(ticks).containsExactly(1_700_000_010L, 1_700_000_020L + YEAR_MILLIS / 1000, 1_700_000_030L);
    }
}
