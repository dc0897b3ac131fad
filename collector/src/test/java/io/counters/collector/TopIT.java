package io.counters.collector;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.DefaultSignals;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** {@code top} of collector.jar in a pseudo terminal, which script(1) of util-linux creates. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "script(1) of other systems takes other flags")
class TopIT {
    @TempDir
    Path folder;

    /** Runs top in a terminal, and prints the terminal's settings before and after it. */
    private Process top(CollectorProgram collector, Path screen) throws IOException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String top = java + " -XX:TieredStopAtLevel=1 -jar "
                + Path.of("target", "collector.jar").toAbsolutePath() + " top --at http://127.0.0.1:"
                + collector.httpPort();
        List<String> command =
                List.of("script", "-qec", "trap : INT; stty -g; " + top + "; echo status $?; stty -g", "/dev/null");
        return new ProcessBuilder(DefaultSignals.command("INT,TERM", command))
                .redirectErrorStream(true)
                .redirectOutput(screen.toFile())
                .start();
    }

    private static void awaitScreen(Path screen, String... texts) {
        await().atMost(CollectorProgram.PATIENCE)
                .untilAsserted(() -> assertThat(Files.readString(screen)).contains(texts));
    }

    private static void type(Process terminal, String keys) throws IOException {
        terminal.getOutputStream().write(keys.getBytes(UTF_8));
        terminal.getOutputStream().flush();
    }

    private static void assertRestored(Process terminal, Path screen, int status) throws Exception {
        assertThat(terminal.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String all = Files.readString(screen);
        assertThat(all).contains("\u001b[?25h\u001b[?1049l");
        List<String> lines = all.lines().toList();
        assertThat(lines).anyMatch(line -> line.endsWith("status " + status));
        String first = lines.get(0).strip();
        assertThat(first).contains(":");
        assertThat(lines.get(lines.size() - 1).strip()).isEqualTo(first);
    }

    @Test
    void the_table_is_updated_and_filtered_and_q_quits_and_restores_the_terminal() throws Exception {
        try (CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of())) {
            collector.send("increment orders.placed 1234\nincrement carts.opened 5");
            collector.awaitCounter("carts.opened", 5);
            Path screen = folder.resolve("screen");
            Process terminal = top(collector, screen);

            awaitScreen(screen, "counters top: 2 counters", "orders.placed", "1,234", "carts.opened");
            collector.send("increment orders.placed 4321");
            awaitScreen(screen, "5,555");
            type(terminal, "/cart\n");
            awaitScreen(screen, "/ filters: cart", "counters top: 1 counter");
            type(terminal, "q");

            assertRestored(terminal, screen, 0);
        }
    }

    @Test
    void ctrl_c_restores_the_terminal() throws Exception {
        try (CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of())) {
            Path screen = folder.resolve("screen");
            Process terminal = top(collector, screen);
            awaitScreen(screen, "counters top: 0 counters");

            type(terminal, "\u0003");

            assertRestored(terminal, screen, 130);
        }
    }
}
