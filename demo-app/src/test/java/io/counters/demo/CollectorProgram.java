package io.counters.demo;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A real collector.jar on the loopback address, with its public interfaces. */
final class CollectorProgram implements AutoCloseable {
    private static final Pattern METRIC = Pattern.compile("(?m)^counters_([^ {]+(?:\\{[^}]*})?) (\\d\\S*)$");
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");

    private final int port;
    private final int httpPort;
    private final Program program;
    private final HttpClient web = HttpClient.newHttpClient();

    private CollectorProgram(Path folder, int udpPort, List<String> flags) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-jar",
                Jars.collector().toString(),
                "--bind",
                "127.0.0.1",
                "--udp-port",
                Integer.toString(udpPort),
                "--http-port",
                "0",
                "--data-dir",
                folder.toString()));
        arguments.addAll(flags);
        program = Program.java(arguments);
        try {
            port = Integer.parseInt(
                    program.awaitLine("UDP 127\\.0\\.0\\.1:(\\d+)").group(1));
            httpPort = Integer.parseInt(
                    program.awaitLine("http://127\\.0\\.0\\.1:(\\d+)/").group(1));
        } catch (AssertionError | InterruptedException notStarted) {
            program.close();
            throw notStarted;
        }
    }

    /** Starts one on free ports, and waits until it listens. */
    static CollectorProgram start(Path folder, String... flags) throws IOException, InterruptedException {
        return start(folder, 0, flags);
    }

    /**
     * Starts one that receives counts on this port, or on any if it is 0, in a small JVM that starts soon, and waits until it
     * listens.
     */
    static CollectorProgram start(Path folder, int port, String... flags) throws IOException, InterruptedException {
        return new CollectorProgram(folder, port, List.of(flags));
    }

    /** The address on which it receives counts over UDP and TCP, for the agent's {@code collector=}. */
    String address() {
        return "127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    /** The address of its page. */
    String page() {
        return "http://127.0.0.1:" + httpPort + "/";
    }

    Program program() {
        return program;
    }

    /** Sends one datagram. */
    void send(String datagram) throws IOException {
        byte[] bytes = datagram.getBytes(US_ASCII);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
    }

    /** Sends text over a new TCP connection. */
    void sendByTcp(String text) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(text.getBytes(US_ASCII));
        }
    }

    /** One of the collector's own metrics, from {@code /metrics}. */
    long metric(String name) throws IOException, InterruptedException {
        Matcher line = Pattern.compile("(?m)^counters_" + Pattern.quote(name) + " (\\S+)$")
                .matcher(read("metrics"));
        if (!line.find()) {
            throw new IOException("/metrics has no " + name);
        }
        return new BigDecimal(line.group(1)).longValueExact();
    }

    /** All of the collector's own metrics, with their labels. */
    SortedMap<String, Double> metrics() throws IOException, InterruptedException {
        Matcher line = METRIC.matcher(read("metrics"));
        SortedMap<String, Double> metrics = new TreeMap<>();
        while (line.find()) {
            metrics.put(line.group(1), Double.valueOf(line.group(2)));
        }
        return metrics;
    }

    /** All counters and their committed values, from {@code /api/counters}. */
    SortedMap<String, Long> counters() throws IOException, InterruptedException {
        Matcher counter = COUNTER.matcher(read("api/counters"));
        SortedMap<String, Long> counters = new TreeMap<>();
        while (counter.find()) {
            counters.put(counter.group(1), Long.valueOf(counter.group(2)));
        }
        return counters;
    }

    /** Where its page and its API are. */
    String httpAddress() {
        return "http://127.0.0.1:" + httpPort;
    }

    private String read(String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/" + path))
                .timeout(Duration.ofSeconds(10))
                .build();
        return web.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Waits until these counters have these values; others are ignored. */
    void awaitCounters(Map<String, Long> expected) {
        await("counters of the collector").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
            SortedMap<String, Long> found = counters();
            found.keySet().retainAll(expected.keySet());
            org.assertj.core.api.Assertions.assertThat(found).containsExactlyInAnyOrderEntriesOf(expected);
        });
    }

    @Override
    public void close() {
        program.close();
    }
}
