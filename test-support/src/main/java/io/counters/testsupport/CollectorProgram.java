package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.File;
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
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;

/** The collector.jar that the build has made, in a small JVM that starts soon, on loopback; with its public interfaces. */
public final class CollectorProgram implements AutoCloseable {
    /** How long tests wait for what a collector does soon. */
    public static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final Path JAR = Path.of("..", "collector", "target", "collector.jar")
            .toAbsolutePath()
            .normalize();
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration POLL = Duration.ofMillis(20);
    private static final Pattern COUNTS = Pattern.compile("UDP 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern PAGE = Pattern.compile("page: +https?://127\\.0\\.0\\.1:(\\d+)/");
    private static final Pattern OTLP = Pattern.compile("otlp: +https?://127\\.0\\.0\\.1:(\\d+)/");
    private static final Pattern COUNTER = Pattern.compile("\"name\": \"([^\"]+)\", \"value\": (-?\\d+)");
    private static final Pattern METRIC = Pattern.compile("(?m)^counters_([^ {]+(?:\\{[^}]*})?) (\\S+)$");

    private static final ClassArchive CLASSES = new ClassArchive(JAR, List.of(), CollectorProgram::useClasses);

    private final HttpClient web =
            HttpClient.newBuilder().connectTimeout(ANSWER).build();
    private final Program program;
    private int port;
    private int httpPort;

    private CollectorProgram(Program program) {
        this.program = program;
        await("collector").atMost(PATIENCE).pollInterval(POLL).until(() -> says("points:") || !program.isRunning());
        String said = String.join("\n", program.output());
        Matcher counts = COUNTS.matcher(said);
        Matcher page = PAGE.matcher(said);
        if (counts.find() && page.find()) {
            port = Integer.parseInt(counts.group(1));
            httpPort = Integer.parseInt(page.group(1));
        }
    }

    /** Starts one on free ports, and waits until it listens. */
    public static CollectorProgram start(Path data, String... flags) throws IOException {
        return start(data, 0, flags);
    }

    /** Starts one that receives counts on this port, or on any if it is 0, and waits until it listens. */
    public static CollectorProgram start(Path data, int port, String... flags) throws IOException {
        List<String> all = new ArrayList<>(List.of("--udp-port=" + port));
        all.addAll(List.of(flags));
        CollectorProgram started = launch(data, Map.of(), List.of(), all.toArray(String[]::new));
        if (!started.runs()) {
            started.close();
            throw new AssertionError("the collector did not start " + started.program);
        }
        return started;
    }

    /**
     * Starts one on free ports, unless a flag has another, and waits until it listens or has ended.
     *
     * @param variables to add to its environment
     * @param java options of the JVM
     */
    public static CollectorProgram launch(Path data, Map<String, String> variables, List<String> java, String... flags)
            throws IOException {
        List<String> arguments = new ArrayList<>(List.of("--bind=127.0.0.1", "--data-dir=" + data));
        for (String port : List.of("--udp-port=", "--http-port=")) {
            if (List.of(flags).stream().noneMatch(flag -> flag.startsWith(port))) {
                arguments.add(port + 0);
            }
        }
        arguments.addAll(List.of(flags));
        return new CollectorProgram(command(variables, java, arguments));
    }

    /** Starts a command of the jar, or what its flags say. */
    public static Program command(String... arguments) throws IOException {
        return command(Map.of(), List.of(), List.of(arguments));
    }

    private static Program command(Map<String, String> variables, List<String> java, List<String> arguments)
            throws IOException {
        List<String> all = new ArrayList<>(CLASSES.options());
        all.addAll(java);
        return plain(variables, all, arguments);
    }

    private static Program plain(Map<String, String> variables, List<String> java, List<String> arguments)
            throws IOException {
        List<String> all = new ArrayList<>(List.of("-Xmx256m"));
        all.addAll(java);
        all.addAll(List.of("-jar", JAR.toString()));
        all.addAll(arguments);
        return Program.java(Path.of(System.getProperty("java.home")), "HUP,INT,TERM", variables, all);
    }

    /** Starts one, lets it do a little of everything, and ends it. */
    private static void useClasses(List<String> java) throws IOException {
        Path folder = Files.createTempDirectory("collector-classes");
        try (CollectorProgram collector = new CollectorProgram(plain(
                Map.of(),
                java,
                List.of(
                        "--bind=127.0.0.1",
                        "--http-port=0",
                        "--udp-port=0",
                        "--interval=1s",
                        "--data-dir=" + folder)))) {
            assertThat(collector.runs()).as(collector.log()).isTrue();
            collector.send("increment a 1");
            collector.sendByTcp("from a 1 1\nincrement b 1 1\n");
            collector.awaitCounters(Map.of("a", 1L, "b", 1L));
            for (String path : List.of("/", "/healthz", "/api/page", "/api/counters/a/history?from=-1h")) {
                assertThat(collector.get(path)).isNotEmpty();
            }
            collector.awaitMetric("publish_ticks_total", 0);
            collector.terminate();
            assertThat(collector.status(PATIENCE)).isEqualTo(143);
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
            }
        }
    }

