package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.http.Browser.Reply;
import io.counters.collector.http.Route.Work;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(180)
@Tag("slow")
class HttpPortTest {
    private static final String HUGE = "0123456789abcdef".repeat(64);
    private static final int HUGE_LINES = 5000;

    /** Advances by 1 with each reading, so that no two events have the same time. */
    private final AtomicLong nanos = new AtomicLong();

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final List<Throwable> deaths = new CopyOnWriteArrayList<>();
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Semaphore slow = new Semaphore(0);
    private final AtomicInteger slowBegun = new AtomicInteger();
    private final AtomicLong endless = new AtomicLong();
    private final AtomicInteger changes = new AtomicInteger();
    private volatile Supplier<Response> fails = () -> Response.plain(200, "fine\n");
    private HttpPort port;

    @BeforeEach
    void open() throws IOException {
        port = port(0);
        port.start();
    }

    private HttpPort port(int number) throws IOException {
        return new HttpPort(
                number,
                "take another",
                List.of(
                        Route.get("/quick", Work.NONE, request -> Response.plain(200, "quick\n")),
                        Route.get("/some", Work.SOME, request -> Response.plain(200, "some\n")),
                        Route.get("/slow", Work.SOME, this::slow),
                        Route.get("/slow-much", Work.MUCH, this::slow),
                        Route.get("/disk", Work.DISK, request -> Response.plain(200, "disk\n")),
                        Route.get("/slow-disk", Work.DISK, this::slow),
                        Route.delete("/slow-change", Work.DISK, this::slow),
                        Route.get("/huge", Work.MUCH, HttpPortTest::huge),
                        Route.get("/endless", Work.NONE, this::endless),
                        Route.get("/endless-much", Work.MUCH, this::endless),
                        Route.get("/fails-none", Work.NONE, request -> fails.get()),
                        Route.get("/fails-some", Work.SOME, request -> fails.get()),
                        Route.get("/fails-much", Work.MUCH, request -> fails.get()),
                        Route.get("/fails-disk", Work.DISK, request -> fails.get()),
                        Route.metrics(metrics),
                        Route.post(
                                "/change",
                                Work.SOME,
                                request -> Response.plain(200, changes.incrementAndGet() + "\n"))),
                nanos::incrementAndGet,
                said.log(),
                metrics,
                work -> {
                    Thread thread = new Thread(work, "counters-http");
                    thread.setDaemon(true);
                    thread.setUncaughtExceptionHandler((dead, fault) -> deaths.add(fault));
                    return thread;
                });
    }

    private Response slow(Request request) {
        slowBegun.incrementAndGet();
        slow.acquireUninterruptibly();
        return Response.plain(200, "slow\n");
    }

    private static Response huge(Request request) {
        AtomicInteger lines = new AtomicInteger();
        return new Response(200, Response.PLAIN, out -> {
            out.append(HUGE);
            return lines.incrementAndGet() < HUGE_LINES;
        });
    }

    private Response endless(Request request) {
        return new Response(200, Response.PLAIN, out -> {
            out.append(HUGE);
            endless.addAndGet(HUGE.length());
            return true;
        });
    }

    @AfterEach
    void close() throws Exception {
        slow.release(1000);
        for (AutoCloseable browser : opened) {
            browser.close();
        }
        port.close();
        assertThat(deaths).isEmpty();
    }

    private Browser browser() throws IOException {
        Browser browser = new Browser(port.address());
        opened.add(browser);
        return browser;
    }

