package io.counters.collector.dashboard;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.KeptLedger;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        return new Dashboard(
                new DashboardSettings(port),
                kept.ledger,
                kept.self,
                () -> troubles,
                System::nanoTime,
                kept.said.log(),
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
    void what_is_not_committed_is_not_shown() throws Exception {
        kept.datagram("increment a");

        assertThat(ask("GET", "/api/counters").body()).doesNotContain("a");
    }

    @Test
    void metrics_are_lines_as_prometheus_reads_them() throws Exception {
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
    void it_says_that_it_is_well() throws Exception {
        assertThat(ask("GET", "/healthz").body()).isEqualTo("ok\n");
    }

    @Test
    void what_there_is_not_is_404_and_says_what_there_is() throws Exception {
        HttpResponse<String> nothing = ask("GET", "/api/none");

        assertThat(nothing.statusCode()).isEqualTo(404);
        assertThat(nothing.body()).contains("/api/counters");
    }

    @Test
    void nothing_is_changed_from_here() throws Exception {
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
    void it_listens_on_loopback_only_and_a_taken_port_is_said_with_the_remedy() {
        assertThat(dashboard.address().getAddress().isLoopbackAddress()).isTrue();
        assertThatThrownBy(() -> dashboard(dashboard.address().getPort()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("--http-port takes another");
    }
}
