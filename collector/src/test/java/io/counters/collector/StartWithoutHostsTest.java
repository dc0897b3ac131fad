package io.counters.collector;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.supervisor.Supervisor;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A complete collector whose store and OpenTSDB have names that do not resolve. */
@Tag("slow")
class StartWithoutHostsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    private String get(Collector collector, String path) throws Exception {
        URI page = URI.create("http://127.0.0.1:" + collector.httpAddress().getPort() + path);
        return http.send(HttpRequest.newBuilder(page).build(), ofString()).body();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "memcached://no-such-host.invalid",
                "redis://no-such-host.invalid",
                "redis://no-such-host.invalid,no-such-host-either.invalid",
                "couchbase://no-such-host.invalid/bucket"
            })
    void a_collector_starts_and_counts_although_hosts_do_not_resolve(String store) throws Exception {
        Settings settings = new Settings(
                Map.of(
                        CollectorFlag.BIND, "127.0.0.1",
                        CollectorFlag.UDP_PORT, "0",
                        CollectorFlag.HTTP_PORT, "0",
                        CollectorFlag.DATA_DIR, folder.toString(),
                        CollectorFlag.STORE, store,
                        CollectorFlag.STORE_USER, store.startsWith("couchbase") ? "me" : "",
                        CollectorFlag.STORE_PASSWORD, store.startsWith("couchbase") ? "secret" : "",
                        CollectorFlag.OPENTSDB, "http://no-such-host.invalid:4242",
                        CollectorFlag.INTERVAL, "1s"),
                Map.of());
        ByteArrayOutputStream out = new ByteArrayOutputStream();

        try (Collector collector = new Collector(settings, Supervisor.none(), new PrintStream(out, true, UTF_8))) {
            assertThat(out.toString(UTF_8)).contains("no-such-host.invalid");
            byte[] line = "increment a 5".getBytes(UTF_8);
            try (DatagramSocket socket = new DatagramSocket()) {
                socket.send(new DatagramPacket(line, line.length, collector.udpAddress()));
            }

            await().atMost(PATIENCE)
                    .untilAsserted(
                            () -> assertThat(get(collector, "/api/counters")).contains("\"a\", \"value\": 5}"));
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(get(collector, "/metrics"))
                            .containsPattern("counters_publish_spool_points\\{sink=\"[^\"]*\"} [1-9]"));
        }
    }
}
