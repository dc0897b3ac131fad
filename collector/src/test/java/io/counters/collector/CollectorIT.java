package io.counters.collector;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.DefaultSignals;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in its own process, on the JDK at hand. */
class CollectorIT {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** It takes up to 5 s, and longer on a busy machine; what it must not wait for takes for ever. */
    private static final Duration END = Duration.ofSeconds(20);

    private static final Pattern COUNTS =
            Pattern.compile("listens on UDP 127\\.0\\.0\\.1:(\\d+) and TCP 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern PAGE = Pattern.compile("page: +http://127\\.0\\.0\\.1:(\\d+)/");

    @TempDir
    Path folder;

    private final List<Process> started = new ArrayList<>();
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void close() throws InterruptedException {
        for (Process process : started) {
            process.destroyForcibly();
            process.waitFor(10, TimeUnit.SECONDS);
        }
    }

    /** A running collector. */
    private final class Running {
        final Process process;
        final Path out;
        final Path err;
        final int udp;
        final int tcp;
        final int page;

        Running(String... more) throws IOException {
            int number = started.size();
            out = folder.resolve("out" + number);
            err = folder.resolve("err" + number);
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-jar",
                    Path.of("target", "collector.jar").toAbsolutePath().toString(),
                    "--bind=127.0.0.1",
                    "--udp-port=0",
                    "--http-port=0",
                    "--data-dir=" + folder.resolve("data")));
            command.addAll(List.of(more));
            process = new ProcessBuilder(DefaultSignals.command("HUP,INT,TERM", command))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            started.add(process);
            await().atMost(PATIENCE).until(() -> Files.readString(out).contains("points:") || !process.isAlive());
            String said = Files.readString(out);
            assertThat(said).as(Files.readString(err)).contains("points:");
            Matcher counts = COUNTS.matcher(said);
            Matcher shown = PAGE.matcher(said);
            assertThat(counts.find() && shown.find()).as(said).isTrue();
            udp = Integer.parseInt(counts.group(1));
            tcp = Integer.parseInt(counts.group(2));
            page = Integer.parseInt(shown.group(1));
        }

