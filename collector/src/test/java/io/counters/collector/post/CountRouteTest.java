package io.counters.collector.post;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.http.Guard;
import io.counters.collector.http.HttpLimits;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Listening;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.wire.StatsdName;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lines by HTTP, with a real port and a ledger in memory. */
class CountRouteTest {
    private static final String KEY = "Idempotency-Key";
    private static final String STREAM = "nightly-6f1c0a9be2d34";

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final Ledger ledger = new Ledger(
            LedgerSettings.in(Path.of("unused")),
            false,
            () -> 0,
            () -> 0,
            new LedgerState(1, new SeededHash(new Random(1))),
            metrics);
    private final HttpClient web = HttpClient.newHttpClient();
    private volatile boolean keeps = true;

    /** Whether the lines are handed over once more while a request waits. */
    private volatile boolean repeats;

    private HttpPort port;

    @BeforeEach
    void open() throws Exception {
        CountRoute route = new CountRoute(
                1 << 19,
                250,
                () -> StatsdName.cleaning(List.of()),
                LineTarget.of(ledger),
                lines -> {
                    boolean isTaken = ledger.batch(lines);
                    return () -> {
                        if (repeats) {
                            ledger.batch(lines);
                        }
                        return isTaken ? keeps ? Kept.ALL : Kept.LATE : Kept.NO_ROOM;
                    };
                },
                said.log(),
                metrics);
        port = new HttpPort(
                Listening.programs(
                        InetAddress.getLoopbackAddress(),
                        0,
                        "the port",
                        "take another",
                        new HttpLimits(100, 0, 32, 1 << 18),
                        4,
                        Guard.NONE),
                List.of(route.route()),
                System::nanoTime,
                said.log(),
                metrics,
                work -> {
                    Thread thread = new Thread(work, "counters-otlp");
                    thread.setDaemon(true);
                    return thread;
                });
        port.start();
    }

    @AfterEach
    void close() {
        port.close();
    }

