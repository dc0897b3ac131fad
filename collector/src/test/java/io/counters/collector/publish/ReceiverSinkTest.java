package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.settings.Settings;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The sinks for OTLP and Prometheus' remote write with a server on loopback whose answers a test chooses. */
@Tag("once")
@Tag("slow")
class ReceiverSinkTest {
    private static final long SECOND = 1_700_000_010;
    private static final String LONG = "a megabyte";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    /** The points of a request, and how it is answered. */
    private interface Manner {
        byte[] answer(int number, List<String> points, HttpExchange exchange) throws IOException;
    }

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final AtomicLong ahead = new AtomicLong();
    private final List<String> accepted = new CopyOnWriteArrayList<>();
    private final Map<String, String> headers = new ConcurrentHashMap<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private volatile Manner manner = (number, points, exchange) -> taken(points, exchange);
    private final HttpServer server;
    private @Nullable HttpSink sink;

    ReceiverSinkTest() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    @AfterEach
    void close() {
        if (sink != null) {
            sink.close();
        }
        server.stop(0);
        threads.shutdownNow();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
            boolean isSnappy = "snappy".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
            List<String> points = isSnappy ? RemoteWriteFormatTest.series(body) : OtlpFormatTest.points(body);
            byte[] answer = manner.answer(requests.incrementAndGet(), points, exchange);
            if (answer.length > 0) {
                exchange.getResponseBody().write(answer);
            }
        }
    }

    private byte[] taken(List<String> points, HttpExchange exchange) throws IOException {
        accepted.addAll(points);
        exchange.sendResponseHeaders(204, -1);
        return new byte[0];
    }

    private static byte[] answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        return body;
    }

    private static byte[] refused(HttpExchange exchange, String why) throws IOException {
        return answer(exchange, 400, why.getBytes(ISO_8859_1));
    }

    private HttpSink sink(SinkAddress.Kind kind, Map<String, String> more) throws IOException {
        SinkAddress address =
                kind.address("http://127.0.0.1:" + server.getAddress().getPort() + "/write");
        label = address.label();
        HttpSink opened = new HttpSink(
                address.with(more),
                folder,
                PublishSettings.from(new Settings(Map.of(), Map.of())),
                1L << 30,
                InstantSource.system(),
                () -> System.nanoTime() + ahead.get(),
                new Random(1),
                work -> {
                    Thread thread = new Thread(work, "counters-points");
                    thread.setDaemon(true);
                    return thread;
                },
                said.log(),
                metrics);
        sink = opened;
        return opened;
    }

    private HttpSink prometheus() throws IOException {
        return sink(SinkAddress.Kind.PROMETHEUS, Map.of());
    }

    private static Snapshot values(long value, int count) {
        String[] names = new String[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            names[i] = "c" + i;
            values[i] = value;
        }
        return new Snapshot(names, values, count);
    }

    private void awaitDone() {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> counted("publish_points_total") + counted("publish_bad_points_total") >= put.get());
    }

    private final AtomicLong put = new AtomicLong();
    private String label = "";

    private void put(HttpSink to, long second, long value, int count) {
        put.addAndGet(count);
        to.put(second, values(value, count));
    }

    private long counted(String name) {
        return MetricSum.of(metrics.values(), name);
    }

    private long refused(String reason) {
        return counted("publish_refused_points_total{reason=\"" + reason + "\",sink=\"" + label + "\"}");
    }

    @Test
    void requests_have_the_headers_of_their_format_and_the_users() throws Exception {
        put(sink(SinkAddress.Kind.PROMETHEUS, Map.of("Authorization", "Bearer s3cret")), SECOND, 1, 1);
        awaitDone();

        assertThat(headers)
                .containsEntry("Content-type", "application/x-protobuf")
                .containsEntry("Content-encoding", "snappy")
                .containsEntry("X-prometheus-remote-write-version", "0.1.0")
                .containsEntry("User-agent", "counters")
                .containsEntry("Authorization", "Bearer s3cret");
        assertThat(accepted).containsExactly("__name__=\"c0_total\",src=\"counters\" 1@" + SECOND + "000");
        assertThat(sink + "" + said.lines()).doesNotContain("s3cret");
    }

    /** Prometheus refuses a value that is older than one it has, so ticks must not overtake each other. */
    @Test
    void ticks_arrive_in_order_after_an_outage_and_a_restart() throws Exception {
        // A request of the first sink may still be on its way when the second one sends.
        manner = (number, points, exchange) -> {
            if (!"second".equals(exchange.getRequestHeaders().getFirst("Run"))) {
                return answer(exchange, 503, new byte[0]);
            }
            synchronized (accepted) {
                return taken(points, exchange);
            }
        };
        HttpSink first = prometheus();
        for (int tick = 0; tick < 4; tick++) {
            put(first, SECOND + tick, tick, 5_000);
        }
        await().atMost(PATIENCE).until(() -> requests.get() > 2);
        first.close();
        HttpSink second = sink(SinkAddress.Kind.PROMETHEUS, Map.of("Run", "second"));
        put(second, SECOND + 4, 4, 5_000);
        awaitDone();

        List<String> seconds = accepted.stream()
                .map(point -> point.substring(point.indexOf('@') + 1))
                .toList();
        assertThat(seconds).isSorted().hasSize(25_000);
        assertThat(accepted).doesNotHaveDuplicates();
        assertThat(counted("publish_bad_points_total")).isZero();
    }

    @Test
    void a_single_refused_point_costs_no_other() throws Exception {
        manner = (number, points, exchange) -> points.stream().anyMatch(point -> point.contains("\"c777_total\""))
                ? refused(exchange, "out of order sample")
                : taken(points, exchange);
        put(prometheus(), SECOND, 1, 2_000);
        awaitDone();

        assertThat(accepted).hasSize(1_999).doesNotHaveDuplicates();
        assertThat(refused("out_of_order")).isOne();
        assertThat(counted("publish_points_total{sink=\"" + label + "\"}")).isEqualTo(1_999);
        assertThat(counted("publish_bad_points_total{sink=\"" + label + "\"}")).isOne();
        assertThat(said.lines())
                .anyMatch(line -> line.contains("refused points permanently (points: 1, reason: out_of_order)")
                        && line.contains("the first is {__name__=\"c777_total\",src=\"counters\"}"));
    }

    /** As after a restart, if all of a tick had arrived already, and later ones too. */
    @Test
    void a_tick_of_which_all_is_refused_does_not_cause_a_request_for_each_point() throws Exception {
        manner = (number, points, exchange) -> points.get(0).endsWith("@" + SECOND + "000")
                ? refused(exchange, "out of order sample")
                : taken(points, exchange);
        HttpSink to = prometheus();
        put(to, SECOND, 1, 2_000);
        put(to, SECOND + 1, 1, 2_000);
        awaitDone();

        assertThat(refused("out_of_order")).isEqualTo(2_000);
        assertThat(accepted).hasSize(2_000);
        assertThat(requests.get()).isLessThan(80);
    }

    @Test
    void bodies_of_a_tick_of_which_all_is_refused_cost_less_and_less() throws Exception {
        manner = (number, points, exchange) -> refused(exchange, "out of order sample");
        put(prometheus(), SECOND, 1, 100_000);
        awaitDone();

        assertThat(refused("out_of_order")).isEqualTo(100_000);
        assertThat(requests.get()).isLessThan(600);
    }

    /** However the refused ones are spread: the requests in which nothing was accepted must not add up to giving up. */
    @ParameterizedTest
    @ValueSource(ints = {5, 17, 31, 200})
    void one_refused_point_among_some_costs_no_other(int each) throws Exception {
        manner = (number, points, exchange) -> points.stream().anyMatch(point -> number(point) % each == each / 2)
                ? refused(exchange, "the sample is out-of-order")
                : taken(points, exchange);
        put(prometheus(), SECOND, 1, 2_000);
        awaitDone();

        assertThat(refused("out_of_order")).isEqualTo(2_000 - accepted.size());
        assertThat(accepted)
                .hasSize((int) IntStream.range(0, 2_000)
                        .filter(i -> i % each != each / 2)
                        .count())
                .doesNotHaveDuplicates();
    }

    /** As when another collector takes over: the points of one partition are there already, those of another are not. */
    @Test
    void points_that_are_refused_in_a_row_cost_no_other() throws Exception {
        manner = (number, points, exchange) -> points.stream().anyMatch(point -> number(point) < 1_300)
                ? refused(exchange, "too old sample")
                : taken(points, exchange);
        put(prometheus(), SECOND, 1, 2_000);
        awaitDone();

        assertThat(accepted).hasSize(700).doesNotHaveDuplicates();
        assertThat(refused("out_of_bounds")).isEqualTo(1_300);
    }

    private static int number(String point) {
        return Integer.parseInt(point.substring(point.indexOf("\"c") + 2, point.indexOf("_total")));
    }

    /** Prometheus before 2.51 answers so if it accepts values that are out of order. */
    @Test
    void points_that_are_too_old_are_refused_whatever_the_status() throws Exception {
        manner = (number, points, exchange) -> points.get(0).endsWith("@" + SECOND + "000")
                ? answer(exchange, 500, "too old sample".getBytes(ISO_8859_1))
                : taken(points, exchange);
        HttpSink to = prometheus();
        put(to, SECOND, 1, 10);
        put(to, SECOND + 1, 1, 10);
        awaitDone();

        assertThat(refused("out_of_bounds")).isEqualTo(10);
        assertThat(accepted).hasSize(10);
    }

    @Test
    void a_point_at_which_the_server_fails_does_not_keep_the_others_for_ever() throws Exception {
        manner = (number, points, exchange) -> points.stream().anyMatch(point -> number(point) == 7)
                ? answer(exchange, 500, "boom".getBytes(ISO_8859_1))
                : taken(points, exchange);
        HttpSink to = prometheus();
        put(to, SECOND, 1, 20);
        await().atMost(PATIENCE).until(() -> accepted.size() == 19);
        assertThat(counted("publish_bad_points_total")).isZero();
        int before = requests.get();
        await().atMost(PATIENCE).until(() -> requests.get() > before + 1);
        ahead.addAndGet(Duration.ofMinutes(6).toNanos());
        awaitDone();

        assertThat(refused("failed")).isOne();
        assertThat(accepted).hasSize(19).doesNotHaveDuplicates();
    }

    /** In order, all later ticks would wait for it. */
    @Test
    void a_point_that_is_all_of_its_tick_and_at_which_the_server_fails_does_not_keep_later_ticks_for_ever()
            throws Exception {
        manner = (number, points, exchange) -> points.stream().anyMatch(point -> number(point) == 0)
                ? answer(exchange, 500, "boom".getBytes(ISO_8859_1))
                : taken(points, exchange);
        HttpSink to = prometheus();
        put(to, SECOND, 1, 1);
        put(to, SECOND + 1, 1, 4);
        await().atMost(PATIENCE).until(() -> requests.get() > 2);
        assertThat(accepted).isEmpty();
        assertThat(counted("publish_bad_points_total")).isZero();
        ahead.addAndGet(Duration.ofMinutes(6).toNanos());
        awaitDoneInFastTime();

        assertThat(refused("failed")).isEqualTo(2);
        assertThat(accepted).hasSize(3).doesNotHaveDuplicates();

        long before = ahead.get();
        put(to, SECOND + 2, 1, 4);
        awaitDoneInFastTime();
        assertThat(refused("failed")).as("the series is known").isEqualTo(3);
        assertThat(accepted).hasSize(6);
        assertThat(Duration.ofNanos(ahead.get() - before)).isLessThan(ResponsePolicy.FAILED_KEPT);
    }

    /** The pauses after failures need not last. */
    private void awaitDoneInFastTime() {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(10)).until(() -> {
            ahead.addAndGet(Duration.ofMillis(100).toNanos());
            return counted("publish_points_total") + counted("publish_bad_points_total") >= put.get();
        });
    }

    @Test
    void while_the_server_fails_at_everything_no_point_is_refused() throws Exception {
        Set<String> seen = ConcurrentHashMap.newKeySet();
        AtomicBoolean isUp = new AtomicBoolean();
        manner = (number, points, exchange) -> {
            seen.addAll(points);
            return isUp.get() ? taken(points, exchange) : answer(exchange, 500, "boom".getBytes(ISO_8859_1));
        };
        HttpSink to = prometheus();
        put(to, SECOND, 1, 1);
        put(to, SECOND + 1, 1, 1);
        await().atMost(PATIENCE).until(() -> requests.get() > 2);
        assertThat(seen).as("in order").hasSize(1);
        ahead.addAndGet(Duration.ofMinutes(6).toNanos());
        await().atMost(PATIENCE).until(() -> seen.size() == 2);
        int before = requests.get();
        await().atMost(PATIENCE).until(() -> {
            ahead.addAndGet(Duration.ofMinutes(1).toNanos());
            return requests.get() > before + 2;
        });
        assertThat(counted("publish_bad_points_total")).isZero();
        isUp.set(true);
        awaitDoneInFastTime();

        assertThat(accepted).hasSize(2);
        assertThat(counted("publish_bad_points_total")).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {401, 403, 404, 407, 408})
    void a_wrong_login_or_address_costs_no_point_and_is_told(int status) throws Exception {
        for (SinkAddress.Kind kind : List.of(SinkAddress.Kind.PROMETHEUS, SinkAddress.Kind.OTLP)) {
            AtomicInteger wrong = new AtomicInteger();
            AtomicBoolean isRight = new AtomicBoolean();
            manner = (number, points, exchange) -> {
                if (isRight.get()) {
                    return taken(points, exchange);
                }
                wrong.incrementAndGet();
                return answer(exchange, status, "wrong".getBytes(ISO_8859_1));
            };
            HttpSink to = sink(kind, Map.of());
            put(to, SECOND, 1, 10);
            await().atMost(PATIENCE).until(() -> wrong.get() > 2);
            assertThat(to.trouble()).hasValueSatisfying(told -> assertThat(told).contains("takes no points"));
            isRight.set(true);
            awaitDone();
            assertThat(to.trouble()).isEmpty();
            to.close();
        }
        assertThat(accepted).hasSize(20).doesNotHaveDuplicates();
        assertThat(counted("publish_bad_points_total")).isZero();
        assertThat(said.lines()).anyMatch(line -> line.contains("; points are kept and sent again"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"partialSuccess\":null}",
                "{\"partialSuccess\":{\"rejectedDataPoints\":null,\"errorMessage\":null}}",
                "OK",
                "null",
                " {\"partialSuccess\":{}}",
                "<html>fine</html>",
                "{\"partialSuccess\":{\"rejectedDataPoints\":\"many\"}}",
                LONG
            })
    void whatever_otlp_says_with_200_its_points_are_accepted_once(String body) throws Exception {
        manner = (number, points, exchange) -> {
            accepted.addAll(points);
            return answer(exchange, 200, (body.equals(LONG) ? "x".repeat(1 << 20) : body).getBytes(ISO_8859_1));
        };
        put(sink(SinkAddress.Kind.OTLP, Map.of()), SECOND, 1, 10);
        awaitDone();

        assertThat(requests.get()).isOne();
        assertThat(counted("publish_points_total")).isEqualTo(10);
    }

    @Test
    void points_that_are_too_old_are_given_up_with_their_request() throws Exception {
        manner = (number, points, exchange) -> refused(exchange, "out of bounds");
        put(prometheus(), SECOND, 1, 2_000);
        awaitDone();

        assertThat(refused("out_of_bounds")).isEqualTo(2_000);
        assertThat(requests.get()).isOne();
    }

    @Test
    void a_server_that_asks_to_wait_is_not_asked_before() throws Exception {
        List<Long> times = new CopyOnWriteArrayList<>();
        manner = (number, points, exchange) -> {
            times.add(System.nanoTime());
            if (number == 1) {
                exchange.getResponseHeaders().add("Retry-After", "2");
                return answer(exchange, 429, new byte[0]);
            }
            return taken(points, exchange);
        };
        put(prometheus(), SECOND, 1, 1);
        awaitDone();

        assertThat(times).hasSize(2);
        assertThat(Duration.ofNanos(times.get(1) - times.get(0))).isGreaterThan(Duration.ofMillis(1_900));
        assertThat(counted("publish_retries_total")).isOne();
    }

    @Test
    void a_partial_success_of_otlp_is_counted_and_not_sent_again() throws Exception {
        manner = (number, points, exchange) -> {
            accepted.addAll(points);
            return answer(
                    exchange,
                    200,
                    ExportMetricsServiceResponse.newBuilder()
                            .setPartialSuccess(ExportMetricsPartialSuccess.newBuilder()
                                    .setRejectedDataPoints(3)
                                    .setErrorMessage("too many series"))
                            .build()
                            .toByteArray());
        };
        put(sink(SinkAddress.Kind.OTLP, Map.of()), SECOND, 1, 10);
        awaitDone();

        assertThat(requests.get()).isOne();
        assertThat(counted("publish_points_total")).isEqualTo(7);
        assertThat(refused("partial_success")).isEqualTo(3);
        assertThat(said.lines())
                .anyMatch(line ->
                        line.contains("refused points of a request permanently without naming them (points: 3 of"
                                + " 10): too many series"));
    }

    @Test
    void only_the_errors_that_otlp_allows_are_tried_again() throws Exception {
        manner = (number, points, exchange) -> switch (number) {
            case 1 -> answer(exchange, 502, new byte[0]);
            case 2 -> answer(exchange, 504, new byte[0]);
            case 3 -> taken(points, exchange);
            default -> answer(exchange, 500, "broken".getBytes(ISO_8859_1));
        };
        HttpSink to = sink(SinkAddress.Kind.OTLP, Map.of());
        put(to, SECOND, 1, 1);
        awaitDone();
        put(to, SECOND + 1, 2, 1);
        awaitDone();

        assertThat(accepted).containsExactly("c0,src=counters + 1");
        assertThat(refused("status_500")).isOne();
        assertThat(requests.get()).isEqualTo(4);
    }

    @Test
    void ticks_that_are_read_ahead_arrive_in_order_too() throws Exception {
        List<Long> done = new ArrayList<>();
        try (HttpSink to = HttpSink.readingAhead(
                SinkAddress.Kind.PROMETHEUS.address(
                        "http://127.0.0.1:" + server.getAddress().getPort() + "/write"),
                "the topic counters.ticks",
                PublishSettings.from(new Settings(Map.of(), Map.of())),
                1L << 30,
                InstantSource.system(),
                System::nanoTime,
                new Random(1),
                work -> {
                    Thread thread = new Thread(work, "counters-points");
                    thread.setDaemon(true);
                    return thread;
                },
                said.log(),
                metrics)) {
            manner = (number, points, exchange) ->
                    number < 4 ? answer(exchange, 500, new byte[0]) : taken(points, exchange);
            for (long second = SECOND; second < SECOND + 5; second++) {
                long now = second;
                to.put(second, values(1, 3_000), () -> {
                    synchronized (done) {
                        done.add(now);
                    }
                });
            }
            await().atMost(PATIENCE).until(() -> counted("publish_points_total") == 15_000);
        }

        assertThat(done).containsExactly(SECOND, SECOND + 1, SECOND + 2, SECOND + 3, SECOND + 4);
        assertThat(accepted).doesNotHaveDuplicates().hasSize(15_000);
    }
}
