package io.counters.collector.proxy;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Proxy;
import io.counters.collector.http.Browser;
import io.counters.collector.supervisor.Supervisor;
import io.counters.testsupport.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A complete proxy, with its files and its page. */
@Timeout(180)
class ProxyTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final HttpClient web = HttpClient.newHttpClient();
    private int port;
    private int httpPort;

    private Proxy start(String servers) throws Exception {
        return start(servers, "");
    }

    private Proxy start(String servers, String settings) throws Exception {
        port = Ports.reserve();
        httpPort = Ports.reserve();
        Path list = Files.writeString(folder.resolve("servers.conf"), servers);
        Path ini = Files.writeString(
                folder.resolve("proxy.conf"),
                "[statsite]\nbind_address = 127.0.0.1\nport = " + port + "\nudp_port = 0\nhttp_port = " + httpPort
                        + "\npid_file = " + folder.resolve("pid") + "\nservers = " + list + "\n" + settings);
        return new Proxy(
                ProxyIni.read(ini, 1L << 30),
                Supervisor.none(),
                new PrintStream(new ByteArrayOutputStream(), true, UTF_8));
    }

    private void send(String text) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        }
    }

    private HttpResponse<String> ask(String method, String path) throws Exception {
        return web.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                ofString());
    }

    @Test
    void the_page_shows_the_metrics_and_the_pid_file_is_deleted_at_the_end() throws Exception {
        try (Sink sink = new Sink()) {
            try (Proxy running = start(sink.address() + "\t1\n")) {
                send("a:1|c\nbad\n");
                await().atMost(SOON).until(() -> sink.received().equals("a:1|c\n"));

                await().atMost(SOON)
                        .untilAsserted(() -> assertThat(ask("GET", "/metrics").body())
                                .contains(
                                        "counters_proxy_up{server=\"" + sink.address() + "\"} 1.0\n",
                                        "counters_proxy_sent_total{server=\"" + sink.address() + "\"} 1.0\n",
                                        "counters_proxy_queued_bytes{server=\"" + sink.address() + "\"} 0.0\n",
                                        "counters_proxy_dropped_total{server=\"" + sink.address() + "\"} 0.0\n",
                                        "counters_proxy_reconnects_total{server=\"" + sink.address() + "\"} 0.0\n",
                                        "counters_proxy_rejected_total{reason=\"no_colon\"} 1.0\n"));
                assertThat(ask("GET", "/healthz").body()).isEqualTo("ok, 1 server up\n");
                assertThat(ask("GET", "/").statusCode()).isEqualTo(404);
                assertThat(ask("GET", "/reload").statusCode()).isEqualTo(405);
                assertThat(Files.readString(folder.resolve("pid")))
                        .isEqualTo(ProcessHandle.current().pid() + "\n");
                assertThat(running).isNotNull();
            }
            assertThat(folder.resolve("pid")).doesNotExist();
        }
    }

    @Test
    void text_after_the_last_line_break_of_a_connection_is_refused_and_counted_however_it_ends() throws Exception {
        try (Sink sink = new Sink();
                Proxy running = start(sink.address() + "\t1\n")) {
            send("a:1|c\norders:123456|c");
            try (Socket reset = new Socket(InetAddress.getLoopbackAddress(), port)) {
                reset.getOutputStream().write("b:1|c\norders:123456|c".getBytes(ISO_8859_1));
                await().atMost(SOON).until(() -> sink.received().contains("b:1|c\n"));
                reset.setSoLinger(true, 0);
            }

            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(ask("GET", "/metrics").body())
                            .contains("counters_proxy_rejected_total{reason=\"line_cut\"} 2.0\n"));
            assertThat(sink.received()).doesNotContain("orders");
            assertThat(running).isNotNull();
        }
    }

    @Test
    void joined_lines_are_counted_and_the_page_shows_refused_lines_by_sender() throws Exception {
        try (Sink sink = new Sink();
                Proxy running = start(sink.address() + "\t1\n")) {
            send("x:1|cb:1|c\nc:1|c\nbad\n");
            send("a:1|c".repeat(20_000));

            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(ask("GET", "/metrics").body())
                            .contains(
                                    "counters_proxy_rejected_total{reason=\"lines_joined\"} 2.0\n",
                                    "counters_proxy_joined_counts_total 20002.0\n",
                                    "counters_proxy_unended_bytes_total 100000.0\n",
                                    "counters_proxy_rejected_total{reason=\"no_colon\"} 1.0\n"));
            assertThat(ask("GET", "/api/rejected").body())
                    .contains("{\"reason\": \"lines_joined\", ", "\"line\": \"x:1|cb:1|c\"}", "\"line\": \"bad\"}")
                    .contains("{\"sender\": \"TCP from 127.0.0.1:");
            await().atMost(SOON).until(() -> sink.received().equals("c:1|c\n"));
            assertThat(running).isNotNull();
        }
    }

    @Test
    @Tag("slow")
    void a_changed_list_is_used_on_request_and_automatically_but_an_invalid_one_is_not() throws Exception {
        Path list = folder.resolve("servers.conf");
        try (Sink first = new Sink();
                Sink second = new Sink();
                Proxy running = start(first.address() + "\t1\n")) {
            Files.writeString(list, second.address() + "\t1\nbad\n");
            HttpResponse<String> refused = ask("POST", "/reload");
            assertThat(refused.statusCode()).isEqualTo(409);
            assertThat(refused.body()).contains("servers.conf line 2");
            send("a:1|c\n");
            await().atMost(SOON).until(() -> first.received().equals("a:1|c\n"));

            Files.writeString(list, second.address() + "\t1\n");
            assertThat(ask("POST", "/reload").statusCode()).isEqualTo(200);
            await().atMost(SOON).until(() -> second.connections() == 1);
            send("b:1|c\n");
            await().atMost(SOON).until(() -> second.received().equals("b:1|c\n"));

            Files.writeString(list, first.address() + "\t1\n");
            await().atMost(SOON).until(() -> first.connections() == 2);
            send("c:1|c\n");
            await().atMost(SOON).until(() -> first.received().equals("a:1|c\nc:1|c\n"));
            assertThat(second.received()).isEqualTo("b:1|c\n");
            assertThat(running).isNotNull();
        }
    }

    @Test
    void a_list_without_room_is_refused_with_the_reason_at_each_request() throws Exception {
        Path list = folder.resolve("servers.conf");
        StringBuilder many = new StringBuilder();
        for (int i = 1; i <= 20; i++) {
            many.append("127.0.0.1:").append(i).append("\t1\n");
        }
        try (Sink sink = new Sink();
                Proxy running = start(sink.address() + "\t1\n", "queue_bytes = 1m\n")) {
            Files.writeString(list, many);

            for (int i = 0; i < 2; i++) {
                HttpResponse<String> refused = ask("POST", "/reload");
                assertThat(refused.statusCode()).isEqualTo(409);
                assertThat(refused.body())
                        .contains("servers (20) is not used", "queue_bytes is 1048576", "restart the proxy");
            }
            Files.writeString(list, sink.address() + "\t2\n");
            assertThat(ask("POST", "/reload").statusCode()).isEqualTo(200);
            assertThat(running).isNotNull();
        }
    }

    @Test
    void a_web_page_of_another_site_cannot_reload_the_list() throws Exception {
        try (Sink sink = new Sink();
                Proxy running = start(sink.address() + "\t1\n")) {
            InetSocketAddress page = new InetSocketAddress(InetAddress.getLoopbackAddress(), httpPort);
            try (Browser browser = new Browser(page)) {
                assertThat(browser.ask("POST", "/reload", "Origin: http://evil.example")
                                .reply()
                                .status())
                        .isEqualTo(403);
                assertThat(browser.send("POST /reload HTTP/1.1\r\nHost: evil.example\r\n\r\n")
                                .reply()
                                .status())
                        .isEqualTo(421);
                assertThat(browser.ask("POST", "/reload").reply().status()).isEqualTo(200);
            }
            assertThat(running).isNotNull();
        }
    }

    @Test
    void incomplete_requests_do_not_block_the_page() throws Exception {
        List<Browser> halves = new ArrayList<>();
        try (Sink sink = new Sink();
                Proxy running = start(sink.address() + "\t1\n")) {
            InetSocketAddress page = new InetSocketAddress(InetAddress.getLoopbackAddress(), httpPort);
            for (int i = 0; i < 300; i++) {
                halves.add(new Browser(page).send("GET /metrics HTTP/1.1\r\nHost"));
            }

            assertThat(ask("GET", "/healthz").body()).isEqualTo("ok, 1 server up\n");
            assertThat(ask("GET", "/metrics").body()).contains("counters_http_connections ");
            assertThat(running).isNotNull();
        }
        for (Browser half : halves) {
            half.close();
        }
    }

    @Test
    void a_port_in_use_is_reported_with_the_remedy() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Path list = Files.writeString(folder.resolve("servers.conf"), "127.0.0.1:1\t1\n");
            Path ini = Files.writeString(
                    folder.resolve("proxy.conf"),
                    "[statsite]\nbind_address = 127.0.0.1\nudp_port = 0\nhttp_port = 0\nport = " + taken.getLocalPort()
                            + "\nservers = " + list + "\n");
            ProxyIni settings = ProxyIni.read(ini, 1L << 30);

            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(() -> new Proxy(
                                    settings,
                                    Supervisor.none(),
                                    new PrintStream(new ByteArrayOutputStream(), true, UTF_8))
                            .close())
                    .withMessageContaining("TCP port " + taken.getLocalPort())
                    .withMessageContaining("set another port");
        }
    }
}