    private List<Browser> browsers(int count) throws IOException {
        List<Browser> browsers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            browsers.add(browser());
        }
        return browsers;
    }

    /** A client that reads almost nothing of the answer to its request. */
    private Browser reluctant(String path) throws IOException {
        Browser browser = new Browser(port.address(), 4096);
        opened.add(browser);
        return browser.ask("GET", path);
    }

    private Reply ask(String method, String path, String... headers) throws IOException {
        try (Browser browser = new Browser(port.address())) {
            return browser.ask(method, path, headers).reply(!method.equals("HEAD"));
        }
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    private void seconds(long more) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(more));
    }

    /** Waits until the event loop has done its pending work. */
    private void settle() throws Exception {
        for (int i = 0; i < 3; i++) {
            port.loop.submit(() -> {}).get();
        }
    }

    private void awaitConnections(long count) {
        await().until(() -> counted("http_connections") == count);
    }

    // Routes

    @Test
    void answers_have_their_headers_and_connections_are_kept() throws IOException {
        Browser browser = browser();

        for (String path : List.of("/quick", "/some", "/quick?with=query")) {
            Reply reply = browser.ask("GET", path).reply();

            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.headers())
                    .containsEntry("content-type", "text/plain; charset=utf-8")
                    .containsEntry("cache-control", "no-store")
                    .containsEntry("x-content-type-options", "nosniff")
                    .containsEntry("content-length", "" + reply.body().length())
                    .doesNotContainKey("connection");
        }
        assertThat(counted("http_requests_total")).isEqualTo(3);
    }

    @Test
    void an_unknown_path_is_404_and_a_method_that_a_path_does_not_accept_is_405() throws IOException {
        assertThat(ask("GET", "/none"))
                .matches(reply -> reply.status() == 404)
                .extracting(Reply::body)
                .isEqualTo("this path does not exist; use /quick, /some, /slow, /slow-much, /disk, /slow-disk,"
                        + " DELETE /slow-change, /huge, /endless, /endless-much, /fails-none,"
                        + " /fails-some, /fails-much, /fails-disk, /metrics and POST /change\n");
        for (String method : List.of("POST", "PUT", "DELETE", "OPTIONS", "BREW")) {
            Reply refused = ask(method, "/quick");
            assertThat(refused.status()).isEqualTo(405);
            assertThat(refused.headers()).containsEntry("allow", "GET, HEAD");
        }
        for (String method : List.of("GET", "PUT")) {
            Reply refused = ask(method, "/change");
            assertThat(refused.status()).isEqualTo(405);
            assertThat(refused.headers()).containsEntry("allow", "POST");
        }
        assertThat(changes).hasValue(0);
    }

    @Test
    void head_has_headers_and_no_body() throws IOException {
        Browser browser = browser();

        for (String path : List.of("/quick", "/huge", "/none", "/some")) {
            assertThat(browser.ask("HEAD", path).reply(false).status()).isEqualTo(path.equals("/none") ? 404 : 200);
        }
        assertThat(browser.ask("GET", "/quick").reply().body()).isEqualTo("quick\n");
    }

    @Test
    void a_huge_answer_arrives_unchanged_and_the_connection_is_kept() throws IOException {
        Browser browser = browser();

        for (int i = 0; i < 3; i++) {
            Reply reply = browser.ask("GET", "/huge").reply();

            assertThat(reply.headers()).containsEntry("transfer-encoding", "chunked");
            assertThat(reply.body().equals(HUGE.repeat(HUGE_LINES))).isTrue();
        }
    }

    @Test
    void a_huge_answer_to_http_1_0_ends_with_the_connection() throws IOException {
        Reply reply = browser().send("GET /huge HTTP/1.0\r\n\r\n").reply();

        assertThat(reply.headers())
                .containsEntry("connection", "close")
                .doesNotContainKeys("transfer-encoding", "content-length");
        assertThat(reply.body().equals(HUGE.repeat(HUGE_LINES))).isTrue();
    }

    @Test
    void pipelined_requests_are_answered_in_their_order() throws IOException {
        Browser browser = browser();
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            many.append("GET /").append(i % 3 == 0 ? "some" : "quick").append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }

        browser.send(many.toString());

        for (int i = 0; i < 300; i++) {
            assertThat(browser.reply().body()).isEqualTo(i % 3 == 0 ? "some\n" : "quick\n");
        }
    }

    @Test
    void a_client_that_closes_its_output_still_gets_its_answer() throws IOException {
        for (String path : List.of("/quick", "/some", "/huge")) {
            Browser browser = browser();
            browser.ask("GET", path).half();

            assertThat(browser.reply().status()).isEqualTo(200);
            assertThat(browser.rest()).isEmpty();
        }
        awaitConnections(0);
    }

    @Test
    void a_request_may_arrive_byte_by_byte() throws Exception {
        Browser browser = browser();

        for (char letter : "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc".toCharArray()) {
            browser.send("" + letter);
            settle();
        }

        assertThat(browser.reply().body()).isEqualTo("1\n");
    }

    // Clients that are slow, many, or wrong

    @Test
    void hundreds_of_incomplete_requests_do_not_delay_other_clients() throws Exception {
        for (int round = 0; round < 3; round++) {
            for (Browser browser : browsers(200)) {
                browser.send("GET /some HTTP/1.1\r\nHost: loc");
            }
            for (String path : List.of("/quick", "/some", "/huge", "/metrics")) {
                assertThat(ask("GET", path).status()).isEqualTo(200);
            }
        }

        assertThat(counted("http_connections")).isLessThanOrEqualTo(HttpLimits.PAGE.connections());
        assertThat(counted("http_ended_connections_total")).isGreaterThanOrEqualTo(400);
        assertThat(counted("http_refused_connections_total")).isZero();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "G",
                "GET / HTTP/1.1\r\nHost: localhost\r\n",
                "POST /change HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"
            })
    @Tag("slow")
    void a_request_that_is_not_complete_after_5_seconds_is_408(String half) throws Exception {
        Browser browser = browser().send(half);
        awaitConnections(1);
        settle();
        await().until(() -> {
            // Until the bytes have arrived the connection is idle, and the limit is 30 s.
            seconds(1);
            browser.send(half.endsWith("half") ? "" : " ");
            settle();
            return counted("http_timeouts_total") == 1;
        });

        assertThat(browser.reply().status()).isEqualTo(408);
        assertThat(nanos.get())
                .as("more bytes do not give it more time")
                .isBetween(TimeUnit.SECONDS.toNanos(5), TimeUnit.SECONDS.toNanos(28));
        assertThat(changes).hasValue(0);
        assertThat(said.lines())
                .containsExactly(
                        "WARN the page closed the connection of 127.0.0.1, because its client is too slow: it sent"
                                + " only a part of its request in time");
    }

    @Test
    void on_an_open_port_a_slow_body_may_take_30_seconds_while_it_makes_progress() throws Exception {
        try (HttpPort open = new HttpPort(
                Listening.programs(
                        InetAddress.getLoopbackAddress(),
                        0,
                        "the port",
                        "take another",
                        new HttpLimits(10, 0, 32, 1_000),
                        1,
                        Guard.NONE),
                List.of(Route.post("/post", 100, Work.SOME, request -> Response.plain(200, "posted\n"))),
                nanos::incrementAndGet,
                said.log(),
                metrics,
                Thread::new)) {
            open.start();
            String head = "POST /post HTTP/1.1\r\nContent-Length: 30\r\n\r\n";
            Browser slow = new Browser(open.address()).send(head);
            Browser silent = new Browser(open.address()).send(head + "x");
            opened.addAll(List.of(slow, silent));
            await().until(() -> open.bodyBytes() == 1);
            for (int i = 0; i < 13; i++) {
                int sent = i + 1;
                slow.send("x");
                await().until(() -> open.bodyBytes() >= sent);
                seconds(2);
            }
            // Both have been looked at: the one without progress was given up.
            assertThat(silent.reply().status()).isEqualTo(408);
            assertThat(counted("http_timeouts_total")).isEqualTo(1);
            slow.send("x".repeat(17));
            assertThat(slow.reply().status()).isEqualTo(200);

            Browser endless = new Browser(open.address()).send(head.replace("30", "100"));
            opened.add(endless);
            await().until(() -> {
                seconds(1);
                endless.send(counted("http_timeouts_total") == 1 ? "x" : "");
                return counted("http_timeouts_total") == 2;
            });
            assertThat(endless.reply().status()).isEqualTo(408);
        }
    }

    @Test
    void a_change_whose_body_is_cut_off_is_not_executed() throws Exception {
        for (int i = 0; i < 2; i++) {
            Browser browser =
                    browser().send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf");
            awaitConnections(1);
            if (i == 0) {
                browser.half().rest();
            } else {
                browser.close();
            }
            awaitConnections(0);
        }

        assertThat(changes).hasValue(0);
    }

    @Test
    void a_connection_without_a_request_for_30_seconds_is_closed() throws Exception {
        Browser never = browser();
        Browser once = browser();
        assertThat(once.ask("GET", "/quick").reply().status()).isEqualTo(200);
        awaitConnections(2);
        seconds(29);
        assertThat(ask("GET", "/quick").status()).isEqualTo(200);
        assertThat(counted("http_connections")).isGreaterThanOrEqualTo(2);

        seconds(1);

        assertThat(never.rest()).isEmpty();
        assertThat(once.rest()).isEmpty();
        assertThat(counted("http_timeouts_total")).isZero();
    }

    @Test
    void a_client_that_stops_reading_stops_the_writer_and_is_closed_after_10_seconds() throws Exception {
        for (int i = 0; i < 20; i++) {
            reluctant("/endless");
        }
        AtomicLong before = new AtomicLong(-1);
        await().until(() -> {
            settle();
            return counted("http_requests_total") == 20 && before.getAndSet(endless.get()) == endless.get();
        });

        assertThat(endless.get() / 20).isLessThan(700_000);
        assertThat(ask("GET", "/huge").body().length()).isEqualTo(HUGE.length() * HUGE_LINES);
        awaitConnections(20);
        seconds(10);
        awaitConnections(0);
        assertThat(counted("http_timeouts_total")).isEqualTo(20);
        // Once for all of them.
        assertThat(said.lines())
                .containsExactly(
                        "WARN the page closed the connection of 127.0.0.1, because its client is too slow: it did"
                                + " not read its answer in time");
    }

    @Test
    void an_answer_that_is_read_very_slowly_is_ended_after_a_minute() throws Exception {
        Browser browser = browser().ask("GET", "/endless");

        for (int i = 0; i < 60; i++) {
            assertThat(counted("http_timeouts_total")).isZero();
            browser.skip(1024 * 1024);
            seconds(1);
        }
        await().until(() -> counted("http_timeouts_total") == 1);

        awaitConnections(0);
    }

    @Test
    void large_answers_that_are_not_read_are_ended_for_waiting_requests() throws Exception {
        reluctant("/endless-much");
        reluctant("/endless-much");
        await().until(() -> counted("http_requests_total") == 2);
        Browser waits = browser().ask("GET", "/huge");
        await().until(() -> counted("http_requests_total") == 3);
        assertThat(ask("GET", "/some").status()).isEqualTo(200);
        assertThat(ask("GET", "/metrics").status()).isEqualTo(200);
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(5));
        Browser later = browser().ask("GET", "/huge");
        await().until(() -> counted("http_requests_total") == 6);

        seconds(5);

        assertThat(waits.reply().status()).isIn(200, 503);
        assertThat(later.reply().body()).hasSize(HUGE.length() * HUGE_LINES);
    }

    @ParameterizedTest
    @CsvSource({"/slow, /huge, /disk", "/slow-much, /some, /disk", "/slow-disk, /some, /huge"})
    void workers_that_hang_delay_only_requests_of_their_kind(String path, String other, String another)
            throws Exception {
        List<Browser> waiting = new ArrayList<>();
        for (int i = 0; i < Listening.PAGE_ANSWERS_AT_ONCE + HttpLimits.PAGE.waiting(); i++) {
            waiting.add(browser().ask("GET", path));
        }
        await().until(() -> counted("http_requests_total") == waiting.size());

        Reply busy = ask("GET", path);
        assertThat(busy.status()).isEqualTo(503);
        assertThat(busy.headers()).containsEntry("retry-after", "5");
        assertThat(counted("http_refused_total{reason=\"busy\"}")).isEqualTo(1);
        for (String unaffected : List.of("/quick", other, another)) {
            assertThat(ask("GET", unaffected).status()).as(unaffected).isEqualTo(200);
        }

        seconds(10);
        for (Browser browser : waiting) {
            assertThat(browser.reply().status()).isEqualTo(503);
            browser.close();
        }
        assertThat(counted("http_timeouts_total")).isEqualTo(waiting.size());
        // It is not their fault.
        assertThat(said.lines()).isEmpty();
        // The workers still hang, but the clients that waited have disconnected.
        Browser later = browser().ask("GET", path);
        await().until(() -> counted("http_requests_total") == waiting.size() + 5);
        assertThat(slowBegun).hasValue(2);
        slow.release(3);
        assertThat(later.reply().body()).isEqualTo("slow\n");
    }

    @Test
    void a_change_that_waits_for_a_disk_that_hangs_is_answered_with_what_is_not_known() throws Exception {
        Browser changing = browser().ask("DELETE", "/slow-change");
        await().until(() -> slowBegun.get() == 1);

        seconds(10);

        Reply unknown = changing.reply();
        assertThat(unknown.status()).isEqualTo(503);
        assertThat(unknown.body())
                .isEqualTo("there is no answer after 10 s; the disk hangs, or this program is busy; what was asked for"
                        + " may still take effect, so look before you try again\n");
    }

    @Test
    void a_new_connection_beyond_the_limit_replaces_the_one_that_is_idle_longest() throws Exception {
        Browser first = browser();
        awaitConnections(1);
        seconds(1);
        List<Browser> others = browsers(HttpLimits.PAGE.connections() - 1);
        awaitConnections(HttpLimits.PAGE.connections());
        assertThat(first.ask("GET", "/quick").reply().status()).isEqualTo(200);
        seconds(1);
        assertThat(others.get(0).ask("GET", "/quick").reply().status()).isEqualTo(200);

        assertThat(ask("GET", "/quick").status()).isEqualTo(200);

        assertThat(counted("http_ended_connections_total")).isEqualTo(1);
        assertThat(said.lines())
                .containsExactly("WARN all 200 connections of the page are in use, most by 127.0.0.1 (200): the one of"
                        + " 127.0.0.1, which waited longest for its client, was closed for a new one");
        assertThat(first.ask("GET", "/quick").reply().status()).isEqualTo(200);
        assertThat(others.get(0).ask("GET", "/quick").reply().status()).isEqualTo(200);
    }

    @Test
    void clients_that_read_nothing_do_not_keep_new_ones_out() throws Exception {
        for (int i = 0; i < HttpLimits.PAGE.connections(); i++) {
            reluctant("/endless");
        }
        await().until(() -> counted("http_requests_total") == HttpLimits.PAGE.connections());

        for (int i = 0; i < 10; i++) {
            assertThat(ask("GET", "/quick").status()).isEqualTo(200);
        }

        assertThat(counted("http_ended_connections_total")).isBetween(1L, 10L);
        assertThat(counted("http_refused_connections_total")).isZero();
    }

    @Test
    void a_new_connection_is_refused_if_all_wait_for_answers() throws Exception {
        Listening few = Listening.programs(
                InetAddress.getLoopbackAddress(),
                0,
                "the port",
                "take another",
                new HttpLimits(10, 0, 32, 1_000),
                1,
                Guard.NONE);
        try (HttpPort open = new HttpPort(
                few,
                List.of(Route.get("/slow", Work.SOME, this::slow)),
                nanos::incrementAndGet,
                said.log(),
                metrics,
                Thread::new)) {
            open.start();
            for (int i = 0; i < 10; i++) {
                Browser waiting = new Browser(open.address());
                opened.add(waiting);
                waiting.ask("GET", "/slow");
            }
            await().until(() -> counted("http_requests_total") == 10);

            for (int i = 0; i < 2; i++) {
                Browser refused = new Browser(open.address());
                opened.add(refused);
                assertThat(refused.rest()).isEmpty();
            }

            assertThat(counted("http_refused_connections_total")).isEqualTo(2);
            assertThat(said.lines())
                    .containsExactly(
                            "WARN all 10 connections of the port are in use, most by 127.0.0.1 (10): a new one of"
                                    + " 127.0.0.1 was refused, because all wait for answers");
        }
    }

    @Test
    void six_hundred_clients_that_connect_at_once_are_all_answered() throws Exception {
        for (Browser browser : browsers(600)) {
            // The connections that were replaced meanwhile had sent no request.
            browser.close();
        }
        List<Browser> asking = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            asking.add(browser().ask("GET", "/quick", "Connection: close"));
        }

        for (Browser browser : asking) {
            assertThat(browser.reply().body()).isEqualTo("quick\n");
        }
    }

    @Test
    void requests_that_are_too_large_or_invalid_are_refused_and_closed() throws Exception {
        assertRefused(431, "GET /quick HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(7000) + "\r\n\r\n");
        assertRefused(414, "GET /" + "x".repeat(9000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assertRefused(400, "hello\r\n\r\n");
        assertRefused(400, "GET /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n");
        assertThat(counted("http_refused_total{reason=\"malformed\"}")).isEqualTo(4);
        String large = "Host: localhost\r\nContent-Length: 10000000\r\n\r\n" + "x".repeat(100_000);
        assertRefused(413, "POST /change HTTP/1.1\r\n" + large);
        assertRefused(413, "GET /quick HTTP/1.1\r\n" + large);
        assertThat(counted("http_refused_total{reason=\"too_large\"}")).isEqualTo(2);
        assertThat(changes).hasValue(0);
        assertThat(ask("GET", "/quick").status()).isEqualTo(200);
    }

    private void assertRefused(int status, String request) throws IOException {
        Browser browser = browser().send(request);
        assertThat(browser.reply().status()).isEqualTo(status);
        browser.half();
        assertThat(browser.rest()).isEmpty();
    }

    @Test
    void a_body_of_moderate_size_is_ignored() throws IOException {
        Browser browser = browser();

        browser.send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8192\r\n\r\n" + "x".repeat(8192));

        assertThat(browser.reply().body()).isEqualTo("1\n");
        assertThat(browser.ask("GET", "/quick").reply().body()).isEqualTo("quick\n");
    }

    @Test
    void invalid_bytes_close_only_the_connection_that_sent_them() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        byte[] letters =
                "GET POST /quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\nTransfer-Encoding: chunked\r\n\0\377"
                        .getBytes(ISO_8859_1);
        for (int i = 0; i < 500; i++) {
            StringBuilder noise = new StringBuilder(random.nextBoolean() ? "GET /quick HTTP/1.1\r\n" : "");
            for (int length = random.nextInt(300); length > 0; length--) {
                noise.append((char) (letters[random.nextInt(letters.length)] & 0xff));
            }
            try (Browser browser = new Browser(port.address())) {
                browser.send(noise.toString());
            }
        }

        assertThat(ask("GET", "/quick").status()).as("seed %d", seed).isEqualTo(200);
        awaitConnections(0);
        assertThat(counted("http_errors_total"))
                .as("seed %d: %s", seed, said.lines())
                .isZero();
    }

    // Allowed hosts and sites

    @ParameterizedTest
    @ValueSource(
            strings = {
                "localhost",
                "LocalHost:11213",
                "127.0.0.1",
                "127.0.0.1:80",
                "127.255.3.4:1",
                "[::1]",
                "[::1]:11213",
                "localhost:"
            })
    void a_loopback_host_is_answered(String host) throws IOException {
        assertThat(browser()
                        .send("GET /quick HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                        .reply()
                        .status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "evil.example",
                "evil.example:11213",
                "127.0.0.1.evil.example",
                "localhost.evil.example",
                "evil.example#localhost",
                "evil@localhost",
                "localhost@evil.example",
                "notlocalhost",
                "0.0.0.0",
                "10.0.0.1:11213",
                "127.0.0.256",
                "127.0.0",
                "1127.0.0.1",
                "[::2]",
                "[::1].evil.example",
                "localhost:1x",
                "localhost, evil.example",
                ""
            })
    void any_other_host_is_answered_with_421_and_the_rule(String host) throws IOException {
        for (String path : List.of("GET /quick", "GET /metrics", "GET /none", "POST /change")) {
            Reply refused = browser()
                    .send(path + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n")
                    .reply();

            assertThat(refused.status()).isEqualTo(421);
            assertThat(refused.headers()).containsEntry("content-type", "text/plain; charset=utf-8");
            assertThat(refused.body())
                    .contains("\"" + host + "\"", "127.0.0.1", "a reverse proxy must keep the Host header");
        }
        assertThat(changes).hasValue(0);
        assertThat(counted("http_refused_total{reason=\"host\"}")).isEqualTo(4);
    }

    @Test
    void a_missing_host_is_allowed_only_for_http_1_0_and_two_are_never_allowed() throws IOException {
        assertThat(browser().send("GET /quick HTTP/1.0\r\n\r\n").reply().status())
                .isEqualTo(200);
        assertThat(browser().send("GET /quick HTTP/1.1\r\n\r\n").reply().status())
                .isEqualTo(400);
        for (String version : List.of("1.0", "1.1")) {
            assertThat(browser()
                            .send("GET /quick HTTP/" + version + "\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
                            .reply()
                            .status())
                    .isEqualTo(400);
        }
        assertThat(browser()
                        .send("GET /quick HTTP/1.0\r\nHost: evil.example\r\n\r\n")
                        .reply()
                        .status())
                .isEqualTo(421);
        assertThat(browser()
                        .send("GET http://evil.example/quick HTTP/1.1\r\nHost: localhost\r\n\r\n")
                        .reply()
                        .status())
                .isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource({
        "Origin: http://localhost:PORT",
        "Origin: http://127.0.0.1:PORT",
        "Origin: http://[::1]:PORT",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Site: none",
        "X: nothing",
    })
    void a_change_is_accepted_from_programs_and_from_pages_of_the_same_port(String header) throws IOException {
        assertThat(ask("POST", "/change", header.replace("PORT", "" + port.number()))
                        .status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "Origin: http://evil.example",
        "Origin: http://evil.example:PORT",
        "Origin: http://localhost:PORT.evil.example",
        "Origin: http://localhost",
        "Origin: http://localhost:3000",
        "Origin: https://localhost:PORT",
        "Origin: localhost:PORT",
        "Origin: null",
        "Origin: file://",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    })
    void a_change_from_another_site_is_refused(String header) throws IOException {
        Reply refused = ask("POST", "/change", header.replace("PORT", "" + port.number()));

        assertThat(refused.status()).isEqualTo(403);
        assertThat(refused.body()).contains(header.substring(0, header.indexOf(':')), "curl");
        assertThat(changes).hasValue(0);
        assertThat(counted("http_refused_total{reason=\"site\"}")).isEqualTo(1);
    }

    @Test
    void a_change_with_several_origins_is_refused_unless_all_are_its_own() throws IOException {
        String own = "Origin: http://localhost:" + port.number();

        assertThat(ask("POST", "/change", own, "Origin: http://evil.example").status())
                .isEqualTo(403);
        assertThat(ask("POST", "/change", "Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site")
                        .status())
                .isEqualTo(403);
        assertThat(ask("POST", "/change", own, "Sec-Fetch-Site: cross-site").status())
                .isEqualTo(403);
    }

    // Internal errors

    @ParameterizedTest
    @EnumSource(Work.class)
    void an_error_in_one_request_ends_only_that_request(Work work) throws IOException {
        String path = "/fails-" + work.name().toLowerCase(Locale.ROOT);
        List<Throwable> faults = List.of(
                new OutOfMemoryError("Java heap space"),
                new StackOverflowError(),
                new IllegalStateException("a\nWARN forged \u001b[31m"),
                new AssertionError("no"));
        for (int i = 0; i < 20; i++) {
            Throwable fault = faults.get(i % faults.size());
            fails = () -> {
                throw HttpPortTest.<RuntimeException>sneak(fault);
            };
            assertThat(ask("GET", path).status()).isEqualTo(500);

            fails = () -> new Response(200, Response.PLAIN, out -> {
                throw HttpPortTest.<RuntimeException>sneak(fault);
            });
            assertThat(ask("GET", path).status()).isEqualTo(500);
        }

        assertThat(counted("http_errors_total")).isEqualTo(40);
        await().until(() -> !said.lines().isEmpty());
        assertThat(said.lines()).hasSize(1);
        assertThat(said.lines().get(0)).contains("GET " + path + " failed", "OutOfMemoryError");
        fails = () -> Response.plain(200, "fine\n");
        assertThat(ask("GET", path).body()).isEqualTo("fine\n");
        assertThat(ask("GET", "/quick").status()).isEqualTo(200);
    }

    @Test
    void the_message_of_an_error_is_logged_on_one_line() throws IOException {
        fails = () -> {
            throw new IllegalStateException("a\nWARN forged \u001b[31m");
        };

        assertThat(ask("GET", "/fails-some").body()).isEqualTo("GET /fails-some failed; see the log\n");

        await().until(() -> !said.lines().isEmpty());
        assertThat(said.lines())
                .containsExactly("WARN GET /fails-some failed, and its connection is closed:"
                        + " java.lang.IllegalStateException: a?WARN forged ?[31m");
    }

    @ParameterizedTest
    @EnumSource(Work.class)
    void an_error_in_the_middle_of_an_answer_cuts_it_off_without_its_end(Work work) throws IOException {
        AtomicInteger pieces = new AtomicInteger();
        fails = () -> new Response(200, Response.PLAIN, out -> {
            if (pieces.incrementAndGet() > 1000) {
                throw new OutOfMemoryError("Java heap space");
            }
            out.append(HUGE);
            return true;
        });

        for (int i = 0; i < 5; i++) {
            pieces.set(0);
            Browser browser = browser().ask("GET", "/fails-" + work.name().toLowerCase(Locale.ROOT));
            assertThat(browser.rest()).startsWith("HTTP/1.1 200 OK\r\n").doesNotEndWith("\r\n0\r\n\r\n");
        }

        assertThat(counted("http_errors_total")).isEqualTo(5);
        assertThat(ask("GET", "/huge").status()).isEqualTo(200);
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private static <T extends Throwable> T sneak(Throwable fault) throws T {
        throw (T) fault;
    }

    @Test
    void an_event_loop_that_ends_unexpectedly_is_an_uncaught_exception_which_ends_the_program() {
        var unused = port.loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);

        await().until(() -> deaths.size() == 1);

        assertThat(deaths.get(0)).hasMessageContaining("event loop");
        deaths.clear();
    }

    // Start and end

    @Test
    void a_port_in_use_is_reported_with_the_remedy() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> port(port.number()))
                .withMessageContaining("port " + port.number())
                .withMessageContaining("take another");
    }

    @Test
    void nothing_is_served_before_the_start() throws Exception {
        try (HttpPort later = port(0);
                Browser early = new Browser(later.address())) {
            early.ask("GET", "/quick");
            later.loop.submit(() -> {}).get();
            long asked = counted("http_requests_total");

            later.start();

            assertThat(asked).isZero();
            assertThat(early.reply().body()).isEqualTo("quick\n");
        }
    }

    @Test
    void closing_frees_the_port_whatever_is_pending_and_is_idempotent() throws Exception {
        port.close();
        port = port(Ports.reserve());
        port.start();
        InetSocketAddress address = port.address();
        browsers(20);
        reluctant("/endless");
        browser().send("GET /qu");
        browser().ask("GET", "/slow");
        Browser idle = browser();
        assertThat(idle.ask("GET", "/quick").reply().status()).isEqualTo(200);
        await().until(() -> slowBegun.get() == 1);
        CountDownLatch closed = new CountDownLatch(1);

        new Thread(() -> {
                    port.close();
                    port.close();
                    closed.countDown();
                })
                .start();

        // The slow answer ends only when this test lets it.
        assertThat(closed.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(idle.rest()).isEmpty();
        slow.release(10);
        assertThat(port.loop.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        HttpPort again = port(address.getPort());
        assertThat(again.address()).isEqualTo(address);
        again.close();
        // On a busy machine the event loop may need longer than it is given, which is told.
        assertThat(said.lines()).allMatch(line -> line.contains("the HTTP event loop did not end within"));
    }
}
