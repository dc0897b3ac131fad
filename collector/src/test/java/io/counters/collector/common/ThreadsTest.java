package io.counters.collector.common;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class ThreadsTest {
    @TempDir
    Path folder;

    private Process run(String what) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx24m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        FailingProgram.class.getName(),
                        what)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("said").toFile())
                .start();
    }

    private void assertBroken(Process process) throws InterruptedException, IOException {
        try {
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("it ended").isTrue();
            assertThat(process.exitValue())
                    .as(Files.readString(folder.resolve("said")))
                    .isEqualTo(Threads.EXIT_BROKEN);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    @Tag("slow")
    void a_thread_without_memory_ends_the_process_although_it_cannot_be_logged() throws Exception {
        assertBroken(run("memory"));
    }

    @Test
    @Tag("slow")
    void a_thread_that_fails_ends_the_process_and_logs_the_reason() throws Exception {
        assertBroken(run("throws"));

        assertThat(Files.readString(folder.resolve("said"))).contains("fails failed", "broken on purpose");
    }

    @Test
    @Tag("slow")
    void a_thread_that_ends_unexpectedly_ends_the_process_even_the_last_foreground_thread() throws Exception {
        assertBroken(run("ends"));

        assertThat(Files.readString(folder.resolve("said"))).contains("ended unexpectedly");
    }

    @Test
    @Tag("slow")
    void a_reason_to_end_is_logged_as_it_is_without_a_trace_or_the_advice_to_start_again() throws Exception {
        assertBroken(run("must end"));

        assertThat(Files.readString(folder.resolve("said")))
                .contains("the process ends: told to")
                .doesNotContain("not shown", "start it again", "FailingProgram.main");
    }

    @Test
    void threads_may_end_once_the_program_is_ending() throws Exception {
        Threads threads = new Threads();
        CountDownLatch go = new CountDownLatch(1);
        Thread thread = threads.daemon("ends", () -> {
            try {
                go.await();
            } catch (InterruptedException nobodyShould) {
                Thread.currentThread().interrupt();
            }
        });
        thread.start();

        threads.end();
        go.countDown();

        await().until(() -> !thread.isAlive());
        // If that counted as a failure, this process would have been halted.
    }
}
