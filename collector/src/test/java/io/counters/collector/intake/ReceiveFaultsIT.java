package io.counters.collector.intake;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Faults;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in its own process, whose kernel refuses receives and accepts for a moment. */
class ReceiveFaultsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Pattern PORTS =
            Pattern.compile("UDP 127\\.0\\.0\\.1:(\\d+).*127\\.0\\.0\\.1:(\\d+)/", Pattern.DOTALL);

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();
    private Faults faults;
    private Process process;
    private int port;
    private int page;

    @BeforeEach
    void start() throws Exception {
        faults = new Faults(folder.resolve("control"), folder);
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                Path.of("target", "collector.jar").toAbsolutePath().toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=0",
                "--data-dir=" + folder.resolve("data"));
        builder.environment().putAll(faults.environment());
        process = builder.redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        await().atMost(PATIENCE).until(() -> said("out").contains("points:") || !process.isAlive());
        Matcher ports = PORTS.matcher(said("out"));
        assertThat(ports.find()).as(said("out") + said("err")).isTrue();
        port = Integer.parseInt(ports.group(1));
        page = Integer.parseInt(ports.group(2));
    }

    @AfterEach
    void end() throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }

    private String said(String file) throws IOException {
        return Files.readString(folder.resolve(file));
    }

    private void datagram(String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
    }

    private String page(String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + page + path);
        return http.send(HttpRequest.newBuilder(uri).build(), ofString()).body();
    }

    private void awaitCounter(String name, long value) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .untilAsserted(() ->
                        assertThat(page("/api/counters")).contains("\"" + name + "\", \"value\": " + value + "}"));
    }

    @Test
    void receives_that_fail_for_a_moment_lose_no_datagram() throws Exception {
        datagram("increment udp");
        awaitCounter("udp", 1);
        faults.set(Faults.Slot.RECEIVES_FAIL, 7);
        // The first wakes the one receive that had begun before the fault was set.
        datagram("increment udp");
        awaitCounter("udp", 2);

        datagram("increment udp");

        awaitCounter("udp", 3);
        assertThat(page("/metrics")).contains("counters_intake_receive_failures_total 7.0\n");
        assertThat(said("err").lines().filter(line -> line.contains(" WARN ")))
                .singleElement()
                .asString()
                .contains("the UDP socket failed and is tried again", "Cannot allocate memory");
    }

    @Test
    void accepts_that_fail_for_a_moment_lose_no_connection() throws Exception {
        faults.set(Faults.Slot.ACCEPTS_FAIL, 3);

        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("increment tcp\n".getBytes(ISO_8859_1));
            // No request before that, because the page's accept would fail instead.
            await().atMost(PATIENCE).until(() -> faults.get(Faults.Slot.ACCEPTS_FAIL) <= 0);
            awaitCounter("tcp", 1);
        }

        assertThat(faults.get(Faults.Slot.ACCEPTS_FAIL)).isZero();
        assertThat(page("/metrics")).contains("counters_intake_receive_failures_total 3.0\n");
        assertThat(said("err")).contains("the TCP port's accept failed and is tried again for at most 60 s");
    }
}
