package io.counters.collector;

import static io.counters.testsupport.CollectorProgram.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** collector.jar in its own process, on the JDK at hand. */
class CollectorIT {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    /** It takes up to 5 s, and longer on a busy machine; what it must not wait for takes for ever. */
    private static final Duration END = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private final List<CollectorProgram> started = new ArrayList<>();

    @AfterEach
    void close() {
        started.forEach(CollectorProgram::close);
    }

    private CollectorProgram start(String... flags) throws IOException {
        CollectorProgram collector = CollectorProgram.start(folder.resolve("data"), flags);
        started.add(collector);
        return collector;
    }

    /** Sends SIGTERM, and asserts that it ends in time. */
    private static void end(CollectorProgram collector) throws IOException {
        collector.terminate();
        assertThat(collector.status(END)).isEqualTo(143);
    }

    /** Asserts that its log has nothing at WARN or above, and that the JVM printed nothing. */
    private static void assertSilent(CollectorProgram collector) {
        assertThat(collector.program().errors())
                .allSatisfy(line -> assertThat(line).matches("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d INFO .*"));
    }

    @Test
    void counts_by_udp_and_tcp_are_shown_and_survive_a_restart_without_a_warning() throws Exception {
        CollectorProgram first = start("--interval=1s", "--sink=stdout");
        first.send("increment YourAwesomeCounter");
        first.send("decrement below 3");
        first.sendByTcp(S1 + " 10 1\nincrement orders.placed 5 5\nincrement orders.placed 2 9\n");
        first.awaitCounter("YourAwesomeCounter", 1);
        first.awaitCounter("below", -3);
        first.awaitCounter("orders.placed", 9);
        first.program().awaitLine("put orders\\.placed ");
        first.send("increment YourAwesomeCounter 41");
        end(first);
        assertSilent(first);
        List<String> points = first.program().output().stream()
                .filter(line -> line.startsWith("put YourAwesomeCounter "))
                .toList();
        assertThat(points).doesNotHaveDuplicates();
        assertThat(points.get(points.size() - 1)).endsWith(" 42 src=counters");

        CollectorProgram second = start();
        second.send(S1 + " 10 1\nincrement orders.placed 2 9");
        second.send("increment end");
        second.awaitCounter("end", 1);
        assertThat(second.get("/api/counters")).isEqualTo("""
                {"counters": [
                {"name": "YourAwesomeCounter", "value": 42},
                {"name": "below", "value": -3},
                {"name": "end", "value": 1},
                {"name": "orders.placed", "value": 9}
                ]}
                """);
        end(second);
        assertSilent(second);
    }

    @Test
    void committed_counts_survive_a_kill_and_the_rest_heals() throws Exception {
        CollectorProgram first = start();
        first.send(S1 + " 10 1\nincrement orders.placed 7 7");
        first.awaitCounter("orders.placed", 7);
        first.send(S1 + " 20 2\nincrement orders.placed 1 8");
        first.kill();

        CollectorProgram second = start();
        assertThat(second.get("/api/counters")).containsPattern("\"orders.placed\", \"value\": [78]}\n");
        second.send(S1 + " 30 3\nincrement orders.placed 0 8");

        second.awaitCounter("orders.placed", 8);
        end(second);
        assertSilent(second);
    }

    @Test
    void a_removed_counter_stays_removed_after_a_kill_and_counts_from_0() throws Exception {
        CollectorProgram first = start();
        first.send(S1 + " 10 1\nincrement orders.placed 7 7\nincrement other 1 1");
        first.awaitCounter("orders.placed", 7);
        assertThat(first.delete("/api/counters/orders.placed")).contains("\"value\": 7,", "\"watermarks\": 1}");
        first.kill();

        CollectorProgram second = start();
        second.send(S1 + " 20 2\nincrement orders.placed 0 7\nincrement other 1 2");
        second.awaitCounter("other", 2);
        assertThat(second.get("/api/counters")).doesNotContain("orders.placed");
        second.send(S1 + " 30 3\nincrement orders.placed 2 9");

        second.awaitCounter("orders.placed", 2);
        end(second);
        assertSilent(second);
    }

    @Test
    void a_collector_counts_and_ends_in_time_with_a_dead_store_and_a_dead_sink() throws Exception {
        CollectorProgram running = start(
                "--store=memcached://127.0.0.1:" + Ports.reserve(),
                "--opentsdb=http://127.0.0.1:" + Ports.reserve(),
                "--interval=1s");
        running.send("increment a 5");
        running.awaitCounter("a", 5);
        running.awaitLog("cannot be reached");
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(running.get("/readyz"))
                        .contains(
                                "memcached at 127.0.0.1:", " does not answer, for ", " takes no points; older points"));
        assertThat(running.get("/healthz")).isEqualTo("ok\n");

        end(running);

        assertThat(running.log()).contains("gave no usable answer").contains("ended; counters in the ledger: 1");
        CollectorProgram again = start();
        assertThat(again.get("/api/counters")).isEqualTo("{\"counters\": [\n{\"name\": \"a\", \"value\": 5}\n]}\n");
    }

    @Test
    void a_collector_ends_in_time_with_a_store_and_a_sink_that_hang() throws Exception {
        try (ServerSocket store = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                ServerSocket sink = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            CollectorProgram running = start(
                    "--store=memcached://127.0.0.1:" + store.getLocalPort(),
                    "--opentsdb=http://127.0.0.1:" + sink.getLocalPort(),
                    "--interval=1s");
            StringBuilder many = new StringBuilder();
            for (int i = 0; i < 20_000; i++) {
                many.append("increment counter.").append(i).append('\n');
            }
            running.sendByTcp(many.toString());
            running.awaitCounter("counter.19999", 1);
            running.awaitLog("points are kept and sent again");

            end(running);

            assertThat(running.log())
                    .contains("ended; counters in the ledger: 20000")
                    .contains("stay in", "for the next start");
        }
    }

    /** What a collector with this data folder logs, which exits with 1 at its start. */
    private String refusal(Path data) throws Exception {
        try (CollectorProgram refused = CollectorProgram.launch(data, Map.of(), List.of())) {
            assertThat(refused.status(PATIENCE)).isEqualTo(1);
            return refused.log();
        }
    }

    @Test
    void a_second_collector_on_the_same_folder_exits_with_1_and_the_remedy() throws Exception {
        start();

        assertThat(refusal(folder.resolve("data")))
                .contains("in use by another collector")
                .contains("--data-dir");
    }

    @Test
    void a_ledger_that_has_shared_names_with_peers_is_refused_with_the_way_over() throws Exception {
        end(start());
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
