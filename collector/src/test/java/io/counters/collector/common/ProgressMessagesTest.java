package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressMessagesTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
    private final ProgressMessages progress =
            new ProgressMessages(new PrintStream(err, true, UTF_8), nanos::get, "counters replay", "datagrams", 10_000);

    @Test
    void a_line_is_printed_every_three_seconds_and_none_at_the_end() {
        for (int i = 0; i < 10; i++) {
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(1));
            progress.add(1000);
        }

        assertThat(err.toString(UTF_8).lines())
                .containsExactly(
                        "counters replay: 3,000 of 10,000 datagrams (30 %), about 7 s left",
                        "counters replay: 6,000 of 10,000 datagrams (60 %), about 4 s left",
                        "counters replay: 9,000 of 10,000 datagrams (90 %), about 1 s left");
    }

    @Test
    void short_work_prints_nothing() {
        progress.add(5000);
        progress.add(5000);

        assertThat(err.size()).isZero();
    }
}
