package io.counters.collector.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.dashboard.Dashboard;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.MemoryLedger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.otlp.OtlpRoute;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.post.CountRoute;
import io.counters.collector.publish.Series;
import io.counters.collector.query.QueryApi;
import io.counters.collector.tap.Tap;
import io.counters.collector.tap.TapApi;
import io.counters.wire.StatsdName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a client sends on a connection, until it closes its side, after a byte that says to which port: o for the one for OTLP and
 * HTTP, anything else for the page. Both have all routes of a collector.
 */
@Tag("once")
@Tag("slow")
class RequestFuzzTest {
    private static final long NOW = 1_700_000_100;
    private static final int PATIENCE_MILLIS = 20_000;
    private static final int STAY_MILLIS = 1_000;

    /** More than the answers to one read of requests; the list of counters is small here. */
    private static final int ANSWER_BYTES_MAX = 8 << 20;

    @TempDir
    static Path folder = Path.of("");

    private static final Queue<Throwable> DEATHS = new ConcurrentLinkedQueue<>();
    private static final List<AutoCloseable> OPENED = new ArrayList<>();
    private static MemoryLedger kept = new MemoryLedger();
    private static int page;
    private static int programs;

    @BeforeAll
    static void open() throws IOException {
        byte[] lines = "a:1|c\nb,k=v:2|c\nc.d:-3|c\n".getBytes(ISO_8859_1);
        kept = new MemoryLedger();
        kept.ledger.batch(() -> new io.counters.wire.CommandReader(new Counted(kept)).lines(lines, 0, lines.length));
        assertThat(kept.values()).hasSize(3);
        History history = new History(
                new HistorySettings(folder.resolve("history.db"), 10, 172_800, 0, 0, 1 << 30, 100),
                kept.faults,
                kept.metrics);
        OPENED.add(history);
        for (int tick = 0; tick < 10; tick++) {
            history.put(NOW - 100 + 10L * tick, new Snapshot(new String[] {"a", "b,k=v"}, new long[] {tick, -tick}, 2));
        }
        InstantSource clock = () -> Instant.ofEpochSecond(NOW);
        List<Route> more = new ArrayList<>(
                new QueryApi(history, new Series("", List.of()), 1 << 28, clock, System::nanoTime).routes());
        more.addAll(new TapApi(new Tap(clock, 1 << 28), 250, () -> StatsdName.cleaning(List.of()), System::nanoTime)
                .routes());
        Dashboard dashboard = new Dashboard(
                new DashboardSettings(InetAddress.getLoopbackAddress(), 0, HttpLimits.PAGE, Guard.NONE),
                kept.ledger,
                () -> true,
                history,
                kept.metrics,
                List::of,
                List::of,
                List::of,
                () -> FleetView.NONE,
                () -> 11212,
                clock,
                System::nanoTime,
                kept.faults,
                RequestFuzzTest::thread,
                more);
        OPENED.add(0, dashboard);
        dashboard.start();
        page = dashboard.address().getPort();
        HttpPort otlp = otlp(clock);
        OPENED.add(0, otlp);
        otlp.start();
        programs = otlp.address().getPort();
    }

    private static HttpPort otlp(InstantSource clock) throws IOException {
        // A ledger of its own, with little room, so that neither the page's list nor the heap grows with what is
        // posted.
        Ledger posted = new MemoryLedger(
                        new LedgerSettings(Path.of("unused"), 8 << 20, 8 << 20, 1_000, 1_000, 10_000, 86_400_000))
                .ledger;
        OtlpSettings settings = new OtlpSettings(0, List.of("*"), List.of(), 16 << 20, 250);
        Function<Runnable, Supplier<Kept>> taking = batch -> {
            boolean isTaken = posted.batch(batch);
            return () -> isTaken ? Kept.ALL : Kept.NO_ROOM;
        };
        return new HttpPort(
                settings.at(),
                List.of(
                        new OtlpRoute(
                                        settings,
                                        LineTarget.of(posted),
                                        taking,
                                        true,
                                        new Random(2),
                                        clock,
                                        kept.faults,
                                        kept.metrics)
                                .route(),
                        new CountRoute(
                                        settings.bodyBytesMax(),
                                        250,
                                        () -> StatsdName.cleaning(List.of()),
                                        LineTarget.of(posted),
                                        taking,
                                        kept.faults,
                                        kept.metrics)
                                .route()),
                System::nanoTime,
                kept.faults,
                kept.metrics,
                RequestFuzzTest::thread);
    }

