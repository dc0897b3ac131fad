package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class ArrivalsTest {
    private static String state(Arrivals arrivals) {
        return arrivals.before() + " " + arrivals.highest() + " " + arrivals.received() + " " + arrivals.repeated()
                + " " + Long.toBinaryString(arrivals.window());
    }

    static LongStream seeds() {
        return LongStream.range(0, 300);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void a_run_counts_as_its_numbers_one_by_one(long seed) {
        Random random = new Random(seed);
        long base = random.nextInt(3) == 0 ? Arrivals.AHEAD_MAX : random.nextInt(100);
        Arrivals runs = new Arrivals(base);
        Arrivals single = new Arrivals(base);
        for (int i = 0; i < 50; i++) {
            long first = Math.max(1, runs.highest() - 150 + random.nextInt(300));
            if (random.nextInt(20) == 0) {
                first += Arrivals.AHEAD_MAX;
            }
            long last = first + random.nextInt(random.nextBoolean() ? 3 : 200);

            runs.add(first, last);
            for (long number = first; number <= last; number++) {
                single.add(number);
            }

            assertThat(state(runs)).as(first + " to " + last).isEqualTo(state(single));
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void of_two_sides_the_numbers_of_either_have_arrived(long seed) {
        Random random = new Random(seed);
        Arrivals left = new Arrivals(0);
        Arrivals right = new Arrivals(0);
        Arrivals all = new Arrivals(0);
        int switches = 1 + random.nextInt(100);
        Arrivals side = left;
        for (int number = 1; number <= 200; number++) {
            side = random.nextInt(switches) > 0 ? side : random.nextBoolean() ? left : right;
            if (random.nextInt(4) > 0) {
                side.add(number);
                all.add(number);
            }
        }

        assertThat(state(left.plus(right))).isEqualTo(state(all));
        assertThat(state(right.plus(left))).isEqualTo(state(all));
    }

    @Test
    void what_more_than_all_have_arrived_on_two_sides_has_arrived_twice() {
        Arrivals left = new Arrivals(0);
        left.add(1, 10);
        Arrivals right = new Arrivals(5);
        right.add(6, 12);

        assertThat(state(left.plus(right))).isEqualTo("0 12 12 5 111111111111");
        assertThat(state(new Arrivals(0).plus(right))).isEqualTo("5 12 7 0 1111111");
    }

    @Test
    void the_largest_numbers_end() {
        Arrivals arrivals = new Arrivals(Long.MAX_VALUE - 3);

        arrivals.add(Long.MAX_VALUE - 1, Long.MAX_VALUE);
        arrivals.add(Long.MAX_VALUE, Long.MAX_VALUE);
        arrivals.add(1, Long.MAX_VALUE);

        assertThat(arrivals.highest()).isEqualTo(Long.MAX_VALUE);
        assertThat(arrivals.repeated()).isEqualTo(3);
    }

    @Test
    void a_long_run_takes_no_longer_than_a_short_one() {
        Arrivals arrivals = new Arrivals(0);

        arrivals.add(1, Long.MAX_VALUE);

        assertThat(arrivals.received()).isEqualTo(Long.MAX_VALUE);
        assertThat(arrivals.lost()).isZero();
    }
}