    private HttpResponse<String> post(String body, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port.address().getPort() + "/count"))
                .timeout(Duration.ofSeconds(30))
                .POST(HttpRequest.BodyPublishers.ofString(body));
        return web.send(
                (headers.length == 0 ? request : request.headers(headers)).build(),
                HttpResponse.BodyHandlers.ofString(UTF_8));
    }

    @Test
    void lines_count_as_those_of_a_datagram_do() throws Exception {
        HttpResponse<String> answer = post("increment orders 3\ndecrement open\nhits:2|c|#b:2,a:1\nhits:0.5|c\n");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.body()).isEqualTo("{\"counted\":4,\"rejected\":0,\"lines\":[]}\n");
        assertThat(ledger.value("orders")).isEqualTo(3);
        assertThat(ledger.value("open")).isEqualTo(-1);
        assertThat(ledger.value("hits,a=1,b=2")).isEqualTo(2);
        assertThat(ledger.value("hits")).isEqualTo(1);

        post("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement orders 3 3");
        post("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement orders 3 3");
        assertThat(ledger.value("orders")).isEqualTo(6);

        // The connection is still open.
        await().until(() -> port.bodyBytes() == 0);
    }

    @Test
    void lines_above_a_wrong_from_line_belong_to_the_stream() throws Exception {
        String body = "from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 1 5\nfrom x\nincrement a 1 9";

        post(body);

        assertThat(ledger.value("a")).as("its total, and an amount").isEqualTo(5 + 1);

        post(body);

        assertThat(ledger.value("a")).isEqualTo(5 + 2);
    }

    @Test
    void the_same_key_counts_once_and_another_one_again() throws Exception {
        String body = "increment orders 3\nincrement orders 4\norders:1:2|c\ndecrement open 2";

        for (int i = 0; i < 3; i++) {
            HttpResponse<String> answer = post(body, KEY, STREAM + "/1");
            assertThat(answer.statusCode()).isEqualTo(202);
            assertThat(answer.body()).startsWith("{\"counted\":4,");
        }
        assertThat(ledger.value("orders")).isEqualTo(10);
        assertThat(ledger.value("open")).isEqualTo(-2);

        post(body, KEY, "\"" + STREAM + "/2\"");
        post("increment orders", KEY, STREAM + "/3");
        assertThat(ledger.value("orders")).isEqualTo(21);
    }

    @Test
    void bad_lines_are_shown_with_their_rules_and_the_others_count() throws Exception {
        HttpResponse<String> answer = post("increment orders\nincrement a b c\nnonsense");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.body())
                .startsWith(
                        "{\"counted\":1,\"rejected\":2,\"lines\":[{\"line\":\"increment a b c\",\"rule\":\"an amount");
        assertThat(ledger.value("orders")).isEqualTo(1);
        assertThat(metrics.values().get("intake_rejected_lines_total{reason=\"unknown_verb\"}"))
                .isEqualTo(1);

        answer = post("nonsense");
        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).startsWith("{\"counted\":0,\"rejected\":1,");
    }

    @Test
    void with_a_key_only_whole_amounts_count() throws Exception {
        HttpResponse<String> answer = post(
                "from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 1 1\na:0.5|c\nincrement b 9007199254740992\nincrement b",
                KEY,
                STREAM + "/1");

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(answer.body()).startsWith("{\"counted\":1,\"rejected\":4,").contains(PostedLines.KEYED_RULE);
        assertThat(metrics.values()).containsEntry("post_rejected_keyed_lines_total", 4L);
        assertThat(ledger.value("a")).isZero();
        assertThat(ledger.value("b")).isEqualTo(1L << 53);
    }

    @ParameterizedTest
    @ValueSource(strings = {"short", "with a blank in the middle", "f\u00fcr-alle-die-es-brauchen/1"})
    void a_key_that_another_client_may_use_too_is_refused(String key) throws Exception {
        HttpResponse<String> answer = post("increment a", KEY, key);

        assertThat(answer.statusCode()).isEqualTo(400);
        assertThat(answer.body()).contains("the header Idempotency-Key is").contains("16 to 200");
        assertThat(ledger.value("a")).isZero();
    }

    @Test
    void lines_that_are_not_kept_are_to_be_sent_again_and_with_a_key_count_once() throws Exception {
        keeps = false;
        HttpResponse<String> answer = post("increment a", KEY, STREAM + "/1");
        keeps = true;
        post("increment a", KEY, STREAM + "/1");

        assertThat(answer.statusCode()).isEqualTo(429);
        assertThat(answer.headers().firstValue("Retry-After")).contains("5");
        assertThat(ledger.value("a")).isEqualTo(1);
        assertThat(said.lines()).hasSize(1).first().asString().contains("answered with 429");
    }

    @Test
    void a_request_that_waits_holds_no_lines() throws Exception {
        repeats = true;

        assertThat(post("increment a\nnonsense").body()).startsWith("{\"counted\":1,\"rejected\":1,");
        assertThat(ledger.value("a")).isEqualTo(1);
    }

    @Test
    void a_body_has_a_part_of_the_memory() throws Exception {
        CountRoute route = new CountRoute(
                1 << 22,
                250,
                () -> StatsdName.cleaning(List.of()),
                LineTarget.of(ledger),
                lines -> () -> Kept.ALL,
                said.log(),
                metrics);

        assertThat(route.route().bodyBytesMax()).isEqualTo(1 << 17);
    }

    @Test
    void a_body_without_lines_another_method_and_a_page_of_another_site_are_refused() throws Exception {
        assertThat(post("\n").statusCode()).isEqualTo(400);
        assertThat(post("increment a", "Origin", "http://shop.example").statusCode())
                .isEqualTo(403);
        assertThat(post("x".repeat(70_000)).statusCode()).isEqualTo(413);
        assertThat(web.send(
                                HttpRequest.newBuilder(URI.create("http://127.0.0.1:"
                                                + port.address().getPort() + "/count"))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString())
                        .statusCode())
                .isEqualTo(405);
        assertThat(ledger.size()).isZero();
        assertThat(port.bodyBytes()).isZero();
    }

    @Test
    void a_request_may_name_any_host() throws Exception {
        try (Socket client =
                new Socket(InetAddress.getLoopbackAddress(), port.address().getPort())) {
            client.getOutputStream()
                    .write("POST /count HTTP/1.1\r\nHost: counters.example\r\nContent-Length: 11\r\n\r\nincrement a"
                            .getBytes(UTF_8));

            assertThat(new String(client.getInputStream().readNBytes(12), UTF_8))
                    .isEqualTo("HTTP/1.1 202");
        }
    }

    @Test
    void bodies_that_arrive_have_a_bound_together() throws Exception {
        byte[] begun = ("POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + "\n".repeat(59_000))
                .getBytes(UTF_8);
        try (Socket one = new Socket(
                        InetAddress.getLoopbackAddress(), port.address().getPort());
                Socket two = new Socket(
                        InetAddress.getLoopbackAddress(), port.address().getPort())) {
            one.getOutputStream().write(begun);
            two.getOutputStream().write(begun);
            await().until(() -> port.bodyBytes() == 118_000);

            assertThat(post("increment a\n" + "\n".repeat(20_000)).statusCode()).isEqualTo(429);
        }
        await().until(() -> port.bodyBytes() == 0);
        assertThat(post("increment a\n" + "\n".repeat(20_000)).statusCode()).isEqualTo(202);
        assertThat(ledger.value("a")).isEqualTo(1);
    }
}
