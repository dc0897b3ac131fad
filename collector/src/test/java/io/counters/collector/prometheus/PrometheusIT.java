package io.counters.collector.prometheus;

import static io.counters.testsupport.CollectorProgram.PATIENCE;
import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Proxy;
import io.counters.collector.proxy.ProxyIni;
import io.counters.collector.supervisor.Supervisor;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The collector against the real Prometheus and its promtool. */
@Tag("once")
class PrometheusIT {
    private static final Path ALERTS = Path.of("..", "docs", "prometheus", "alerts.yml");
    private static final Path ALERTS_TEST = Path.of("src", "test", "resources", "prometheus", "alerts-test.yml");
    private static final String ORDERS = "orders_placed_total{method=\"card\"}";

    @TempDir
    Path folder;

    /** With a store and a sink that do not answer, so that their metrics are there. */
    private CollectorProgram collector(int httpPort) throws IOException {
        return CollectorProgram.launch(
                folder.resolve("data"),
                Map.of(),
                List.of(),
                "--http-port=" + httpPort,
                "--store=redis://127.0.0.1:1/0",
                "--opentsdb=http://127.0.0.1:1",
                "--interval=1s");
    }

    @Test
    void prometheus_scrapes_both_paths_and_sees_no_jump_at_a_restart() throws Exception {
        try (PrometheusServer prometheus = new PrometheusServer(folder, ALERTS)) {
            List<Long> created;
            // Prometheus goes on to ask the killed one's port.
            int httpPort = Ports.reserve();
            try (CollectorProgram first = collector(httpPort)) {
                first.send("increment orders.placed,method=card 1000000\nincrement carts.open 5");
                first.send("decrement carts.open 2");
                first.awaitCounter("orders.placed,method=card", 1_000_000);
                prometheus.scrape(first.httpPort());
                await().atMost(PATIENCE).until(() -> prometheus.value(ORDERS) == 1_000_000);
                created = prometheus.samples("orders_placed_created");
                await().atMost(PATIENCE).until(() -> prometheus.value("carts_open") == 3);

                first.send("increment orders.placed,method=card 10");
                await().atMost(PATIENCE).until(() -> prometheus.value(ORDERS) == 1_000_010);
                await().atMost(PATIENCE)
                        .until(() -> prometheus.value("counters_intake_datagrams_total{job=\"counters\"}") >= 3);
                await().atMost(PATIENCE).until(() -> prometheus.value("ALERTS{alertname=\"CountersStoreDown\"}") == 1);
                for (int i = 0; i < 1_000; i++) {
                    first.send("increment orders.placed,method=card 1");
                }
                first.kill();
            }
            try (CollectorProgram second = collector(httpPort)) {
                long before = second.counters().getOrDefault("orders.placed,method=card", 0L);
                prometheus.scrape(second.httpPort());
                second.send("increment orders.placed,method=card 10");
                await().atMost(PATIENCE).until(() -> prometheus.value(ORDERS) == before + 10);
                await().atMost(PATIENCE)
                        .until(() -> prometheus.value("resets(counters_intake_datagrams_total[10m])") == 1);

                assertThat(prometheus.samples(ORDERS)).isSorted();
                assertThat(prometheus.value("resets(" + ORDERS + "[10m])")).isZero();
                // Prometheus extrapolates what happened before its first sample. A jump would be a million.
                assertThat(prometheus.value("increase(" + ORDERS + "[10m])")).isBetween(10.0, 20_000.0);
                assertThat(prometheus.samples("orders_placed_created"))
                        .containsOnly(created.get(0))
                        .hasSizeGreaterThan(created.size());
                assertThat(prometheus.rules())
                        .hasSizeGreaterThan(4)
                        .allMatch(rule -> rule.get("health").getAsString().equals("ok"));
            }
        }
    }

    @Test
    void promtool_finds_no_error_in_both_texts() throws Exception {
        try (CollectorProgram collector = collector(0)) {
            collector.send("increment orders.placed,method=card 3\nincrement carts.open 2\ndecrement carts.open 1");
            collector.send("increment orders_placed\nincrement visits,x.y=1,x-y=2\nincrement 2xx");
            collector.send("increment a line that is rejected");
            collector.awaitCounter("2xx", 1);
            collector.awaitMetric("intake_rejected_lines_total{reason=\"amount_form\"}", 0);

            for (String path : List.of("/metrics", "/metrics/counters")) {
                Path text = Files.writeString(folder.resolve("metrics.txt"), get(collector.httpPort(), path));

                assertThat(promtool(text, "check", "metrics")).as(path).isEmpty();
            }
        }
    }

    @Test
    void promtool_finds_no_error_in_the_text_of_the_proxy() throws Exception {
        int page = Ports.reserve();
        Path servers = Files.writeString(folder.resolve("servers.conf"), "127.0.0.1:1\t1\nudp://127.0.0.1:2\t1\n");
        Path settings = Files.writeString(
                folder.resolve("proxy.conf"),
                "[statsite]\nbind_address = 127.0.0.1\nport = " + Ports.reserve() + "\nudp_port = 0\nhttp_port = "
                        + page + "\nservers = " + servers + "\n");
        PrintStream out = new PrintStream(OutputStream.nullOutputStream(), true, UTF_8);
        try (Proxy proxy = new Proxy(ProxyIni.read(settings, 1L << 30), Supervisor.none(), out)) {
            String metrics = get(page, "/metrics");
            Path text = Files.writeString(folder.resolve("metrics.txt"), metrics);

            assertThat(proxy).isNotNull();
            assertThat(metrics).contains("counters_proxy_up{server=\"127.0.0.1:1\"} 0.0\n");
            assertThat(promtool(text, "check", "metrics")).isEmpty();
        }
    }

    @Test
    void promtool_accepts_the_alert_rules_and_their_test() throws Exception {
        Path nothing = Files.createFile(folder.resolve("nothing"));

        assertThat(promtool(nothing, "check", "rules", ALERTS.toString())).contains("SUCCESS");
        assertThat(promtool(nothing, "test", "rules", ALERTS_TEST.toString())).contains("SUCCESS");
        assertThat(promtool(
                        nothing,
                        "check",
                        "config",
                        ALERTS.resolveSibling("prometheus.yml").toString()))
                .contains("SUCCESS");
    }

    private static String get(int page, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + page + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), ofString())
                .body();
    }

    /** Runs it, and returns what it printed. */
    private String promtool(Path in, String... arguments) throws Exception {
        Path out = Files.createTempFile(folder, "promtool", "");
        ProcessBuilder builder = new ProcessBuilder("promtool");
        builder.command().addAll(List.of(arguments));
        Process process = builder.redirectInput(in.toFile())
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();
        assertThat(process.waitFor()).as(() -> said(out)).isZero();
        return Files.readString(out);
    }

    private static String said(Path out) {
        try {
            return Files.readString(out);
        } catch (IOException gone) {
            return gone.toString();
        }
    }
}
