package io.counters.collector;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.DefaultSignals;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** collector.jar in its own process, on loopback and free ports. */
public final class ChildCollector implements AutoCloseable {
    public static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Pattern UDP = Pattern.compile("listens on UDP 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern PAGE = Pattern.compile("page: +http://127\\.0\\.0\\.1:(\\d+)/");
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");
    private static final Pattern METRIC = Pattern.compile("(?m)^counters_([^ ]+) (\\S+)$");

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final Process process;
    private final Path out;
    private final Path err;
    private int udp;
    private int page;

    /**
     * Starts a collector, and waits until it runs or has ended.
     *
     * @param folder for its data, in {@code data}, and its output
     * @param java options of the JVM
     */
    public ChildCollector(Path folder, Map<String, String> environment, List<String> java, String... more)
            throws IOException {
        out = Files.createTempFile(folder, "out", "");
        err = Files.createTempFile(folder, "err", "");
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"));
        command.addAll(java);
        command.addAll(List.of(
                "-jar",
                Path.of("target", "collector.jar").toAbsolutePath().toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=0",
                "--data-dir=" + folder.resolve("data")));
        command.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(DefaultSignals.command("HUP,INT,TERM", command))
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        builder.environment().putAll(environment);
        process = builder.start();
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> Files.readString(out).contains("points:") || !process.isAlive());
        String said = Files.readString(out);
        Matcher counts = UDP.matcher(said);
        Matcher shown = PAGE.matcher(said);
        if (counts.find() && shown.find()) {
            udp = Integer.parseInt(counts.group(1));
            page = Integer.parseInt(shown.group(1));
            await().atMost(PATIENCE).ignoreExceptions().until(() -> !metrics().isEmpty());
        }
    }

    /** The port for UDP and TCP. */
    public int udp() {
        return udp;
    }

    /** The port of its page. */
    public int page() {
        return page;
    }

    public long pid() {
        return process.pid();
    }

    /** Whether it has started. */
    public boolean runs() {
        return udp != 0 && process.isAlive();
    }

    public void datagram(String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), udp));
        }
    }

    /** Every counter's committed value. */
    public SortedMap<String, Long> counters() throws IOException {
        return numbers("/api/counters", COUNTER);
    }

    /** Its metrics, without the prefix {@code counters_}. */
    public SortedMap<String, Long> metrics() throws IOException {
        return numbers("/metrics", METRIC);
    }

    private SortedMap<String, Long> numbers(String path, Pattern pattern) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + page + path))
                .timeout(Duration.ofSeconds(3))
                .build();
        try {
            Matcher number = pattern.matcher(http.send(request, ofString()).body());
            SortedMap<String, Long> numbers = new TreeMap<>();
            while (number.find()) {
                // Prometheus' library writes large numbers as 1.2E8, and the others exactly.
                numbers.put(number.group(1), new BigDecimal(number.group(2)).longValueExact());
            }
            return numbers;
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
    }

    /** Waits until a counter is committed with this value. */
    public void awaitCounter(String name, long value) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(counters()).as(this::said).containsEntry(name, value));
    }

    /** Waits until one of its metrics is above this. */
    public void awaitMetric(String name, long above) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(metrics().getOrDefault(name, 0L))
                        .as(this::said)
                        .isGreaterThan(above));
    }

    /** Sends SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** Sends SIGKILL, and waits until the process has ended. */
    public void kill() {
        process.destroyForcibly();
        status(Duration.ofSeconds(10));
    }

    /** Waits until it has ended, and returns its exit status. */
    public int status(Duration patience) {
        try {
            assertThat(process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS))
                    .as(() -> "still there: " + said())
                    .isTrue();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(hurried);
        }
        return process.exitValue();
    }

    /** Waits until it has logged this: the log is written a little later than the event. */
    public void awaitSaid(String... texts) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> assertThat(said()).contains(texts));
    }

    /** Its log so far; complete once it has ended. */
    public String said() {
        try {
            return Files.readString(err);
        } catch (IOException gone) {
            return gone.toString();
        }
    }

    /** The names of the files in a folder below its data; none if there is no such folder. */
    public static List<String> files(Path folder, String below) throws IOException {
        Path where = folder.resolve("data").resolve(below);
        if (!Files.exists(where)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(where)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public void close() {
        kill();
    }
}
