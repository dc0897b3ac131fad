package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Plays systemd for one service, by the program {@code systemd.c}, which gcc compiles: holds its UDP socket, starts it again,
 * and listens to what it notifies. Its output is that program's and the service's.
 */
public final class Systemd implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Program program;

    private Systemd(Program program) {
        this.program = program;
    }

    /**
     * Starts a service and waits until it is ready.
     *
     * @param folder for the program and its socket, which every user can reach
     * @param address to which the UDP socket is bound, at any free port; "-" for no socket
     * @param bufferBytes what is asked of the kernel for the UDP socket
     * @param watchdog zero for none
     */
    public static Systemd start(Path folder, String address, int bufferBytes, Duration watchdog, List<String> service)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                compiled(folder).toString(),
                address,
                "0",
                Integer.toString(bufferBytes),
                folder.resolve("notify").toString(),
                Long.toString(watchdog.toMillis())));
        command.addAll(service);
        Systemd systemd = new Systemd(Program.start(command));
        try {
            systemd.awaitTimes("notified READY=1", 1);
            return systemd;
        } catch (AssertionError | RuntimeException notReady) {
            systemd.close();
            throw notReady;
        }
    }

    private static Path compiled(Path folder) throws IOException, InterruptedException {
        Path source = folder.resolve("systemd.c");
        try (InputStream text = Systemd.class.getResourceAsStream("systemd.c")) {
            Files.write(source, Objects.requireNonNull(text).readAllBytes());
        }
        Path binary = folder.resolve("systemd");
        Process gcc = new ProcessBuilder("gcc", "-O2", "-Wall", "-Werror", "-o", binary.toString(), source.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(gcc.getInputStream().readAllBytes(), UTF_8);
        assertThat(gcc.waitFor()).as(said).isZero();
        return binary;
    }

    /** This program, whose child is the service. */
    public Program program() {
        return program;
    }

    /** The UDP socket's port. */
    public int port() throws InterruptedException {
        return Integer.parseInt(program.awaitLine("^socket (\\d+) ").group(1));
    }

    /** The size of the UDP socket's buffer, with the kernel's own share. */
    public long bufferBytes() throws InterruptedException {
        return Long.parseLong(program.awaitLine("^socket \\d+ (\\d+)$").group(1));
    }

    /** The process that runs now. */
    public long pid() {
        return program.output().stream()
                .filter(line -> line.startsWith("started "))
                .reduce((first, second) -> second)
                .map(line -> Long.parseLong(line.substring("started ".length())))
                .orElseThrow();
    }

    /** How often a line was printed that begins so. */
    public long times(String beginning) {
        return program.output().stream()
                .filter(line -> line.startsWith(beginning))
                .count();
    }

    /** Waits until that often a line was printed that begins so. */
    public void awaitTimes(String beginning, long times) {
        await(beginning).atMost(PATIENCE).pollInterval(Duration.ofMillis(10)).untilAsserted(() -> {
            long found = times(beginning);
            assertThat(found >= times || program.isRunning())
                    .as(program::toString)
                    .isTrue();
            assertThat(found).as(program::toString).isGreaterThanOrEqualTo(times);
        });
    }

    /** Restarts the service as {@code systemctl restart} does, and waits until it is ready again. */
    public void restart() throws IOException, InterruptedException {
        long ready = times("notified READY=1");
        program.signal("USR1");
        awaitTimes("notified READY=1", ready + 1);
    }

    /** Stops the service, and returns how it ended: 143 after SIGTERM. */
    public int stop() throws InterruptedException {
        program.terminate();
        program.awaitEnd();
        return program.output().stream()
                .filter(line -> line.startsWith("ended "))
                .reduce((first, second) -> second)
                .map(line -> Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1)))
                .orElseThrow();
    }

    @Override
    public void close() {
        program.close();
    }
}
