package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Certificate;
import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.access.Token;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.http.Browser.Reply;
import io.counters.collector.http.Route.Work;
import io.counters.testsupport.Identity;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom a port answers, with real sockets. */
@Timeout(180)
class GuardTest {
    private static final String TOKEN = "0123456789abcdef0123456789abcdef";
    private static final String BEARER = "Authorization: Bearer " + TOKEN;

    @TempDir
    Path folder;

    private final AtomicLong nanos = new AtomicLong();
    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final AtomicInteger changes = new AtomicInteger();
    private final Listeners listeners = new Listeners();
    private final AtomicInteger events = new AtomicInteger();
    private final List<AutoCloseable> opened = new ArrayList<>();

    private HttpPort open(Listening at) throws IOException {
        HttpPort port = new HttpPort(
                at,
                List.of(
                        Route.get("/value", Work.SOME, request -> Response.plain(200, "7\n")),
                        Route.get(
                                "/healthz", Work.NONE, request -> Response.plain(503, "the store 10.0.0.9 is down\n")),
                        Route.get("/readyz", Work.NONE, request -> Response.plain(200, "ok, 3 servers up\n")),
                        Route.get(
                                "/events",
                                Work.NONE,
                                request -> Response.events(listeners, out -> {
                                    out.append("data: ").append(events.get()).append("\n\n");
                                    return false;
                                })),
                        Route.post("/change", 100_000, Work.SOME, request -> {
                            changes.incrementAndGet();
                            return Response.plain(200, "changed\n");
                        })),
                nanos::get,
                said.log(),
                metrics,
                work -> {
                    Thread thread = new Thread(work, "counters-http");
                    thread.setDaemon(true);
                    return thread;
                });
        opened.add(port);
        port.start();
        return port;
    }

    private HttpPort page(String bind, Guard guard) throws IOException {
        return open(Listening.page(InetAddress.getByName(bind), 0, "none is", HttpLimits.PAGE, guard));
    }

    private static Guard guard(Optional<Token> token, Optional<Certificate> certificate) {
        return new Guard(Set.of("counters.example"), token, certificate, Optional.empty());
    }

    private static Guard withToken() {
        return guard(Optional.of(Token.of(TOKEN)), Optional.empty());
    }

    private static InetSocketAddress near(HttpPort port) {
        return new InetSocketAddress(
                InetAddress.getLoopbackAddress(), port.address().getPort());
    }

