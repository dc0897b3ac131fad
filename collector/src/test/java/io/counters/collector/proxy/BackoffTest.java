package io.counters.collector.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void pauses_grow_to_a_maximum_and_begin_again_after_a_reset() {
        Backoff backoff = new Backoff(new Random(1));
        long atMost = Backoff.MILLIS_MIN;
        for (int i = 0; i < 20; i++) {
            assertThat(backoff.next()).isBetween(atMost / 2, atMost);
            atMost = Math.min(2 * atMost, Backoff.MILLIS_MAX);
        }
        assertThat(atMost).isEqualTo(Backoff.MILLIS_MAX);

        backoff.reset();

        assertThat(backoff.next()).isBetween(Backoff.MILLIS_MIN / 2, Backoff.MILLIS_MIN);
    }

    @Test
    void proxies_that_lost_the_same_server_reconnect_at_different_times() {
        Set<Long> waits = new HashSet<>();
        for (int seed = 0; seed < 100; seed++) {
            Backoff backoff = new Backoff(new Random(seed));
            for (int i = 0; i < 10; i++) {
                backoff.next();
            }
            waits.add(backoff.next());
        }

        assertThat(waits).hasSizeGreaterThan(90);
    }
}