    private static Thread thread(Runnable work) {
        Thread thread = new Thread(work, "counters-http");
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler((dead, fault) -> DEATHS.add(fault));
        return thread;
    }

    @AfterAll
    static void close() throws Exception {
        for (AutoCloseable one : OPENED) {
            one.close();
        }
    }

    private static final String HOST = " HTTP/1.1\r\nHost: localhost\r\n";

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private static String get(String path) {
        return "p" + "GET " + path + HOST + "\r\n";
    }

    private static String post(char port, String path, String type, String body) {
        return port + "POST " + path + HOST + "Content-Type: " + type + "\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    /** Requests to all routes, each of which is answered with the status. */
    private static Map<String, Integer> requests() {
        Map<String, Integer> requests = new LinkedHashMap<>();
        for (String path : List.of(
                "/",
                "/favicon.ico",
                "/main.js",
                "/api/counters?prefix=a&limit=2",
                "/api/counters?q=b&limit=1&after=a",
                "/api/counters/b%2Ck%3Dv",
                "/api/counters/a/explain",
                "/api/counters/a/history?from=1700000000&to=1700000100&step=10",
                "/api/streams",
                "/api/page",
                "/api/tags",
                "/api/rows?q=a&format=csv",
                "/api/rejected",
                "/metrics",
                "/metrics/counters?match=a*",
                "/healthz",
                "/readyz",
                "/api/live",
                "/api/live?q=b&tag=k%3Dv&sort=rate&order=desc&from=0&rows=10&name=a",
                "/api/tap?match=a*&lines=3",
                "/api/tap/datagrams",
                "/api/suggest?type=metrics&q=a",
                "/api/query?start=1h-ago&m=sum:a",
                "/api/search/lookup?m=a",
                "/api/config/filters",
                "/api/aggregators")) {
            requests.put(get(path), 200);
        }
        String query = "{\"start\":\"1h-ago\",\"queries\":[{\"metric\":\"a\",\"aggregator\":\"sum\",\"rate\":true,"
                + "\"downsample\":\"1m-avg\",\"filters\":[{\"type\":\"wildcard\",\"tagk\":\"k\",\"filter\":\"*\","
                + "\"groupBy\":true}]}]}";
        requests.put(post('p', "/api/query", "application/json", query), 200);
        requests.put(
                post(
                        'p',
                        "/api/history",
                        "application/json",
                        "{\"names\":[\"a\",\"b,k=v\"],\"from\":1700000000,\"to\":1700000100,\"step\":10}"),
                200);
        requests.put(post('p', "/api/put", "application/json", "[]"), 403);
        requests.put(post('o', "/count", "text/plain", "a:1|c\n"), 202);
        requests.put(
                post(
                        'o',
                        "/v1/metrics",
                        "application/json",
                        "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"a\",\"sum\":{"
                                + "\"aggregationTemporality\":2,\"isMonotonic\":true,\"dataPoints\":[{"
                                + "\"startTimeUnixNano\":\"1\",\"timeUnixNano\":\"2\",\"asInt\":\"3\"}]}}]}]}]}"),
                200);
        requests.put(post('o', "/v1/metrics", "application/x-protobuf", "\n\0"), 200);
        return requests;
    }

    static Stream<byte[]> seeds() {
        List<String> seeds = new ArrayList<>(requests().keySet());
        seeds.add("oPOST /count" + HOST + "Transfer-Encoding: chunked\r\n\r\n5\r\na:1|c\r\n0\r\n\r\n");
        seeds.add("oPOST /count" + HOST + "Expect: 100-continue\r\nIdempotency-Key: a-key-of-16-bytes/1\r\n"
                + "Content-Length: 6\r\n\r\na:1|c\n");
        seeds.add("pDELETE /api/counters/none" + HOST + "\r\nHEAD /metrics" + HOST + "\r\nGET / HTTP/1.0\r\n\r\n");
        seeds.add("pGET /healthz HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n");
        return seeds.stream().map(RequestFuzzTest::bytes);
    }

    @Test
    void every_route_has_a_seed_which_it_answers() throws IOException {
        Map<String, String> wrong = new LinkedHashMap<>();
        for (Map.Entry<String, Integer> request : requests().entrySet()) {
            String text = request.getKey();
            String answer = answer(text.charAt(0) == 'o' ? programs : page, bytes(text.substring(1)));
            if (!answer.startsWith("HTTP/1.1 " + request.getValue() + " ")) {
                wrong.put(text, answer);
            }
        }
        assertThat(wrong).isEmpty();

        for (int port : new int[] {page, programs}) {
            // The answer lists all paths.
            Matcher paths = Pattern.compile("(POST |DELETE |)(/[A-Za-z0-9/*._-]*)")
                    .matcher(answer(port, bytes(get("/none").substring(1))).replaceAll("(?s).*use ", ""));
            int found = 0;
            for (; paths.find(); found++) {
                String method = paths.group(1).isEmpty() ? "GET " : paths.group(1);
                String path = Pattern.quote(paths.group(2)).replace("*", "\\E.+\\Q");
                assertThat(seeds().map(seed -> new String(seed, ISO_8859_1)))
                        .as("a seed of %s", paths.group())
                        .anyMatch(seed -> paths.group(2).matches(".*\\.(?:js|css|svg)")
                                || seed.matches("(?s)." + method + path + "[? ].*"));
            }
            assertThat(found).isGreaterThan(1);
        }
    }

    @MethodSource("seeds")
    @DictionaryEntries({
        "GET ",
        "POST ",
        "DELETE ",
        "HEAD ",
        "HTTP/1.1 Host: localhost",
        "Content-Length: ",
        "Transfer-Encoding: chunked",
        "Content-Encoding: gzip",
        "Accept: application/openmetrics-text",
        "/api/counters/",
        "/api/query",
        "/api/history",
        "/v1/metrics",
        "/count",
        "start=1h-ago",
        "m=sum:",
        "%2C"
    })
    @FuzzTest(maxDuration = "10s")
    void every_connection_is_answered_and_ends_and_none_causes_an_internal_error(byte[] bytes) throws IOException {
        if (bytes.length == 0) {
            return;
        }
        int port = bytes[0] == 'o' ? programs : page;

        String answer = answer(port, Arrays.copyOfRange(bytes, 1, bytes.length));

        // A client that has sent no request gets no answer.
        assertThat(answer).matches("(?s)|HTTP/1\\.1 [1-5][0-9][0-9] .*");
        // Whatever it sent, the next one is served.
        assertThat(answer(page, bytes(get("/healthz").substring(1)))).startsWith("HTTP/1.1 200 ");
        if (port == programs) {
            assertThat(answer(programs, bytes(get("/").substring(1)))).startsWith("HTTP/1.1 404 ");
        }
        Map<String, Long> counted = kept.metrics.values();
        assertThat(counted.getOrDefault("http_errors_total", 0L)).isZero();
        assertThat(counted.getOrDefault("http_timeouts_total", 0L)).isZero();
        assertThat(DEATHS).isEmpty();
    }

    /** Whether an answer may go on until its client leaves: a request behind it keeps the port from reading the client's end. */
    private static boolean mayStay(byte[] bytes) {
        String text = new String(bytes, ISO_8859_1);
        return text.contains("/api/live") || text.contains("/api/tap");
    }

    /**
     * Sends these bytes on a connection; returns what comes until its end, one character for each byte. Of an answer that may
     * stay, what comes until nothing has come for a second, or has come for a second.
     */
    private static String answer(int port, byte[] bytes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        boolean mayStay = mayStay(bytes);
        long begun = System.nanoTime();
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            try {
                client.getOutputStream().write(bytes);
                client.shutdownOutput();
                byte[] buffer = new byte[64 * 1024];
                for (int count = 0; count >= 0 && all.size() < ANSWER_BYTES_MAX; ) {
                    all.write(buffer, 0, count);
                    // The first of an answer that may stay comes at once, unless the machine is busy.
                    boolean stays = mayStay && all.size() > 0;
                    begun = all.size() > count ? begun : System.nanoTime();
                    client.setSoTimeout(stays ? STAY_MILLIS : PATIENCE_MILLIS);
                    count = stays && System.nanoTime() - begun > TimeUnit.MILLISECONDS.toNanos(STAY_MILLIS)
                            ? -1
                            : client.getInputStream().read(buffer);
                }
            } catch (SocketTimeoutException stays) {
                assertThat(mayStay && all.size() > 0).as("it stays open").isTrue();
            } catch (SocketException reset) {
                // It may be closed before everything is sent.
            }
        }
        assertThat(all.size()).isLessThan(ANSWER_BYTES_MAX);
        return all.toString(ISO_8859_1);
    }
}
