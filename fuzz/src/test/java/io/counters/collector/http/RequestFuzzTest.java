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
import io.counters.collector.ledger.MemoryLedger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.post.CountRoute;
import io.counters.collector.publish.Series;
import io.counters.collector.query.QueryApi;
import io.counters.wire.StatsdName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;

/** What a client sends on a connection to the page, with all its routes, until it closes its side. */
@Tag("once")
@Tag("slow")
class RequestFuzzTest {
    private static final long NOW = 1_700_000_100;
    private static final int PATIENCE_MILLIS = 20_000;

    /** More than the answers to one read of requests; the list of counters is small here. */
    private static final int ANSWER_BYTES_MAX = 8 << 20;

    @TempDir
    static Path folder = Path.of("");

    private static final Queue<Throwable> DEATHS = new ConcurrentLinkedQueue<>();
    private static final List<AutoCloseable> OPENED = new ArrayList<>();
    private static MemoryLedger kept = new MemoryLedger();
    private static int port;

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
        more.add(new CountRoute(
                        1 << 24,
                        250,
                        () -> StatsdName.cleaning(List.of()),
                        LineTarget.of(kept.ledger),
                        batch -> {
                            kept.ledger.batch(batch);
                            return () -> Kept.ALL;
                        },
                        kept.faults,
                        kept.metrics)
                .route());
        Dashboard page = new Dashboard(
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
                work -> {
                    Thread thread = new Thread(work, "counters-http");
                    thread.setDaemon(true);
                    thread.setUncaughtExceptionHandler((dead, fault) -> DEATHS.add(fault));
                    return thread;
                },
                more);
        OPENED.add(0, page);
        page.start();
        port = page.address().getPort();
    }

    @AfterAll
    static void close() throws Exception {
        for (AutoCloseable one : OPENED) {
            one.close();
        }
    }

    static Stream<byte[]> seeds() {
        String host = " HTTP/1.1\r\nHost: localhost\r\n";
        List<byte[]> seeds = new ArrayList<>();
        for (String path : List.of(
                "/",
                "/api/counters?prefix=a&limit=2",
                "/api/counters/b%2Ck%3Dv",
                "/api/counters/a/explain",
                "/api/counters/a/history?from=1700000000&to=1700000100&step=10",
                "/api/streams",
                "/api/page",
                "/api/tags?search=k",
                "/api/rows?names=a",
                "/api/rejected",
                "/metrics",
                "/metrics/counters?match=a*",
                "/healthz",
                "/api/live",
                "/api/suggest?type=metrics&q=a",
                "/api/query?start=1h-ago&m=sum:a",
                "/api/aggregators")) {
            seeds.add(("GET " + path + host + "\r\n").getBytes(ISO_8859_1));
        }
        String body = "{\"start\":\"1h-ago\",\"queries\":[{\"metric\":\"a\",\"aggregator\":\"sum\",\"rate\":true,"
                + "\"downsample\":\"1m-avg\",\"filters\":[{\"type\":\"wildcard\",\"tagk\":\"k\",\"filter\":\"*\","
                + "\"groupBy\":true}]}]}";
        seeds.add(("POST /api/query" + host + "Content-Length: " + body.length() + "\r\n\r\n" + body)
                .getBytes(ISO_8859_1));
        seeds.add(("POST /count" + host + "Transfer-Encoding: chunked\r\n\r\n5\r\na:1|c\r\n0\r\n\r\n")
                .getBytes(ISO_8859_1));
        seeds.add(("POST /count" + host + "Expect: 100-continue\r\nIdempotency-Key: a-key-of-16-bytes/1\r\n"
                        + "Content-Length: 6\r\n\r\na:1|c\n")
                .getBytes(ISO_8859_1));
        seeds.add(("DELETE /api/counters/none" + host + "\r\nHEAD /metrics" + host + "\r\nGET / HTTP/1.0\r\n\r\n")
                .getBytes(ISO_8859_1));
        seeds.add("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n"
                .getBytes(ISO_8859_1));
        return seeds.stream();
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
        "start=1h-ago",
        "m=sum:",
        "%2C"
    })
    @FuzzTest(maxDuration = "10s")
    void every_connection_is_answered_and_ends_and_none_causes_an_internal_error(byte[] bytes) throws IOException {
        try (Socket client = new Socket("127.0.0.1", port)) {
            client.setSoTimeout(PATIENCE_MILLIS);
            client.getOutputStream().write(bytes);
            client.shutdownOutput();
            byte[] buffer = new byte[64 * 1024];
            int all = 0;
            for (int count = 0;
                    count >= 0 && all < ANSWER_BYTES_MAX;
                    count = client.getInputStream().read(buffer)) {
                all += count;
            }
            assertThat(all).isLessThan(ANSWER_BYTES_MAX);
        } catch (SocketException reset) {
            // It may be closed before everything is sent.
        }

        Map<String, Long> counted = kept.metrics.values();
        assertThat(counted.getOrDefault("http_errors_total", 0L)).isZero();
        assertThat(counted.getOrDefault("http_timeouts_total", 0L)).isZero();
        assertThat(DEATHS).isEmpty();
    }
}
