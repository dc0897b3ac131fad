package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class LogTest {
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final PrintStream err = new PrintStream(printed, true, StandardCharsets.UTF_8);
    private final Log log = logTo(err);

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void a_thread_that_holds_the_streams_lock_can_log_while_another_thread_logs() throws Exception {
        Thread other = new Thread(() -> log.accept("of another thread"));
        other.setDaemon(true);

        synchronized (err) {
            other.start();
            await().until(() -> log.said().contains("of another thread"));
            log.accept("of the thread that prints a stack trace");
        }
        other.join();

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .containsExactlyInAnyOrder(
                        "counters: of another thread", "counters: of the thread that prints a stack trace");
    }

    @Test
    void equal_messages_are_printed_once_and_the_number_of_messages_is_bounded() {
        for (int i = 0; i < 2000; i++) {
            log.accept("line " + i / 2);
            log.accept("line " + i);
        }

        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .hasSize(1001)
                .doesNotHaveDuplicates()
                .endsWith("counters: 1000 messages logged; further ones are suppressed");
    }

    /** As an agent that registers during a checkpoint: it is told of the restore only. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void a_file_that_is_open_already_is_not_opened_again(@TempDir Path folder) throws Exception {
        Path file = folder.toRealPath().resolve("agent.log");
        log.to(file.toString());
        log.open();
        log.close();
        assertThat(descriptorsOf(file)).isZero();

        log.open();
        log.accept("after the restore");
        log.close();
        assertThat(Files.readString(file)).isEqualTo("counters: after the restore\n");
    }

    private static long descriptorsOf(Path file) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(one -> {
                        try {
                            return Files.readSymbolicLink(one).equals(file);
                        } catch (IOException closedMeanwhile) {
                            return false;
                        }
                    })
                    .count();
        }
    }

    private static Log logTo(PrintStream stream) {
        PrintStream before = System.err;
        System.setErr(stream);
        try {
            return new Log();
        } finally {
            System.setErr(before);
        }
    }
}
