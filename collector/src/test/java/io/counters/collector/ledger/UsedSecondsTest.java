package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class UsedSecondsTest {
    private static final long INTERVAL = 10;
    private static final long HOUR = 3_600;
    private static final long YEAR = 365 * 24 * HOUR;

    private UsedSeconds seconds = new UsedSeconds(List.of());

    private void tick(long from, long to) {
        for (long second = from; second <= to; second += INTERVAL) {
            assertThat(seconds.use(second, INTERVAL)).hasValue(second);
        }
    }

    private void restart() {
        seconds = new UsedSeconds(seconds.runs());
    }

    @Test
    void a_clock_that_was_a_year_ahead_for_a_moment_blocks_no_present_second() {
        tick(1_000, 2_000);
        tick(YEAR, YEAR + INTERVAL);
        tick(2_010, 3_000);
        restart();

        tick(3_010, 4_000);
        assertThat(seconds.use(YEAR, INTERVAL)).as("a used second stays used").hasValue(YEAR + 1);
    }

    @Test
    void a_clock_set_back_by_an_hour_uses_the_free_seconds_between_the_used_ones() {
        tick(10_000, 10_000 + HOUR);

        for (long second = 10_000; second <= 10_000 + HOUR; second += INTERVAL) {
            assertThat(seconds.use(second, INTERVAL)).hasValue(second + 1);
        }
        restart();
        assertThat(seconds.use(10_000, INTERVAL)).hasValue(10_002);
    }

    @Test
    void no_second_is_returned_if_all_were_used() {
        for (long second = 0; second < 100; second++) {
            assertThat(seconds.use(second, 1)).hasValue(second);
        }

        assertThat(seconds.use(50, 1)).isEmpty();
        assertThat(seconds.use(99, 1)).isEmpty();
        assertThat(seconds.use(100, 1)).hasValue(100);
    }

    @Test
    void a_second_is_overtaken_by_used_ones_up_to_a_minute_after_it() {
        tick(1_000, 2_000);
        tick(10_000, 10_010);

        assertThat(seconds.isOvertaken(939)).isFalse();
        assertThat(seconds.isOvertaken(940)).isTrue();
        assertThat(seconds.isOvertaken(1_000)).isTrue();
        assertThat(seconds.isOvertaken(1_995)).isTrue();
        assertThat(seconds.isOvertaken(2_000)).isFalse();
        assertThat(seconds.isOvertaken(2_010)).isFalse();
        assertThat(seconds.isOvertaken(10_005)).isTrue();
        assertThat(seconds.isOvertaken(10_010)).isFalse();
    }

    @Test
    void missing_ticks_do_not_begin_a_new_run() {
        tick(1_000, 2_000);
        tick(2_100, 3_000);

        assertThat(seconds.runs()).hasSize(1);
    }

    @Tag("slow")
    @Test
    void no_second_is_used_twice_under_random_clocks_and_the_runs_are_bounded() {
        for (int seed = 1; seed <= 20; seed++) {
            seconds = new UsedSeconds(List.of());
            Random random = new Random(seed);
            Set<Long> given = new HashSet<>();
            long now = 1_700_000_000;
            for (int i = 0; i < 20_000; i++) {
                now += INTERVAL;
                if (random.nextInt(20) == 0) {
                    now += random.nextInt(200_000) - 100_000;
                }
                if (random.nextInt(50) == 0) {
                    restart();
                }
                OptionalLong second = seconds.use(now, INTERVAL);
                assertThat(second.isEmpty() || given.add(second.getAsLong()))
                        .as("seed %d, second %s", seed, second)
                        .isTrue();
                assertThat(seconds.runs()).hasSizeLessThanOrEqualTo(UsedSeconds.RUNS_MAX);
            }
        }
    }
}