        void datagram(String text) throws IOException {
            byte[] bytes = text.getBytes(UTF_8);
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), udp));
            }
        }

        void stream(String text) throws IOException {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), tcp)) {
                socket.getOutputStream().write(text.getBytes(UTF_8));
            }
        }

        String counters() throws Exception {
            return get("/api/counters");
        }

        String get(String path) throws Exception {
            URI uri = URI.create("http://127.0.0.1:" + page + path);
            return http.send(HttpRequest.newBuilder(uri).build(), ofString()).body();
        }

        String delete(String path) throws Exception {
            URI uri = URI.create("http://127.0.0.1:" + page + path);
            return http.send(HttpRequest.newBuilder(uri).DELETE().build(), ofString())
                    .body();
        }

        void awaitCounter(String name, long value) {
            await().atMost(PATIENCE)
                    .pollInterval(Duration.ofMillis(20))
                    .untilAsserted(
                            () -> assertThat(counters()).contains("\"" + name + "\", \"value\": " + value + "}"));
        }

        /** Sends SIGTERM, and waits until it has ended. */
        void end() throws Exception {
            long begin = System.nanoTime();
            process.destroy();
            assertThat(process.waitFor(40, TimeUnit.SECONDS)).isTrue();
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(END);
        }

        /** Asserts that our log has nothing at WARN or above, and that the JVM printed nothing. */
        void assertSilent() throws IOException {
            assertThat(Files.readAllLines(err))
                    .allSatisfy(line -> assertThat(line).matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d INFO .*"));
        }
    }

    @Test
    void counts_by_udp_and_tcp_are_shown_and_survive_a_restart_without_a_warning() throws Exception {
        Running first = new Running("--interval=1s", "--sink=stdout");
        first.datagram("increment YourAwesomeCounter");
        first.datagram("decrement below 3");
        first.stream(S1 + " 10 1\nincrement orders.placed 5 5\nincrement orders.placed 2 9\n");
        first.awaitCounter("YourAwesomeCounter", 1);
        first.awaitCounter("below", -3);
        first.awaitCounter("orders.placed", 9);
        await().atMost(PATIENCE).until(() -> Files.readString(first.out).contains("put orders.placed "));
        first.datagram("increment YourAwesomeCounter 41");
        first.end();
        first.assertSilent();
        List<String> points = Files.readAllLines(first.out).stream()
                .filter(line -> line.startsWith("put YourAwesomeCounter "))
                .toList();
        assertThat(points).doesNotHaveDuplicates();
        assertThat(points.get(points.size() - 1)).endsWith(" 42 src=counters");

        Running second = new Running();
        second.datagram(S1 + " 10 1\nincrement orders.placed 2 9");
        second.datagram("increment end");
        second.awaitCounter("end", 1);
        assertThat(second.counters()).isEqualTo("""
                {"counters": [
                {"name": "YourAwesomeCounter", "value": 42},
                {"name": "below", "value": -3},
                {"name": "end", "value": 1},
                {"name": "orders.placed", "value": 9}
                ]}
                """);
        second.end();
        second.assertSilent();
    }

    @Test
    void committed_counts_survive_a_kill_and_the_rest_heals() throws Exception {
        Running first = new Running();
        first.datagram(S1 + " 10 1\nincrement orders.placed 7 7");
        first.awaitCounter("orders.placed", 7);
        first.datagram(S1 + " 20 2\nincrement orders.placed 1 8");
        first.process.destroyForcibly();
        assertThat(first.process.waitFor(10, TimeUnit.SECONDS)).isTrue();

        Running second = new Running();
        assertThat(second.counters()).containsPattern("\"orders.placed\", \"value\": [78]}\n");
        second.datagram(S1 + " 30 3\nincrement orders.placed 0 8");

        second.awaitCounter("orders.placed", 8);
        second.end();
        second.assertSilent();
    }

    @Test
    void a_removed_counter_stays_removed_after_a_kill_and_counts_from_0() throws Exception {
        Running first = new Running();
        first.datagram(S1 + " 10 1\nincrement orders.placed 7 7\nincrement other 1 1");
        first.awaitCounter("orders.placed", 7);
        assertThat(first.delete("/api/counters/orders.placed")).contains("\"value\": 7,", "\"watermarks\": 1}");
        first.process.destroyForcibly();
        assertThat(first.process.waitFor(10, TimeUnit.SECONDS)).isTrue();

        Running second = new Running();
        second.datagram(S1 + " 20 2\nincrement orders.placed 0 7\nincrement other 1 2");
        second.awaitCounter("other", 2);
        assertThat(second.counters()).doesNotContain("orders.placed");
        second.datagram(S1 + " 30 3\nincrement orders.placed 2 9");

        second.awaitCounter("orders.placed", 2);
        second.end();
        second.assertSilent();
    }

    @Test
    void a_collector_counts_and_ends_in_time_with_a_dead_store_and_a_dead_sink() throws Exception {
        Running running = new Running(
                "--store=memcached://127.0.0.1:" + Ports.reserve(),
                "--opentsdb=http://127.0.0.1:" + Ports.reserve(),
                "--interval=1s");
        running.datagram("increment a 5");
        running.awaitCounter("a", 5);
        await().atMost(PATIENCE).until(() -> Files.readString(running.err).contains("cannot be reached"));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(running.get("/readyz"))
                        .contains(
                                "memcached at 127.0.0.1:", " does not answer, for ", " takes no points; older points"));
        assertThat(running.get("/healthz")).isEqualTo("ok\n");

        running.end();

        assertThat(Files.readString(running.err))
                .contains("gave no usable answer")
                .contains("ended; counters in the ledger: 1");
        Running again = new Running();
        assertThat(again.counters()).isEqualTo("{\"counters\": [\n{\"name\": \"a\", \"value\": 5}\n]}\n");
    }

    @Test
    void a_collector_ends_in_time_with_a_store_and_a_sink_that_hang() throws Exception {
        try (ServerSocket store = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServerSocket sink = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Running running = new Running(
                    "--store=memcached://127.0.0.1:" + store.getLocalPort(),
                    "--opentsdb=http://127.0.0.1:" + sink.getLocalPort(),
                    "--interval=1s");
            StringBuilder many = new StringBuilder();
            for (int i = 0; i < 20_000; i++) {
                many.append("increment counter.").append(i).append('\n');
            }
            running.stream(many.toString());
            running.awaitCounter("counter.19999", 1);
            await().atMost(PATIENCE)
                    .until(() -> Files.readString(running.err).contains("points are kept and sent again"));

            running.end();

            assertThat(Files.readString(running.err))
                    .contains("ended; counters in the ledger: 20000")
                    .contains("stay in", "for the next start");
        }
    }

    /** What a collector with this data folder logs, which exits with 1 at its start. */
    private String refusal(Path data) throws Exception {
        Path err = folder.resolve("err-refused");
        Process refused = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-jar",
                        Path.of("target", "collector.jar").toAbsolutePath().toString(),
                        "--bind=127.0.0.1",
                        "--udp-port=0",
                        "--http-port=0",
                        "--data-dir=" + data)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(err.toFile())
                .start();
        started.add(refused);

        assertThat(refused.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(refused.exitValue()).isEqualTo(1);
        return Files.readString(err);
    }

    @Test
    void a_second_collector_on_the_same_folder_exits_with_1_and_the_remedy() throws Exception {
        new Running();

        assertThat(refusal(folder.resolve("data")))
                .contains("in use by another collector")
                .contains("--data-dir");
    }

    @Test
    void a_ledger_that_has_shared_names_with_peers_is_refused_with_the_way_over() throws Exception {
        new Running().end();
        Path data = folder.resolve("data");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + data.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE list (place INTEGER PRIMARY KEY, number INTEGER, peers TEXT)");
            statement.execute("INSERT INTO list VALUES (0, 1, 'a:11212*1;b:11212*1')");
        }

        assertThat(refusal(data))
                .contains("ledger.sqlite: it has shared names with peers")
                .contains("let one collector take over all names");
    }
}
