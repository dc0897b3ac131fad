package io.counters.collector.dashboard;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.http.Browser;
import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.AddressKey;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Sender;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.helpers.NOPLogger;

class DashboardTest {
    private final HttpClient http = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    private volatile List<String> troubles = List.of();
    private KeptLedger kept;
    private Dashboard dashboard;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder, false);
        dashboard = dashboard(0);
        dashboard.start();
    }

    private Dashboard dashboard(int port) throws IOException {
        return dashboard(port, kept.said.log());
    }

    private Dashboard dashboard(int port, FaultLog faults) throws IOException {
        return new Dashboard(
                new DashboardSettings(port),
                kept.ledger,
                kept.self,
                () -> troubles,
                System::nanoTime,
                faults,
                Thread::new);
    }

    @AfterEach
    void close() throws IOException {
        dashboard.close();
        kept.close();
    }

    private HttpResponse<String> ask(String method, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + dashboard.address().getPort() + path);
        return http.send(
                HttpRequest.newBuilder(uri)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                ofString());
    }

    private static String type(HttpResponse<String> response) {
        return response.headers().firstValue("Content-Type").orElse("");
    }

    @Test
    void the_page_is_served() throws Exception {
        HttpResponse<String> page = ask("GET", "/");

        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(type(page)).isEqualTo("text/html; charset=utf-8");
        assertThat(page.body()).contains("<html").contains("'api/counters'").contains("publish_spool_points");
    }

    @Test
    void counters_are_one_object_in_the_order_of_their_names_with_exact_values() throws Exception {
        assertThat(ask("GET", "/api/counters").body()).isEqualTo("{\n}\n");
        kept.datagram("increment b.z 9007199254740992\nincrement b.z\ndecrement a,x=1,y=2 5\nincrement B 0");
        kept.commit.run();

        HttpResponse<String> counters = ask("GET", "/api/counters");

        assertThat(type(counters)).isEqualTo("application/json");
        assertThat(counters.body()).isEqualTo("{\n\"B\": 0,\n\"a,x=1,y=2\": -5,\n\"b.z\": 9007199254740993\n}\n");
    }

    @Test
    void uncommitted_values_are_not_shown() throws Exception {
        kept.datagram("increment a");

        assertThat(ask("GET", "/api/counters").body()).doesNotContain("a");
    }

    @Test
    void metrics_are_lines_in_prometheus_format() throws Exception {
        kept.self.count("intake_rejected_lines_total", "reason", "name_letter").add(3);

        HttpResponse<String> metrics = ask("GET", "/metrics");

        assertThat(type(metrics)).isEqualTo("text/plain; version=0.0.4; charset=utf-8");
        assertThat(metrics.body()).endsWith("\n");
        assertThat(metrics.body().lines())
                .hasSizeGreaterThan(8)
                .allMatch(line -> line.matches("[a-zA-Z_:][a-zA-Z0-9_:]*(\\{[a-zA-Z_]\\w*=\"[^\"\\\\]*\"})? -?\\d+"))
                .contains(
                        "counters_intake_rejected_lines_total{reason=\"name_letter\"} 3", "counters_ledger_counters 0");
    }

    @Test
    void healthz_is_200_and_ok_without_problems() throws Exception {
        HttpResponse<String> well = ask("GET", "/healthz");

        assertThat(well.statusCode()).isEqualTo(200);
        assertThat(well.body()).isEqualTo("ok\n");
    }

    @Test
    void healthz_is_503_with_a_line_for_each_problem() throws Exception {
        troubles = List.of("the last commit was 12 s ago", "counters-udp has ended");

        HttpResponse<String> unwell = ask("GET", "/healthz");

        assertThat(unwell.statusCode()).isEqualTo(503);
        assertThat(unwell.body()).isEqualTo("the last commit was 12 s ago\ncounters-udp has ended\n");
    }

    @Test
    void health_and_page_are_answered_while_another_thread_holds_the_ledgers_lock() throws Exception {
        List<Browser> waiting = new ArrayList<>();
        synchronized (kept.ledger) {
            for (String path : List.of("/api/counters", "/api/counters", "/api/streams", "/metrics", "/metrics")) {
                Browser browser = new Browser(dashboard.address());
                waiting.add(browser.ask("GET", path));
            }
            // Not by metrics(), because some metrics need the lock.
            await().until(() -> kept.self.count("http_requests_total").sum() == 5);

            assertThat(ask("GET", "/healthz").body()).isEqualTo("ok\n");
            assertThat(ask("GET", "/").statusCode()).isEqualTo(200);
        }
        for (Browser browser : waiting) {
            assertThat(browser.reply().status()).isEqualTo(200);
            browser.close();
        }
    }

    @Test
    void streams_are_an_array_of_at_most_a_thousand_that_lost_most() throws Exception {
        assertThat(ask("GET", "/api/streams").body()).isEqualTo("[\n\n]\n");
        kept.datagram(stream(7, 3) + "increment a 1 1");

        HttpResponse<String> streams = ask("GET", "/api/streams");

        assertThat(type(streams)).isEqualTo("application/json");
        assertThat(streams.body())
                .isEqualTo("[\n{\"sender\": \"00000000000000000000000000000007\", \"counters\": 1, \"sent\": 3,"
                        + " \"received\": 1, \"repeated\": 0, \"lost\": 2, \"healed\": 0, \"quiet_seconds\": 0,"
                        + " \"whole\": true, \"quarantined\": false, \"split\": false}\n]\n");

        for (int i = 1000; i < 2100; i++) {
            kept.datagram(stream(i, i) + "increment a 1 1");
        }
        List<String> lines = ask("GET", "/api/streams").body().lines().toList();
        assertThat(lines).hasSize(1002);
        assertThat(lines.get(1)).contains("\"sent\": 2099,").endsWith("},");
        assertThat(lines.get(1000)).contains("\"sent\": 1100,").endsWith("}");
    }

    /** A UDP sender on this machine. */
    private record Stranger(int port) implements Sender {
        @Override
        public String protocol() {
            return "UDP";
        }

        @Override
        public long addressKey() {
            return AddressKey.ipv4(0x7f00_0001);
        }

        @Override
        public String text() {
            return "127.0.0.1:" + port;
        }
    }

    @Test
    void rejected_lines_are_an_array_of_reasons_with_the_latest_line_of_each_sender() throws Exception {
        assertThat(ask("GET", "/api/rejected").body()).isEqualTo("[\n\n]\n");
        FaultLog faults = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
        byte[] noise = "g:1|g".getBytes(UTF_8);
        byte[] odd = "\"\\\t:1|c".getBytes(UTF_8);
        try (Dashboard own = dashboard(0, faults)) {
            own.start();
            faults.rejected(
                    "statsd_type", "only counters", new Stranger(1), 1000, noise, 0, noise.length, () -> "noise");
            faults.rejected("name_letter", "a \\n", new Stranger(2), 1, odd, 0, odd.length, () -> "odd");

            HttpResponse<String> rejected = http.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + own.address().getPort() + "/api/rejected"))
                            .build(),
                    ofString());

            assertThat(type(rejected)).isEqualTo("application/json");
            assertThat(rejected.body())
                    .isEqualTo("[\n{\"reason\": \"statsd_type\", \"rule\": \"only counters\", \"lines\": 1000,"
                            + " \"examples\": [{\"sender\": \"UDP from 127.0.0.1:1\", \"lines\": 1000,"
                            + " \"seconds_ago\": 0, \"line\": \"g:1|g\"}]},\n"
                            + "{\"reason\": \"name_letter\", \"rule\": \"a \\\\n\", \"lines\": 1,"
                            + " \"examples\": [{\"sender\": \"UDP from 127.0.0.1:2\", \"lines\": 1,"
                            + " \"seconds_ago\": 0, \"line\": \"\\\"\\\\?:1|c\"}]}\n]\n");
        }
    }

    private static String stream(int id, int seq) {
        return String.format("from %032x 0 %d\n", id, seq);
    }

    @Test
    void other_sites_cannot_read_the_page_by_dns_rebinding() throws Exception {
        for (String path : List.of("/", "/api/counters", "/api/streams", "/api/rejected", "/metrics", "/healthz")) {
            try (Browser browser = new Browser(dashboard.address())) {
                assertThat(browser.send("GET " + path + " HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                                .reply()
                                .status())
                        .isEqualTo(421);
            }
        }
    }

    @Test
    void counters_are_in_the_order_of_their_names_however_many() {
        Random random = new Random(7);
        for (int size : new int[] {0, 1, 2, 3, 7, 64, 1000, 4097}) {
            NavigableMap<String, Long> sorted = new TreeMap<>();
            while (sorted.size() < size) {
                sorted.put("c" + random.nextInt(100_000), random.nextLong());
            }
            List<String> names = new ArrayList<>(sorted.keySet());
            Collections.shuffle(names, random);
            Snapshot snapshot = new Snapshot(
                    names.toArray(new String[size + 3]),
                    names.stream().mapToLong(sorted::get).toArray(),
                    size);
            StringBuilder text = new StringBuilder();
            CountersText counters = new CountersText(snapshot);
            boolean more = true;
            while (more) {
                more = counters.append(text);
            }

            assertThat(text.toString()).isEqualTo(json(sorted));
        }
    }

    private static String json(NavigableMap<String, Long> counters) {
        StringBuilder json = new StringBuilder("{");
        counters.forEach((name, value) -> json.append(json.length() == 1 ? "\n" : ",\n")
                .append('"')
                .append(name)
                .append("\": ")
                .append(value));
        return json.append("\n}\n").toString();
    }

    @Test
    @Tag("slow")
    void many_counters_that_several_clients_read_at_once_need_little_memory() throws Exception {
        int size = 200_000;
        Process small = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx96m",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ManyCounters.class.getName(),
                        folder.resolve("many").toString(),
                        "" + size)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader said = new BufferedReader(new InputStreamReader(small.getInputStream(), UTF_8))) {
            InetSocketAddress address =
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(said.readLine()));
            NavigableMap<String, Long> all = new TreeMap<>();
            for (int i = 0; i < size; i++) {
                all.put(ManyCounters.name(i), (long) i);
            }
            String expected = json(all);

            ExecutorService readers = Executors.newFixedThreadPool(6);
            List<Future<Boolean>> equal = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                equal.add(readers.submit(() -> {
                    try (Browser browser = new Browser(address)) {
                        return browser.ask("GET", "/api/counters")
                                .reply()
                                .body()
                                .equals(expected);
                    }
                }));
            }
            readers.shutdown();

            for (Future<Boolean> each : equal) {
                assertThat(each.get()).isTrue();
            }
            assertThat(small.isAlive()).isTrue();
        } finally {
            small.destroyForcibly().waitFor();
        }
    }

    @Test
    void an_unknown_path_is_404_and_lists_the_paths() throws Exception {
        HttpResponse<String> nothing = ask("GET", "/api/none");

        assertThat(nothing.statusCode()).isEqualTo(404);
        assertThat(nothing.body()).contains("/api/counters");
    }

    @Test
    void no_request_can_change_anything() throws Exception {
        for (String method : new String[] {"POST", "PUT", "DELETE"}) {
            HttpResponse<String> refused = ask(method, "/api/counters");

            assertThat(refused.statusCode()).isEqualTo(405);
            assertThat(refused.headers().firstValue("Allow")).contains("GET, HEAD");
        }
    }

    @Test
    void head_has_no_body() throws Exception {
        HttpResponse<String> head = ask("HEAD", "/");

        assertThat(head.statusCode()).isEqualTo(200);
        assertThat(type(head)).startsWith("text/html");
        assertThat(head.body()).isEmpty();
    }

    @Test
    void the_page_listens_on_loopback_only_and_a_port_in_use_is_reported_with_the_remedy() {
        assertThat(dashboard.address().getAddress().isLoopbackAddress()).isTrue();
        assertThatThrownBy(() -> dashboard(dashboard.address().getPort()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("use --http-port for another port");
    }
}