    /** Whether it has started, and has not ended. */
    public boolean runs() {
        return port != 0 && program.isRunning();
    }

    /** The port for UDP and TCP. */
    public int port() {
        return port;
    }

    /** The address on which it receives counts over UDP and TCP, for the agent's {@code collector=}. */
    public String address() {
        return "127.0.0.1:" + port;
    }

    /** The port of its page. */
    public int httpPort() {
        return httpPort;
    }

    /** The address of its port for OTLP and HTTP, which the flag {@code --otlp-port} has opened. */
    public String otlpAddress() {
        Matcher otlp = OTLP.matcher(String.join("\n", program.output()));
        assertThat(otlp.find()).as("a collector with --otlp-port").isTrue();
        return "http://127.0.0.1:" + otlp.group(1);
    }

    /** Where its page and its API are. */
    public String httpAddress() {
        return "http://127.0.0.1:" + httpPort;
    }

    /** The address of its page. */
    public String page() {
        return httpAddress() + "/";
    }

    public Program program() {
        return program;
    }

    /** Sends one datagram. */
    public void send(String datagram) throws IOException {
        byte[] bytes = datagram.getBytes(UTF_8);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
        }
    }

    /** Sends text over a new TCP connection. */
    public void sendByTcp(String text) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(text.getBytes(UTF_8));
        }
    }

    /** All counters and their committed values. */
    public SortedMap<String, Long> counters() throws IOException {
        return numbers("/api/counters", COUNTER);
    }

    /** All of its own metrics, with their labels, without the prefix {@code counters_}. */
    public SortedMap<String, Long> metrics() throws IOException {
        return numbers("/metrics", METRIC);
    }

    /** One of its own metrics. */
    public long metric(String name) throws IOException {
        return metrics().entrySet().stream()
                .filter(value -> value.getKey().equals(name) || value.getKey().startsWith(name + "{"))
                .map(Map.Entry::getValue)
                .reduce(Long::sum)
                .orElseThrow(() -> new IOException("/metrics has no " + name));
    }

    private SortedMap<String, Long> numbers(String path, Pattern pattern) throws IOException {
        Matcher number = pattern.matcher(get(path));
        SortedMap<String, Long> numbers = new TreeMap<>();
        while (number.find()) {
            // Prometheus' library writes large numbers as 1.2E8, and the others exactly. A sum at Long.MAX_VALUE is
            // 9.223372036854775808E18 there, which is one too much.
            BigDecimal value = new BigDecimal(number.group(2)).min(BigDecimal.valueOf(Long.MAX_VALUE));
            numbers.put(number.group(1), value.longValueExact());
        }
        return numbers;
    }

    /** What its page answers to a path, which begins with a slash. */
    public String get(String path) throws IOException {
        return answer(request(path).build());
    }

    /** What its page answers to DELETE. */
    public String delete(String path) throws IOException {
        return answer(request(path).DELETE().build());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(httpAddress() + path)).timeout(ANSWER);
    }

    private String answer(HttpRequest request) throws IOException {
        try {
            return web.send(request, HttpResponse.BodyHandlers.ofString()).body();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
    }

    /** Waits until a counter is committed with this value. */
    public void awaitCounter(String name, long value) {
        awaitCounters(Map.of(name, value));
    }

    /** Waits until these counters are committed with these values; others are ignored. */
    public void awaitCounters(Map<String, Long> expected) {
        patiently("counters of the collector").untilAsserted(() -> {
            SortedMap<String, Long> found = counters();
            found.keySet().retainAll(expected.keySet());
            assertThat(found).as(this::log).containsExactlyInAnyOrderEntriesOf(expected);
        });
    }

    /** Waits until one of its metrics is above this. */
    public void awaitMetric(String name, long above) {
        patiently("metric " + name)
                .untilAsserted(() -> assertThat(metrics().getOrDefault(name, 0L))
                        .as(this::log)
                        .isGreaterThan(above));
    }

    /** For waits on answers of collectors: asks again if an answer is late, on a busy machine. */
    public static ConditionFactory patiently(String what) {
        return await(what).atMost(PATIENCE).pollInterval(POLL).ignoreExceptionsInstanceOf(HttpTimeoutException.class);
    }

    /** Waits until it has logged this: the log is written a little later than the event. */
    public void awaitLog(String... texts) {
        await().atMost(PATIENCE)
                .pollInterval(POLL)
                .untilAsserted(() -> assertThat(log()).contains(texts));
    }

    /** The end of its log; complete once it has ended. */
    public String log() {
        return String.join("\n", program.errors());
    }

    private boolean says(String text) {
        return program.output().stream().anyMatch(line -> line.contains(text));
    }

    /** Sends SIGTERM. */
    public void terminate() {
        program.terminate();
    }

    /** Sends SIGKILL, and waits for its end. */
    public void kill() throws IOException {
        try {
            program.kill();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
    }

    /** Waits for its end, and returns its exit status. */
    public int status(Duration atMost) throws IOException {
        try {
            return program.awaitEnd(atMost);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException(hurried);
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
