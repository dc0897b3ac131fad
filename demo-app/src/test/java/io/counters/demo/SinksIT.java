package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector that writes to a real Prometheus and a real VictoriaMetrics by remote write, while they and the collector are
 * killed. Prometheus refuses what is out of order, so this also shows the order.
 */
@Tag("once")
class SinksIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int COUNTERS = 300;
    private static final String ONE = "orders.placed,shop=7";
    private static final String DOWN = "carts.open";

    @TempDir
    Path folder;

    private final HttpClient web = HttpClient.newHttpClient();
    private int prometheusPort;
    private int collectorPort;
    private long counted;

    private Program prometheus() throws Exception {
        Path config = Files.writeString(folder.resolve("prometheus.yml"), "global: {}\n");
        Program prometheus = Program.start(
                "prometheus",
                "--config.file=" + config,
                "--web.enable-remote-write-receiver",
                "--storage.tsdb.path=" + folder.resolve("prometheus"),
                "--web.listen-address=127.0.0.1:" + prometheusPort);
        await("Prometheus answers").atMost(PATIENCE).until(() -> {
            try {
                return get(prometheusPort, "/-/ready").statusCode() == 200;
            } catch (IOException notYet) {
                return false;
            }
        });
        return prometheus;
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return web.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** The samples of a series that has only these labels, by their seconds. */
    private NavigableMap<Long, Long> samples(String series) throws IOException, InterruptedException {
        JsonObject answer = JsonParser.parseString(get(
                                prometheusPort,
                                "/api/v1/query?query=" + URLEncoder.encode(series + "[1h]", StandardCharsets.UTF_8))
                        .body())
                .getAsJsonObject();
        JsonArray results = answer.getAsJsonObject("data").getAsJsonArray("result");
        NavigableMap<Long, Long> samples = new TreeMap<>();
        assertThat(results.size()).as(answer.toString()).isLessThanOrEqualTo(1);
        for (JsonElement result : results) {
            for (JsonElement sample : result.getAsJsonObject().getAsJsonArray("values")) {
                samples.put(
                        sample.getAsJsonArray().get(0).getAsLong(),
                        sample.getAsJsonArray().get(1).getAsLong());
            }
        }
        return samples;
    }

    private CollectorProgram collector(VictoriaMetrics victoria) throws IOException {
        CollectorProgram collector = CollectorProgram.start(
                folder.resolve("ledger"),
                collectorPort,
                "--interval=1s",
                "--sink=stdout,prometheus:http://127.0.0.1:" + prometheusPort + "/api/v1/write,prometheus:"
                        + victoria.queryAddress() + "/api/v1/write");
        collectorPort = collector.port();
        return collector;
    }

    private void count(CollectorProgram collector) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < COUNTERS; i++) {
            lines.append("increment orders.placed,shop=").append(i).append(" 3\n");
        }
        collector.sendByTcp(lines + "increment carts.open 3\ndecrement carts.open 1\n");
        counted++;
        collector.awaitCounter(ONE, 3 * counted);
        collector.awaitCounter(DOWN, 2 * counted);
    }

    /** Waits for ticks that have all counts, after each sink has delivered them. */
    private void pass(CollectorProgram collector, int ticks) throws IOException {
        long before = collector.metric("publish_ticks_total");
        await("ticks").atMost(PATIENCE).until(() -> collector.metric("publish_ticks_total") >= before + ticks);
    }

    private static void note(CollectorProgram collector, NavigableMap<Long, Long> printed) {
        for (String line : collector.program().output()) {
            if (line.startsWith("put orders.placed ") && line.contains(" shop=7 ")) {
                String[] words = line.split(" ", -1);
                printed.put(Long.parseLong(words[2]), Long.parseLong(words[3]));
            }
        }
    }

    @Test
    void every_tick_is_in_prometheus_and_in_victoriametrics_once() throws Exception {
        prometheusPort = Ports.reserve();
        NavigableMap<Long, Long> printed = new TreeMap<>();
        List<Program> running = new ArrayList<>(List.of(prometheus()));
        try (VictoriaMetrics victoria = VictoriaMetrics.start(folder.resolve("victoria"))) {
            long refused;
            try (CollectorProgram first = collector(victoria)) {
                count(first);
                pass(first, 3);

                running.remove(0).kill();
                count(first);
                pass(first, 4);
                note(first, printed);
                // It may not be in the spool yet.
                printed.pollLastEntry();
                // In the middle of an outage, with ticks in the spool.
                first.kill();
            }
            try (CollectorProgram second = collector(victoria)) {
                count(second);
                pass(second, 2);
                running.add(prometheus());
                count(second);
                pass(second, 2);
                await("Prometheus has the ticks of its outage")
                        .atMost(PATIENCE)
                        .until(() -> !samples("orders_placed_total{shop=\"7\"}")
                                .tailMap(printed.lastKey(), false)
                                .isEmpty());
                note(second, printed);
                printed.pollLastEntry();
                refused = second.metric("publish_bad_points_total");
                second.kill();
            }
            try (CollectorProgram third = collector(victoria)) {
                count(third);
                pass(third, 3);
                note(third, printed);
                await("all of it has arrived").atMost(PATIENCE).untilAsserted(() -> {
                    assertThat(samples("orders_placed_total{shop=\"7\"}")).containsKey(printed.lastKey());
                    assertThat(victoria.points("orders_placed_total,shop=7")).containsKey(printed.lastKey());
                });
                refused += third.metric("publish_bad_points_total");
            }

            NavigableMap<Long, Long> inPrometheus =
                    samples("orders_placed_total{shop=\"7\",src=\"counters\"}").headMap(printed.lastKey(), true);
            NavigableMap<Long, Long> inVictoria =
                    victoria.points("orders_placed_total,shop=7,src=counters").headMap(printed.lastKey(), true);
            assertThat(printed).hasSizeGreaterThan(8);
            assertThat(inPrometheus).containsAllEntriesOf(printed);
            assertThat(inVictoria).containsAllEntriesOf(printed);
            // A tick that was being taken when the collector was killed may be in one of them only.
            inPrometheus.forEach((second, value) ->
                    assertThat(inVictoria.getOrDefault(second, value)).isEqualTo(value));
            assertThat(new ArrayList<>(inVictoria.values())).isSorted();
            assertThat(new ArrayList<>(inPrometheus.values())).isSorted();
            assertThat(inPrometheus.lastEntry().getValue()).isEqualTo(3 * counted);
            assertThat(samples("carts_open").lastEntry().getValue()).isEqualTo(2 * counted);
            assertThat(samples("carts_open_total")).isEmpty();
            assertThat(refused).isZero();
            System.out.println("SinksIT: " + inPrometheus.size() + " ticks of " + (COUNTERS + 1)
                    + " counters, each once, in Prometheus and in VictoriaMetrics");
        } finally {
            running.forEach(Program::close);
        }
    }

    @Test
    void doctor_says_whether_a_receiver_accepts_requests() throws Exception {
        try (VictoriaMetrics victoria = VictoriaMetrics.start(folder.resolve("victoria"));
                Program good = CollectorProgram.command(
                        "doctor",
                        "--data-dir=" + folder,
                        "--http-port=" + Ports.reserve(),
                        "--udp-port=" + Ports.reserve(),
                        "--sink=prometheus:" + victoria.queryAddress() + "/api/v1/write,prometheus:"
                                + victoria.queryAddress() + "/nothing")) {
            good.awaitEnd();

            assertThat(good.output())
                    .anyMatch(line -> line.startsWith("ok    sink ")
                            && line.endsWith(
                                    "Prometheus at " + victoria.queryAddress() + "/api/v1/write accepts requests"))
                    .anyMatch(line -> line.startsWith("FAIL  sink ") && line.contains("/nothing answers a request"));
        }
    }
}
