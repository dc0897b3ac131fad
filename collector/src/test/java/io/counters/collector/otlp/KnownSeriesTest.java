package io.counters.collector.otlp;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.SeededHash;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class KnownSeriesTest {
    private static final long NOW = TimeUnit.DAYS.toNanos(20_000);

    private final KnownSeries known =
            new KnownSeries(1, 0, new SeededHash(new Random(1)), new SeededHash(new Random(2)));

    private KnownSeries.Last last(int series) {
        return known.last(new byte[] {(byte) series}, 1, NOW);
    }

    @Test
    void a_time_in_the_far_future_that_is_forgotten_does_not_end_the_detection_of_resets() {
        last(1).timeNanos = Long.MAX_VALUE;
        last(2);

        assertThat(known.size()).isEqualTo(1);
        assertThat(known.isComplete()).isTrue();
        assertThat(known.isNew(NOW)).isFalse();
        assertThat(known.isNew(NOW + TimeUnit.MINUTES.toNanos(1) + 1)).isTrue();
    }

    @Test
    void what_began_before_the_last_point_that_is_forgotten_may_be_old() {
        last(1).timeNanos = NOW - TimeUnit.HOURS.toNanos(1);
        last(2);

        assertThat(known.isNew(NOW - TimeUnit.HOURS.toNanos(1))).isFalse();
        assertThat(known.isNew(NOW)).isTrue();
    }
}
