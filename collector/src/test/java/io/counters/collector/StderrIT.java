package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.DefaultSignals;
import java.io.BufferedReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A collector whose stderr is a full pipe that no process reads. */
class StderrIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern PORTS =
            Pattern.compile("listens on UDP 127\\.0\\.0\\.1:(\\d+)[^$]*page: +(http://\\S+)");

    @TempDir
    Path folder;

    private static String get(String address) throws Exception {
        try (var in = URI.create(address).toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void send(int port, String text) throws Exception {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
    }

    @Test
    void a_collector_counts_and_answers_while_its_stderr_is_blocked() throws Exception {
        Path pipe = folder.resolve("pipe");
        // The pipe is open in both directions, so that it has a reader, which reads nothing. It is full before the
        // collector starts.
        Process holder = new ProcessBuilder(
                        "sh",
                        "-c",
                        "mkfifo \"$1\" && exec 3<>\"$1\" && head -c 65536 /dev/zero >&3 && echo full && sleep 120",
                        "sh",
                        pipe.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Process collector = null;
        try (BufferedReader said = holder.inputReader()) {
            assertThat(said.readLine()).isEqualTo("full");
            Path out = folder.resolve("out");
            collector = new ProcessBuilder(DefaultSignals.command(
                            "HUP,INT,TERM",
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-Xmx256m",
                                    "-jar",
                                    Path.of("target", "collector.jar")
                                            .toAbsolutePath()
                                            .toString(),
                                    "--bind=127.0.0.1",
                                    "--udp-port=0",
                                    "--http-port=0",
                                    "--data-dir=" + folder.resolve("data"))))
                    .redirectOutput(out.toFile())
                    .redirectError(ProcessBuilder.Redirect.appendTo(pipe.toFile()))
                    .start();
            await().atMost(PATIENCE).until(() -> Files.readString(out).contains("points:"));
            Matcher ports = PORTS.matcher(Files.readString(out));
            assertThat(ports.find()).isTrue();
            int port = Integer.parseInt(ports.group(1));
            String page = ports.group(2);

            for (int i = 0; i < 20; i++) {
                send(port, "a bad line\nincrement a\nfrom x y z\na:1|g\nincrement a b c");
                send(port, "increment good 2");
            }

            await().atMost(PATIENCE).until(() -> get(page + "api/counters").contains("\"good\", \"value\": 40}"));
            assertThat(get(page + "healthz")).isEqualTo("ok\n");
            assertThat(get(page + "metrics")).contains("counters_log_dropped_lines_total 0.0\n");
            collector.destroy();
            assertThat(collector.waitFor(40, TimeUnit.SECONDS)).as("it ends").isTrue();
        } finally {
            if (collector != null) {
                collector.destroyForcibly();
            }
            holder.descendants().forEach(ProcessHandle::destroyForcibly);
            holder.destroyForcibly();
        }
    }
}