    private Browser browser(HttpPort port) throws IOException {
        Browser browser = new Browser(near(port));
        opened.add(browser);
        return browser;
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    // The token

    @Test
    void with_a_token_nothing_is_answered_without_it_and_a_browser_is_asked_for_it() throws Exception {
        HttpPort port = page("127.0.0.1", withToken());

        for (String asked : List.of("GET /value", "HEAD /value", "GET /nothing", "POST /change", "GET /events")) {
            String[] words = asked.split(" ", 2);
            Reply refused = browser(port).ask(words[0], words[1]).reply(!words[0].equals("HEAD"));
            assertThat(refused.status()).as(asked).isEqualTo(401);
            assertThat(refused.headers())
                    .containsEntry("www-authenticate", "Basic realm=\"counters\", charset=\"UTF-8\"");
        }
        assertThat(changes).hasValue(0);
        assertThat(said.lines()).isEmpty();
        assertThat(counted("http_refused_total{reason=\"token\"}")).isEqualTo(5);

        String basic =
                "Authorization: Basic " + Base64.getEncoder().encodeToString(("me:" + TOKEN).getBytes(ISO_8859_1));
        for (String header : List.of(BEARER, basic)) {
            assertThat(browser(port).ask("GET", "/value", header).reply().body())
                    .isEqualTo("7\n");
        }
        assertThat(browser(port).ask("GET", "/value", BEARER + "x").reply().status())
                .isEqualTo(401);
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("a wrong token", "127.0.0.1")
                .doesNotContain(TOKEN);
    }

    @Test
    void a_stranger_learns_whether_the_program_is_well_and_nothing_else() throws Exception {
        HttpPort port = page("127.0.0.1", withToken());

        Reply down = browser(port).ask("GET", "/healthz").reply();
        assertThat(down.status()).isEqualTo(503);
        assertThat(down.body()).isEqualTo("not ok; a request with the token gets the reasons\n");
        Reply ready = browser(port).ask("GET", "/readyz").reply();
        assertThat(ready.status()).isEqualTo(200);
        assertThat(ready.body()).isEqualTo("ok\n");
        assertThat(browser(port).ask("POST", "/readyz").reply().status()).isEqualTo(401);

        assertThat(browser(port).ask("GET", "/healthz", BEARER).reply().body()).contains("10.0.0.9");
    }

    @Test
    void the_body_of_a_stranger_takes_no_memory() throws Exception {
        HttpPort port = page("127.0.0.1", withToken());
        String head = "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n";

        Browser stranger = browser(port).send(head + "\r\n" + "x".repeat(50_000));
        assertThat(stranger.reply().status()).isEqualTo(401);
        assertThat(port.bodyBytes()).isZero();

        Browser known = browser(port).send(head + BEARER + "\r\n\r\n" + "x".repeat(50_000));
        await().until(() -> port.bodyBytes() == 50_000);
        known.send("x".repeat(50_000));
        assertThat(known.reply().status()).isEqualTo(200);
        await().until(() -> port.bodyBytes() == 0);
    }

    // Host and Origin

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, localhost, 200",
        "127.0.0.1, counters.example, 200",
        "127.0.0.1, COUNTERS.example.:8443, 200",
        "127.0.0.1, 10.0.0.1:11213, 421",
        "127.0.0.1, other.example, 421",
        "127.0.0.1, x.counters.example, 421",
        "0.0.0.0, localhost:8080, 200",
        "0.0.0.0, 10.0.0.1:11213, 200",
        "0.0.0.0, [2001:db8::1], 200",
        "0.0.0.0, counters.example, 200",
        "0.0.0.0, other.example, 421",
        "0.0.0.0, 10.0.0.1.example, 421",
        "0.0.0.0, counters.example.evil.example, 421",
        "0.0.0.0, 10.0.0.256, 421",
        "0.0.0.0, counters.example@evil.example, 421",
    })
    void a_host_is_taken_if_it_names_this_port(String bind, String host, int status) throws Exception {
        HttpPort port = page(bind, withToken());

        Reply reply = browser(port)
                .send("GET /value HTTP/1.1\r\nHost: " + host + "\r\n" + BEARER + "\r\n\r\n")
                .reply();

        assertThat(reply.status()).isEqualTo(status);
        assertThat(counted("http_refused_total{reason=\"host\"}")).isEqualTo(status == 421 ? 1 : 0);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, localhost:PORT, http://localhost:PORT, 200",
        "127.0.0.1, localhost:8080, http://localhost:8080, 200",
        "127.0.0.1, localhost:8080, http://localhost:8081, 403",
        "127.0.0.1, counters.example, https://counters.example, 200",
        "127.0.0.1, counters.example, http://counters.example, 200",
        "127.0.0.1, counters.example, https://localhost, 403",
        "127.0.0.1, localhost:PORT, https://counters.example, 403",
        "127.0.0.1, counters.example:81, http://counters.example:82, 403",
        "0.0.0.0, 10.0.0.1:PORT, http://10.0.0.1:PORT, 200",
        "0.0.0.0, 10.0.0.1:PORT, http://10.0.0.2:PORT, 403",
        "0.0.0.0, 10.0.0.1:PORT, https://10.0.0.1:PORT, 403",
        "0.0.0.0, 10.0.0.1:PORT, null, 403",
        "0.0.0.0, localhost:PORT, http://localhost:PORT, 200",
        "127.0.0.1, localhost:PORT, http://127.0.0.1:PORT, 200",
        "0.0.0.0, 10.0.0.1:PORT, http://localhost:PORT, 403",
        "0.0.0.0, counters.example:PORT, http://localhost:PORT, 403",
    })
    void a_change_is_taken_from_a_page_of_the_same_host_only(String bind, String host, String origin, int status)
            throws Exception {
        HttpPort port = page(bind, withToken());
        String number = Integer.toString(port.address().getPort());

        Reply reply = browser(port)
                .send("POST /change HTTP/1.1\r\nHost: " + host.replace("PORT", number)
                        + "\r\nContent-Length: 0\r\nOrigin: " + origin.replace("PORT", number) + "\r\n" + BEARER
                        + "\r\n\r\n")
                .reply();

        assertThat(reply.status()).isEqualTo(status);
        assertThat(changes).hasValue(status == 200 ? 1 : 0);
    }

    @Test
    void a_port_for_programs_takes_any_host_but_no_web_page() throws Exception {
        for (String bind : List.of("127.0.0.1", "0.0.0.0")) {
            HttpPort port = open(Listening.programs(
                    InetAddress.getByName(bind),
                    0,
                    "the port",
                    "none is",
                    new HttpLimits(10, 0, 32, 1 << 20),
                    1,
                    withToken()));
            String head = "POST /change HTTP/1.1\r\nContent-Length: 0\r\n" + BEARER + "\r\n";
            String rebound = head + "Host: evil.example\r\n";

            assertThat(browser(port).send(rebound + "\r\n").reply().status())
                    .as(bind)
                    .isEqualTo(200);
            changes.set(0);
            assertThat(browser(port)
                            .send(rebound + "Origin: http://evil.example\r\n\r\n")
                            .reply()
                            .status())
                    .isEqualTo(403);
            assertThat(changes).hasValue(0);
            assertThat(browser(port).send(head + "\r\n").reply().status()).isEqualTo(200);
        }
    }

    // Headers of every answer

    @ParameterizedTest
    @ValueSource(
            strings = {"GET /value", "GET /nothing", "GET /healthz", "POST /change", "DELETE /value", "HEAD /value"})
    void every_answer_tells_the_browser_to_trust_it_little(String asked) throws Exception {
        HttpPort port = page("127.0.0.1", Guard.NONE);
        String[] words = asked.split(" ", 2);

        Map<String, String> headers = browser(port)
                .ask(words[0], words[1])
                .reply(!words[0].equals("HEAD"))
                .headers();

        assertThat(headers)
                .containsEntry("x-content-type-options", "nosniff")
                .containsEntry("referrer-policy", "no-referrer")
                .containsEntry("cross-origin-resource-policy", "same-origin")
                .containsEntry(
                        "content-security-policy",
                        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
                .doesNotContainKey("access-control-allow-origin");
    }

    // TLS

    private static Certificate in(Path where, Identity identity, String clientCa) throws Exception {
        identity.write(where);
        return Certificate.of(
                where.resolve("cert.pem").toString(), where.resolve("key.pem").toString(), clientCa);
    }

    private HttpClient client(Identity server, Identity... own) throws Exception {
        return HttpClient.newBuilder().sslContext(server.client(own)).build();
    }

    private static HttpResponse<String> ask(HttpClient client, HttpPort port, String path, String... headers)
            throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                URI.create("https://localhost:" + port.address().getPort() + path));
        return client.send(
                (headers.length == 0 ? request : request.headers(headers)).build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @Test
    @Tag("slow")
    void with_a_certificate_it_speaks_tls_and_a_new_certificate_cuts_no_connection() throws Exception {
        Identity one = Identity.of("one");
        Identity two = Identity.of("two");
        Certificate certificate = in(folder, one, "");
        HttpPort port = page("127.0.0.1", guard(Optional.empty(), Optional.of(certificate)));
        HttpClient before = client(one);
        assertThat(ask(before, port, "/value").body()).isEqualTo("7\n");
        assertThat(before.send(
                                HttpRequest.newBuilder(URI.create("https://localhost:"
                                                + port.address().getPort() + "/change"))
                                        .POST(HttpRequest.BodyPublishers.ofString("x".repeat(90_000)))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .body())
                .isEqualTo("changed\n");
        try (SSLSocket open = (SSLSocket) one.client()
                .getSocketFactory()
                .createSocket("localhost", port.address().getPort())) {
            open.getOutputStream().write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(ISO_8859_1));
            BufferedReader in = new BufferedReader(new InputStreamReader(open.getInputStream(), ISO_8859_1));
            awaitLine(in, "data: 0");

            two.write(folder);
            certificate.look(Instant::now, said.log());

            assertThat(ask(client(two), port, "/value").body()).isEqualTo("7\n");
            assertThatExceptionOfType(SSLException.class).isThrownBy(() -> ask(client(one), port, "/value"));
            events.set(1);
            listeners.wake();
            awaitLine(in, "data: 1");
        }
        assertThat(ask(before, port, "/value").body())
                .as("on its old connection")
                .isEqualTo("7\n");
        assertThat(counted("http_errors_total")).isZero();
    }

    private static void awaitLine(BufferedReader in, String wanted) throws IOException {
        for (String line = in.readLine(); ; line = in.readLine()) {
            if (line == null) {
                throw new IOException("closed before " + wanted);
            }
            if (line.equals(wanted)) {
                return;
            }
        }
    }

    @Test
    @Tag("slow")
    void a_client_certificate_of_a_known_authority_is_as_good_as_the_token() throws Exception {
        Identity server = Identity.of("one");
        Identity known = Identity.of("known");
        Identity stranger = Identity.of("known#other");
        String ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem())
                .toString();
        HttpPort port = page("0.0.0.0", guard(Optional.of(Token.of(TOKEN)), Optional.of(in(folder, server, ca))));

        assertThat(ask(client(server, known), port, "/value").body()).isEqualTo("7\n");
        assertThat(ask(client(server), port, "/value").statusCode()).isEqualTo(401);
        assertThat(ask(client(server), port, "/readyz").body()).isEqualTo("ok\n");
        assertThat(ask(client(server), port, "/value", "Authorization", "Bearer " + TOKEN)
                        .body())
                .isEqualTo("7\n");
        assertThat(counted("http_failed_handshakes_total")).isZero();
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> ask(client(server, stranger), port, "/value"));
        await().until(() -> counted("http_failed_handshakes_total") > 0);
        assertThat(said.lines()).anySatisfy(line -> assertThat(line).contains("the handshake of 127.0.0.1 failed"));
    }

    @Test
    @Tag("slow")
    void a_client_that_does_not_speak_tls_or_stops_in_the_handshake_is_ended_and_keeps_nobody_out() throws Exception {
        Identity server = Identity.of("one");
        HttpPort port = open(Listening.page(
                InetAddress.getLoopbackAddress(),
                0,
                "none is",
                new HttpLimits(20, 1, 32, 1 << 20),
                guard(Optional.empty(), Optional.of(in(folder, server, "")))));
        SSLContext context = server.client();

        assertThat(browser(port).ask("GET", "/value").rest()).doesNotContain("200");
        await().until(() -> counted("http_failed_handshakes_total") == 1);

        // A probe that only connects holds nothing until the handshake's time is over.
        try (Socket probe = new Socket()) {
            probe.connect(near(port));
            probe.setSoTimeout(50_000);
            probe.shutdownOutput();
            assertThat(probe.getInputStream().read()).isNegative();
        }

        // As many as there may be connections, and more.
        List<Browser> half = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            half.add(browser(port).send("\u0016\u0003\u0001\u0002\u0000\u0001"));
        }
        await().until(() -> counted("http_ended_handshakes_total") == 10);
        assertThat(counted("http_handshakes")).isEqualTo(20);
        assertThat(counted("http_ended_connections_total")).isZero();
        assertThat(ask(HttpClient.newBuilder().sslContext(context).build(), port, "/value")
                        .body())
                .isEqualTo("7\n");

        nanos.addAndGet(TimeUnit.SECONDS.toNanos(11));
        for (Browser stopped : half) {
            stopped.rest();
        }
        assertThat(counted("http_timeouts_total")).isBetween(1L, 20L);
        assertThat(counted("http_handshakes")).isZero();
        assertThat(said.lines())
                .contains(
                        "WARN all 20 TLS handshakes of the page are in use, most by 127.0.0.1 (20): the one of 127.0.0.1,"
                                + " which began first, was ended for a new one")
                .contains("WARN the page closed the connection of 127.0.0.1, because its client is too slow: it did not"
                        + " complete its TLS handshake in time");
    }

    private SSLSocket connected(SSLContext context, HttpPort port) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(near(port).getAddress(), near(port).getPort());
        opened.add(socket);
        socket.setSoTimeout(50_000);
        socket.startHandshake();
        return socket;
    }

    @Test
    @Tag("slow")
    void a_client_that_has_only_shaken_hands_or_sends_records_without_data_is_idle_and_not_slow() throws Exception {
        Identity server = Identity.of("one");
        HttpPort port = page("127.0.0.1", guard(Optional.empty(), Optional.of(in(folder, server, ""))));
        SSLContext context = server.client();
        SSLSocket early = connected(context, port);
        SSLSocket kept = connected(context, port);
        kept.getOutputStream().write("GET /value HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(ISO_8859_1));
        BufferedReader answers = new BufferedReader(new InputStreamReader(kept.getInputStream(), ISO_8859_1));
        awaitLine(answers, "7");
        // By TLS 1.3 it asks for a new key, in a record of its own.
        kept.startHandshake();
        SSLSocket slow = connected(context, port);
        slow.getOutputStream().write("GET /val".getBytes(ISO_8859_1));
        await().until(() -> counted("http_connections") == 3);

        // Both that are idle are looked at when the slow one is, and it is answered because of that.
        await().until(() -> {
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(3));
            return counted("http_timeouts_total") > 0;
        });
        awaitLine(
                new BufferedReader(new InputStreamReader(slow.getInputStream(), ISO_8859_1)),
                "HTTP/1.1 408 Request Timeout");
        assertThat(said.lines()).singleElement().asString().contains("it sent only a part of its request");

        nanos.addAndGet(TimeUnit.SECONDS.toNanos(30));
        assertThat(early.getInputStream().read()).isNegative();
        assertThat(answers.readLine()).isNull();
        assertThat(counted("http_timeouts_total")).isEqualTo(1);
        assertThat(said.lines()).hasSize(1);
    }

    // Senders

    @Test
    void connections_of_senders_that_are_not_listed_are_closed_at_once() throws Exception {
        Guard guard = Guard.NONE.with(new Gate(
                Port.OTLP,
                Objects.requireNonNull(AccessSettings.allowed("10.0.0.0/8").get(Port.OTLP)),
                said.log(),
                metrics));
        HttpPort port = page("127.0.0.1", guard);

        Browser refused = browser(port);
        assertThat(refused.rest()).isEmpty();

        assertThat(counted("refused_senders_total{port=\"otlp\"}")).isEqualTo(1);
        assertThat(said.lines()).singleElement().asString().contains("OTLP from 127.0.0.1 is refused");
    }
}
