package io.counters.collector.proxy;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Faults;
import io.counters.testsupport.DefaultSignals;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A proxy in a separate process, whose system calls fail or whose descriptors run out. */
@Timeout(120)
@Tag("slow")
class ProxyFaultsTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final HttpClient web = HttpClient.newHttpClient();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private int port;
    private int httpPort;
    private @Nullable Process process;

    private void start(String servers, String limits, Map<String, String> environment) throws Exception {
        port = Ports.reserve();
        httpPort = Ports.reserve();
        Path list = Files.writeString(folder.resolve("servers.conf"), servers);
        Path ini = Files.writeString(
                folder.resolve("proxy.conf"),
                "[statsite]\nbind_address = 127.0.0.1\nport = " + port + "\nudp_port = " + port + "\nhttp_port = "
                        + httpPort + "\nservers = " + list + "\n");
        ProcessBuilder builder = new ProcessBuilder(DefaultSignals.command(
                "HUP,INT,TERM",
                List.of(
                        "sh",
                        "-c",
                        limits + "exec \"$@\"",
                        "sh",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.counters.collector.Main",
                        "proxy",
                        "-f",
                        ini.toString())));
        builder.environment().putAll(environment);
        process = builder.redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        await().atMost(SOON).ignoreExceptions().until(() -> value("counters_proxy_connections") == 0);
    }

    @AfterEach
    void end() throws Exception {
        for (AutoCloseable part : opened) {
            part.close();
        }
        if (process != null) {
            process.destroy();
            assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
    }

    private long value(String name) throws Exception {
        String lines = web.send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/metrics"))
                                .timeout(Duration.ofSeconds(10))
                                .build(),
                        ofString())
                .body();
        return lines.lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1)))
                .findFirst()
                .orElse(-1);
    }

    private Socket connected() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        opened.add(socket);
        return socket;
    }

    private static void send(Socket by, String text) throws IOException {
        by.getOutputStream().write(text.getBytes(ISO_8859_1));
    }

    private void udp(String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
    }

    private String log() throws IOException {
        return Files.readString(folder.resolve("log"), UTF_8);
    }

    @Test
    void failed_receives_and_accepts_are_counted_and_tried_again() throws Exception {
        Faults faults = new Faults(folder.resolve("faults"), folder);
        try (Sink sink = new Sink()) {
            start(sink.address() + "\t1\n", "", faults.environment());
            Socket before = connected();
            send(before, "a:1|c\n");
            await().atMost(SOON).until(() -> sink.received().equals("a:1|c\n"));

            faults.set(Faults.Slot.RECEIVES_FAIL, 5);
            udp("b:1|c");
            await().atMost(SOON).until(() -> sink.received().endsWith("b:1|c\n"));
            assertThat(value("counters_proxy_socket_faults_total")).isEqualTo(5);

            faults.set(Faults.Slot.ACCEPTS_FAIL, 1_000_000_000);
            Socket waits = connected();
            send(waits, "d:1|c\n");
            await().atMost(SOON).until(() -> log().contains("Too many open files"));
            long hits = faults.get(Faults.Slot.HITS);
            send(before, "c:1|c\n");
            await().atMost(SOON).until(() -> sink.received().endsWith("c:1|c\n"));
            assertThat(faults.get(Faults.Slot.HITS) - hits)
                    .as("attempts, ten a second")
                    .isLessThan(200);
            faults.heal();
            await().atMost(SOON).until(() -> sink.received().endsWith("d:1|c\n"));
        }
        assertThat(log())
                .contains("receiving by UDP failed and is tried again for at most 60 s", "Cannot allocate memory");
    }

    @Test
    void healthz_reports_a_failing_socket_until_it_works_again() throws Exception {
        Faults faults = new Faults(folder.resolve("faults"), folder);
        try (Sink sink = new Sink()) {
            start(sink.address() + "\t1\n", "", faults.environment());
            faults.set(Faults.Slot.RECEIVES_FAIL, 1_000_000_000);

            udp("a:1|c");
            await().atMost(SOON).until(() -> healthz().statusCode() == 503);
            assertThat(healthz().body()).startsWith("receiving by UDP has failed for ");

            faults.set(Faults.Slot.RECEIVES_FAIL, 0);
            await().atMost(SOON).until(() -> healthz().statusCode() == 200);
        }
    }

    private HttpResponse<String> healthz() throws Exception {
        return web.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/healthz"))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                ofString());
    }

    @Test
    void senders_that_use_all_connections_leave_descriptors_for_servers_and_page() throws Exception {
        int late = Ports.reserve();
        try (Sink sink = new Sink()) {
            start(sink.address() + "\t1\n127.0.0.1:" + late + "\t1\n", "ulimit -n 200; ", Map.of());
            Socket honest = connected();
            send(honest, "a:1|c\n");
            await().atMost(SOON).until(() -> value("counters_proxy_connections") == 1);
            for (int i = 0; i < 400; i++) {
                try {
                    connected();
                } catch (SocketException refused) {
                    // Also allowed.
                }
            }
            await().atMost(SOON).until(() -> value("counters_proxy_closed_total{reason=\"too_many\"}") >= 300);

            try (Sink comesLate = new Sink(late)) {
                await().atMost(SOON).until(() -> comesLate.connections() == 1);
                StringBuilder lines = new StringBuilder();
                for (int i = 0; i < 100; i++) {
                    lines.append("key").append(i).append(":1|c\n");
                }
                send(honest, lines.toString());
                await().atMost(SOON)
                        .until(() -> (sink.received() + comesLate.received())
                                        .lines()
                                        .filter(line -> line.startsWith("key"))
                                        .count()
                                == 100);
            }
            assertThat(value("counters_proxy_connections_max")).isEqualTo(100);
            assertThat(value("counters_proxy_connections")).isEqualTo(100);
        }
    }
}
