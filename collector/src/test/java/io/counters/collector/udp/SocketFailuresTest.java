package io.counters.collector.udp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.SaidFaults;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.junit.jupiter.api.Test;

class SocketFailuresTest {
    private final IOException failure = new IOException("Cannot allocate memory");

    private final SaidFaults said = new SaidFaults();
    private final LongAdder count = new LongAdder();
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 7);
    private final SocketFailures failures = new SocketFailures("the socket", count, said.log(), nanos::get);

    @Test
    void the_pauses_grow_from_a_millisecond_to_a_second() {
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 13; i++) {
            pauses.add(failures.failed(failure));
        }

        assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 64L, 128L, 256L, 512L, 1000L, 1000L, 1000L);
        assertThat(count.sum()).isEqualTo(13);
        assertThat(said.lines()).hasSize(1);
    }

    private void fail(int seconds) {
        for (int i = 0; i < seconds; i++) {
            failures.failed(failure);
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
        }
    }

    @Test
    void a_minute_without_a_success_is_thrown_and_one_success_begins_another_minute() {
        fail(59);
        assertThat(failures.trouble()).hasValue("the socket has failed for 59 s");
        failures.succeeded();
        assertThat(failures.trouble()).isEmpty();
        fail(60);

        assertThatThrownBy(() -> failures.failed(failure))
                .isInstanceOf(UncheckedIOException.class)
                .hasCause(failure);
    }

    @Test
    void failures_with_long_waits_between_them_are_separate() {
        for (int i = 0; i < 10; i++) {
            assertThat(failures.failed(failure)).isEqualTo(1);
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
        }
    }
}
