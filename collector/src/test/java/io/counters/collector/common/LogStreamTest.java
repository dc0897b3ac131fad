package io.counters.collector.common;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LogStreamTest {
    private final PrintStream before = System.err;
    private final ByteArrayOutputStream read = new ByteArrayOutputStream();
    private final CountDownLatch reader = new CountDownLatch(1);

    @AfterEach
    void restore() {
        reader.countDown();
        System.setErr(before);
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work, "writes");
        thread.setDaemon(true);
        return thread;
    }

    /** Blocks until the reader is there. */
    private final class Stuck extends OutputStream {
        @Override
        public void write(int letter) {
            throw new AssertionError("byte by byte");
        }

        @Override
        public void write(byte[] bytes, int offset, int length) {
            try {
                reader.await();
            } catch (InterruptedException nobodyShould) {
                Thread.currentThread().interrupt();
            }
            synchronized (read) {
                read.write(bytes, offset, length);
            }
        }
    }

    private String text() {
        synchronized (read) {
            return read.toString(UTF_8);
        }
    }

    @Test
    void text_is_written_to_the_stream_in_order() {
        reader.countDown();
        System.setErr(new LogStream(new Stuck(), System::nanoTime, LogStreamTest::daemon));
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 20_000; i++) {
            System.err.println("line " + i);
            all.append("line ").append(i).append('\n');
            if (i % 1_000 == 0) {
                LogStream.drain(10_000);
            }
        }

        LogStream.drain(10_000);

        assertThat(text()).isEqualTo(all.toString().replace("\n", System.lineSeparator()));
        assertThat(LogStream.droppedLines()).isZero();
    }

    @Test
    @Timeout(120)
    void logging_never_waits_for_a_reader_and_whole_lines_are_dropped_counted_and_reported() {
        System.setErr(new LogStream(new Stuck(), System::nanoTime, LogStreamTest::daemon));
        for (int i = 0; i < 50_000; i++) {
            System.err.println("a line of some length, number " + i);
        }
        assertThat(LogStream.droppedLines()).isPositive();

        reader.countDown();
        LogStream.drain(10_000);
        System.err.println("the last one");

        await().atMost(Duration.ofSeconds(60)).until(() -> text().contains("the last one"));
        assertThat(text().lines())
                .allMatch(line -> line.matches("a line of some length, number \\d+"
                        + "|log lines dropped, because stderr was not read: \\d+|the last one"));
        assertThat(text().lines().filter(line -> line.startsWith("a line")).count() + LogStream.droppedLines())
                .isEqualTo(50_000);
        assertThat(text().lines()
                        .filter(line -> line.startsWith("log lines dropped"))
                        .mapToLong(line -> Long.parseLong(line.substring(line.lastIndexOf(' ') + 1)))
                        .sum())
                .as("reported in one line or more, because the writer may begin late")
                .isEqualTo(LogStream.droppedLines());
    }

    @Test
    void a_broken_stream_does_not_block_logging() {
        OutputStream broken = new OutputStream() {
            @Override
            public void write(int letter) {
                throw new IllegalStateException("broken");
            }
        };
        System.setErr(new LogStream(broken, System::nanoTime, LogStreamTest::daemon));

        System.err.println("into the void");
        LogStream.drain(10_000);
        System.err.println("again");

        assertThat(LogStream.droppedLines()).isZero();
    }
}
