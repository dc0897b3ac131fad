package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sink with a server on loopback that answers like a TSD, correctly and with failures. */
@Tag("once")
@Tag("slow")
class OpenTsdbSinkTest {
    private static final long SECOND = 1_700_000_010;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final AtomicLong ahead = new AtomicLong();
    private final AtomicLong ticked = new AtomicLong();
    private final AtomicBoolean broken = new AtomicBoolean();
    private long heapBytes = 1L << 30;
    private final Map<CollectorFlag, String> given = new EnumMap<>(CollectorFlag.class);
    private final AtomicReference<@Nullable Tsd> running = new AtomicReference<>();
    private final List<Sink> sinks = new ArrayList<>();

    @AfterEach
    void close() {
        sinks.forEach(Sink::close);
        Tsd tsd = running.get();
        if (tsd != null) {
            tsd.close();
            assertThat(tsd.conflicts).isEmpty();
        }
    }

    private void tsd(Tsd.Manner manner) throws IOException {
        running.set(new Tsd(manner));
    }

    private Tsd tsd() {
        return requireNonNull(running.get());
    }

    private Sink sink() throws IOException {
        return sink(tsd().address());
    }

    private Sink sink(HttpUrl address) throws IOException {
        Sink sink = new HttpSink(
                new SinkAddress(SinkAddress.Kind.OPENTSDB, address, Map.of()),
                folder,
                PublishSettings.from(new Settings(given, Map.of())),
                heapBytes,
                InstantSource.fixed(Instant.ofEpochSecond(SECOND + 100)),
                () -> {
                    if (Thread.currentThread().getName().startsWith("OkHttp") && broken.getAndSet(false)) {
                        throw new OutOfMemoryError("told to");
                    }
                    return System.nanoTime() + ahead.get();
                },
                new Random(1),
                work -> {
                    Thread thread = new Thread(work, "counters-opentsdb");
                    thread.setDaemon(true);
                    return thread;
                },
                said.log(),
                metrics);
        sinks.add(sink);
        return new Sink() {
            @Override
            public void put(long second, Snapshot values) {
                ticked.addAndGet(values.size());
                sink.put(second, values);
            }

            @Override
            public Optional<String> trouble() {
                return sink.trouble();
            }

            @Override
            public String toString() {
                return sink.toString();
            }

            @Override
            public void close() {
                sink.close();
            }
        };
    }

    /** Puts a tick and waits until all of it is confirmed. */
    private void deliver(Snapshot values) throws IOException {
        sink().put(SECOND, values);
        awaitNothingLeft();
    }

    private void awaitNothingLeft() {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(10)).until(() -> ticks().isEmpty());
        // A tick is deleted a moment before its last points are counted.
        await().until(() -> counted("publish_points_total")
                        + counted("publish_bad_points_total")
                        + counted("publish_lost_points_total")
                >= ticked.get());
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    /** The names of the files in the spool, without the sums. */
    private List<String> ticks() throws IOException {
        return files().stream()
                .map(file -> file.getFileName().toString().replaceFirst("(?<=\\.tick)\\.[0-9a-f]{8}$", ""))
                .toList();
    }

    private static Snapshot counters(int count) {
        Random random = new Random(count);
        String[] names = new String[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            names[i] = "service." + Long.toString(random.nextLong(), 36) + ".requests,host=web-" + i + ",zone=eu";
            values[i] = random.nextLong();
        }
        return new Snapshot(names, values, count);
    }

    /** Counters c0, c1, ... */
    private static Snapshot few(int count) {
        String[] names = new String[count];
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            names[i] = "c" + i;
            values[i] = 100L + i;
        }
        return new Snapshot(names, values, count);
    }

    private static Snapshot counter(String name, long value) {
        return new Snapshot(new String[] {name, "no.counter.yet"}, new long[] {value, 7}, 1);
    }

    private long counted(String name) {
        return MetricSum.of(metrics.values(), name);
    }

    private long gauge(String name) {
        return counted(name + "{sink=\"127.0.0.1:" + tsd().address().port() + "\"}");
    }

    private void assertStored(long second, Snapshot values) {
        for (int i = 0; i < values.size(); i++) {
            String name = values.names()[i];
            int comma = name.indexOf(',');
            String metric = comma < 0 ? name : name.substring(0, comma);
            String own = comma < 0
                    ? ""
                    : "\"" + name.substring(comma + 1).replace("=", "\":\"").replace(",", "\",\"") + "\",";
            Tsd.Point point = new Tsd.Point(metric, second, values.values()[i], own + "\"src\":\"counters\"");
            assertThat(tsd().stored).containsEntry(point.key(), point);
        }
    }

    private void takeAll(int number, Tsd.Put put) throws IOException {
        tsd().store(put);
        put.answer(204, "");
    }

    private static boolean isRefused(Tsd.Put put) {
        return put.points().stream().anyMatch(point -> point.metric().equals("c7"));
    }

    @Test
    void a_point_is_sent_with_integer_value_second_and_a_tag() throws Exception {
        tsd(this::takeAll);

        deliver(counter("orders.placed", -42));

        Tsd.Put put = tsd().puts.get(0);
        assertThat(put.json())
                .isEqualTo("[{\"metric\":\"orders.placed\",\"timestamp\":1700000010,\"value\":-42,"
                        + "\"tags\":{\"src\":\"counters\"}}]");
        assertThat(put.target()).isEqualTo("POST /api/put?details&sync&sync_timeout=3000");
        assertThat(put.headers())
                .containsEntry("Content-encoding", "gzip")
                .containsEntry("Content-length", String.valueOf(put.wireBytes()))
                .doesNotContainKey("Transfer-encoding");
        assertThat(counted("publish_points_total")).isEqualTo(1);
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void prefix_and_tags_are_added_and_a_name_keeps_its_own_tags() throws Exception {
        tsd(this::takeAll);
        given.put(CollectorFlag.PREFIX, "shop.");
        given.put(CollectorFlag.TAGS, "env=prod,dc=fra");

        deliver(new Snapshot(
                new String[] {"a", "b,dc=ams,x=1", "c,a=1,b=1,c=1,d=1,e=1,f=1,g=1"},
                new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 0},
                3));

        assertThat(tsd().puts.get(0).points())
                .containsExactly(
                        new Tsd.Point("shop.a", SECOND, Long.MIN_VALUE, "\"env\":\"prod\",\"dc\":\"fra\""),
                        new Tsd.Point("shop.b", SECOND, Long.MAX_VALUE, "\"dc\":\"ams\",\"x\":\"1\",\"env\":\"prod\""),
                        new Tsd.Point(
                                "shop.c",
                                SECOND,
                                0,
                                "\"a\":\"1\",\"b\":\"1\",\"c\":\"1\",\"d\":\"1\",\"e\":\"1\",\"f\":\"1\",\"g\":\"1\","
                                        + "\"env\":\"prod\""));
    }

    @Test
    void an_address_with_a_path_keeps_it_and_fast_mode_does_not_wait_for_hbase() throws Exception {
        tsd(this::takeAll);
        given.put(CollectorFlag.OPENTSDB_MODE, "fast");

        sink(tsd().address().newBuilder().addPathSegment("tsdb").build()).put(SECOND, few(1));
        awaitNothingLeft();

        assertThat(tsd().puts.get(0).target()).isEqualTo("POST /tsdb/api/put?details");
    }

    @Test
    void twenty_thousand_points_arrive_in_bodies_below_8_kib() throws Exception {
        tsd(this::takeAll);
        Snapshot values = counters(20_000);

        deliver(values);

        assertStored(SECOND, values);
        assertThat(tsd().puts).allSatisfy(put -> {
            assertThat(put.wireBytes()).isLessThanOrEqualTo(8192);
            assertThat(put.headers())
                    .containsEntry("Content-encoding", "gzip")
                    .containsEntry("Content-length", String.valueOf(put.wireBytes()));
        });
        assertThat(tsd().puts.stream().mapToInt(Tsd.Put::wireBytes).average().orElse(0))
                .as("bodies are well filled")
                .isGreaterThan(6500);
        assertThat(counted("publish_points_total")).isEqualTo(20_000);
        assertThat(counted("publish_retries_total")).isZero();
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void bodies_grow_with_the_setting() throws Exception {
        tsd(this::takeAll);
        given.put(CollectorFlag.OPENTSDB_BODY, "64k");
        Snapshot values = counters(20_000);

        deliver(values);

        assertStored(SECOND, values);
        assertThat(tsd().puts).allSatisfy(put -> assertThat(put.wireBytes()).isLessThanOrEqualTo(64 * 1024));
        assertThat(tsd().puts).anySatisfy(put -> assertThat(put.wireBytes()).isGreaterThan(50 * 1024));
    }

    @Test
    void a_tick_without_points_sends_no_request() throws Exception {
        tsd(this::takeAll);

        Sink sink = sink();
        sink.put(SECOND, few(0));
        sink.close();

        assertThat(tsd().puts).isEmpty();
        assertThat(ticks()).isEmpty();
    }

    @Test
    void points_that_are_named_as_bad_are_dropped_and_logged_and_the_others_are_confirmed() throws Exception {
        tsd((number, put) -> {
            List<Tsd.Point> points = put.points();
            put.answer(
                    400,
                    "{\"success\":8,\"failed\":2,\"errors\":["
                            + points.get(3).named("Invalid metric name (\\\"c3\\\"): illegal character: c") + ","
                            + points.get(5).named("Too many tags: 9 maximum allowed: 8") + "]}");
        });

        deliver(few(10));

        assertThat(tsd().puts).hasSize(1);
        assertThat(counted("publish_points_total")).isEqualTo(8);
        assertThat(counted("publish_bad_points_total")).isEqualTo(2);
        assertThat(counted("publish_retries_total")).isZero();
        assertThat(said.lines()).singleElement().asString().contains("\"c3\"", "illegal character", "dropped");
    }

    @Test
    void only_points_that_failed_for_a_temporary_reason_are_sent_again_unchanged() throws Exception {
        tsd((number, put) -> {
            if (number > 1) {
                takeAll(number, put);
                return;
            }
            List<Tsd.Point> points = put.points();
            points.stream().filter(point -> !point.metric().equals("c2")).forEach(tsd()::store);
            put.answer(
                    200,
                    "{\"success\":9,\"failed\":1,\"timeouts\":0,\"errors\":["
                            + points.get(2).named("Storage exception: RegionServerStopped") + "]}");
        });

        deliver(few(10));

        assertStored(SECOND, few(10));
        assertThat(tsd().puts).hasSize(2);
        assertThat(tsd().puts.get(1).points())
                .containsExactly(tsd().puts.get(0).points().get(2));
        assertThat(counted("publish_points_total")).isEqualTo(10);
        assertThat(counted("publish_bad_points_total")).isZero();
    }

    @Test
    void after_a_write_timeout_all_but_the_bad_points_are_sent_again_whichever_are_named() throws Exception {
        tsd((number, put) -> {
            if (number > 1) {
                takeAll(number, put);
                return;
            }
            // A TSD counts the point that timed out, c3, without the bad one before it: it names c2, which is stored.
            List<Tsd.Point> points = put.points();
            put.answer(
                    400,
                    "{\"success\":3,\"failed\":1,\"timeouts\":1,\"errors\":["
                            + points.get(1).named("Invalid timestamp") + ","
                            + points.get(2).named("Write timedout") + "]}");
        });

        deliver(few(5));

        assertThat(tsd().puts.get(1).points()).extracting(Tsd.Point::metric).containsExactly("c0", "c2", "c3", "c4");
        assertThat(counted("publish_points_total")).isEqualTo(4);
        assertThat(counted("publish_bad_points_total")).isEqualTo(1);
    }

    @Test
    void points_that_failed_and_are_not_named_are_found_by_halves() throws Exception {
        AtomicInteger refusals = new AtomicInteger();
        tsd((number, put) -> {
            if (isRefused(put) && refusals.incrementAndGet() < 6) {
                put.answer(400, "{\"success\":" + (put.points().size() - 1) + ",\"failed\":1,\"errors\":[]}");
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(10));

        assertStored(SECOND, few(10));
        assertThat(tsd().puts).anySatisfy(put -> assertThat(put.points()).hasSize(1));
        assertThat(counted("publish_points_total")).isEqualTo(10);
    }

    @Test
    void an_unknown_metric_is_logged_once_with_the_remedy_and_confirmed_once_it_is_created() throws Exception {
        AtomicBoolean made = new AtomicBoolean();
        tsd((number, put) -> {
            List<String> unknown = new ArrayList<>();
            for (Tsd.Point point : put.points()) {
                if (point.metric().equals("c7") && !made.get()) {
                    unknown.add(point.named("Unknown metric"));
                } else {
                    tsd().store(point);
                }
            }
            put.answer(
                    unknown.isEmpty() ? 200 : 400,
                    "{\"success\":1,\"failed\":" + unknown.size() + ",\"errors\":" + unknown + "}");
        });

        Sink sink = sink();
        sink.put(SECOND, few(10));
        await().atMost(PATIENCE).until(() -> tsd().puts.size() >= 4);
        sink.put(SECOND + 10, few(10));
        await().atMost(PATIENCE)
                .until(() -> tsd().puts.stream()
                        .anyMatch(put ->
                                put.points().size() == 1 && put.points().get(0).second() == SECOND + 10));
        made.set(true);
        awaitNothingLeft();

        assertStored(SECOND, few(10));
        assertStored(SECOND + 10, few(10));
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("tsd.core.auto_create_metrics", "mkmetric", "\"c7\"");
        assertThat(counted("publish_points_total")).isEqualTo(20);
    }

    @Test
    void points_of_a_metric_that_is_not_created_are_dropped_after_ten_minutes() throws Exception {
        tsd((number, put) -> put.answer(
                400,
                "{\"success\":0,\"failed\":1,\"errors\":[" + put.points().get(0).named("Unknown metric") + "]}"));

        sink().put(SECOND, few(1));
        await().atMost(PATIENCE).until(() -> tsd().puts.size() >= 3);
        assertThat(counted("publish_bad_points_total")).isZero();
        ahead.set(Duration.ofMinutes(11).toNanos());
        awaitNothingLeft();

        assertThat(counted("publish_bad_points_total")).isEqualTo(1);
    }

    @Test
    void a_point_that_makes_a_request_unreadable_is_found_and_dropped_alone() throws Exception {
        tsd((number, put) -> {
            if (isRefused(put)) {
                put.answer(400, "{\"error\":{\"code\":400,\"message\":\"Unable to parse the given JSON\"}}");
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(1000));

        assertThat(tsd().stored).hasSize(999);
        assertThat(counted("publish_points_total")).isEqualTo(999);
        assertThat(counted("publish_bad_points_total")).isEqualTo(1);
        assertThat(said.lines()).singleElement().asString().contains("\"c7\"", "Unable to parse the given JSON");
    }

    @Test
    void a_request_that_is_too_large_is_halved() throws Exception {
        tsd((number, put) -> {
            if (put.points().size() > 100) {
                put.answer(413, "too large");
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(2000));

        assertStored(SECOND, few(2000));
        assertThat(counted("publish_bad_points_total")).isZero();
        assertThat(said.lines()).singleElement().asString().contains("413", "--opentsdb-body");
    }

    @Test
    void a_400_without_json_is_tried_again_unchanged_and_then_halved() throws Exception {
        tsd((number, put) -> {
            if (put.points().size() > 200) {
                put.answer(400, "<html>Bad Request</html>");
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(300));

        assertStored(SECOND, few(300));
        List<Integer> sizes =
                tsd().puts.stream().map(put -> put.points().size()).toList();
        assertThat(sizes).containsExactly(300, 300, 300, 150, 150);
        assertThat(said.lines()).singleElement().asString().contains("400 without JSON", "sent again");
    }

    @Test
    @Tag("slow")
    void after_any_fault_the_same_bytes_are_sent_again() throws Exception {
        tsd((number, put) -> {
            switch (number) {
                case 1 -> put.answer(500, "<html>no luck</html>");
                case 2 -> put.answer(503, "");
                case 3 -> put.answer(200, "<html>please log in</html>");
                case 4 -> put.answer(302, "");
                case 5 -> put.answerHalf(200, "{\"success\":100,\"failed\":0,\"errors\":[]}");
                case 6 -> {
                    // Closed without an answer.
                }
                default -> takeAll(number, put);
            }
        });
        given.put(CollectorFlag.OPENTSDB_BODY, "64k");

        deliver(few(50));

        assertStored(SECOND, few(50));
        assertThat(new HashSet<>(tsd().puts.stream().map(Tsd.Put::json).toList()))
                .hasSize(1);
        assertThat(tsd().puts).hasSize(7);
        assertThat(counted("publish_points_total")).isEqualTo(50);
        assertThat(counted("publish_retries_total")).isEqualTo(6);
        assertThat(counted("publish_lost_points_total")).isZero();
        assertThat(said.lines()).singleElement().asString().contains("answered 500", "sent again");
    }

    @Test
    void only_unconfirmed_points_are_sent_again() throws Exception {
        tsd((number, put) -> {
            if (number % 2 == 1) {
                put.answer(503, "");
            } else {
                takeAll(number, put);
            }
        });
        Snapshot values = counters(3000);

        deliver(values);

        assertStored(SECOND, values);
        assertThat(counted("publish_points_total")).isEqualTo(3000);
        Set<String> stored = ConcurrentHashMap.newKeySet();
        for (int i = 1; i < tsd().puts.size(); i += 2) {
            assertThat(stored.add(tsd().puts.get(i).json())).isTrue();
        }
    }

    @Test
    @Tag("slow")
    void a_request_without_an_answer_is_canceled_and_sent_again() throws Exception {
        tsd((number, put) -> {
            if (number == 1) {
                tsd().hang();
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(10));

        assertStored(SECOND, few(10));
        assertThat(said.lines()).singleElement().asString().contains("timeout");
    }

    /** Answers at random, like a TSD behind a proxy; the answer need not agree with what is stored. */
    private void answerByChance(Random chance, Tsd.Put put) throws IOException {
        List<Tsd.Point> points = put.points();
        int stored = chance.nextInt(points.size() + 1);
        points.subList(0, stored).forEach(tsd()::store);
        switch (chance.nextInt(14)) {
            case 0 -> put.answer(500, "");
            case 1 -> put.answer(400, "<html>Bad Request</html>");
            case 2 -> put.answer(413, "");
            case 3 -> put.answerHalf(200, "{\"success\":" + points.size() + ",\"failed\":0,\"errors\":[]}");
            case 4 -> {
                // Closed without an answer.
            }
            case 5 ->
                put.answer(
                        400,
                        "{\"success\":" + stored + ",\"failed\":0,\"timeouts\":" + (points.size() - stored)
                                + ",\"errors\":["
                                + points.subList(stored, points.size()).stream()
                                        .map(point -> point.named("Write timedout"))
                                        .collect(Collectors.joining(","))
                                + "]}");
            case 6 ->
                put.answer(
                        200,
                        "{\"success\":" + stored + ",\"failed\":" + (points.size() - stored) + ",\"errors\":["
                                + points.subList(stored, points.size()).stream()
                                        .map(point -> point.named("Storage exception: null"))
                                        .collect(Collectors.joining(","))
                                + "]}");
            default -> {
                points.forEach(tsd()::store);
                put.answer(200, "{\"success\":" + points.size() + ",\"failed\":0,\"errors\":[]}");
            }
        }
    }

    @Test
    @Tag("slow")
    void every_point_of_every_tick_arrives_with_its_value_whatever_the_answers() throws Exception {
        Random chance = new Random(5);
        tsd((number, put) -> {
            synchronized (chance) {
                answerByChance(chance, put);
            }
        });
        given.put(CollectorFlag.OPENTSDB_BODY, "1k");
        Sink sink = sink();
        List<Snapshot> ticks = new ArrayList<>();
        for (int tick = 0; tick < 10; tick++) {
            Snapshot values = few(500);
            Arrays.setAll(values.values(), i -> chance.nextLong());
            ticks.add(values);
            sink.put(SECOND + 10L * tick, values);
        }
        awaitNothingLeft();

        for (int tick = 0; tick < 10; tick++) {
            assertStored(SECOND + 10L * tick, ticks.get(tick));
        }
        assertThat(tsd().stored).hasSize(5000);
        assertThat(counted("publish_points_total")).isEqualTo(5000);
        assertThat(counted("publish_bad_points_total")).isZero();
        assertThat(counted("publish_lost_points_total")).isZero();
    }

    @Test
    void unconfirmed_points_stay_in_the_spool_and_are_sent_unchanged_after_a_restart() throws Exception {
        AtomicBoolean sick = new AtomicBoolean(true);
        tsd((number, put) -> {
            if (sick.get()) {
                put.answer(503, "");
            } else {
                takeAll(number, put);
            }
        });
        Sink first = sink();
        first.put(SECOND, few(100));
        first.put(SECOND + 10, few(10));
        await().atMost(PATIENCE).until(() -> !tsd().puts.isEmpty());
        first.close();
        assertThat(ticks()).containsExactly(SECOND + "-100.tick", (SECOND + 10) + "-10.tick");

        sick.set(false);
        sink();
        assertThat(gauge("publish_spool_points")).isIn(110L, 10L, 0L);
        awaitNothingLeft();

        assertStored(SECOND, few(100));
        assertStored(SECOND + 10, few(10));
        assertThat(gauge("publish_spool_points")).isZero();
        assertThat(gauge("publish_spool_bytes")).isZero();
        assertThat(gauge("publish_spool_oldest_seconds")).isZero();
        assertThat(counted("publish_lost_points_total")).isZero();
    }

    @Test
    void a_partly_confirmed_tick_sends_only_the_rest_when_it_is_no_longer_the_current_one() throws Exception {
        AtomicBoolean sick = new AtomicBoolean(true);
        tsd((number, put) -> {
            if (sick.get() && isRefused(put)) {
                put.answer(503, "");
            } else {
                takeAll(number, put);
            }
        });
        given.put(CollectorFlag.OPENTSDB_BODY, "1k");
        Sink sink = sink();
        sink.put(SECOND, few(1000));
        await().atMost(PATIENCE).until(() -> counted("publish_points_total") > 800);
        sink.put(SECOND + 10, counter("next", 1));
        await().atMost(PATIENCE).until(() -> gauge("publish_spool_points") > 0);
        assertThat(gauge("publish_spool_points")).isLessThan(200);
        assertThat(gauge("publish_spool_bytes")).isPositive();
        assertThat(gauge("publish_spool_oldest_seconds")).isEqualTo(100);

        sick.set(false);
        awaitNothingLeft();

        assertStored(SECOND, few(1000));
        assertThat(counted("publish_points_total")).isEqualTo(1001);
    }

    @Test
    void a_full_spool_drops_its_oldest_ticks_and_logs_it() throws Exception {
        tsd((number, put) -> put.answer(503, ""));
        given.put(CollectorFlag.SPOOL, "1m");
        Sink sink = sink();
        Snapshot values = counters(10_000);

        for (int tick = 0; tick < 10; tick++) {
            sink.put(SECOND + tick, values);
        }

        long bytes = 0;
        for (Path tick : files()) {
            bytes += Files.size(tick);
        }
        assertThat(bytes).isBetween(500_000L, 1L << 20);
        assertThat(ticks()).last().isEqualTo((SECOND + 9) + "-10000.tick");
        assertThat(ticks()).doesNotContain(SECOND + "-10000.tick");
        assertThat(counted("publish_lost_points_total")).isEqualTo(10_000L * (10 - ticks().size()));
        assertThat(said.lines())
                .anySatisfy(line ->
                        assertThat(line).contains("is full", "its oldest points are lost (points: 10000)", "--spool"));
    }

    @Test
    void a_damaged_tick_in_the_spool_is_logged_and_affects_no_other() throws Exception {
        tsd(this::takeAll);
        Files.write(folder.resolve("1700000000-5.tick"), new byte[] {0, 0, 0, 9, 0, 0, 0, 5, 1});
        Files.write(folder.resolve("unfinished"), new byte[] {1});

        deliver(few(10));

        assertStored(SECOND, few(10));
        assertThat(counted("publish_lost_points_total")).isEqualTo(5);
        assertThat(said.lines()).singleElement().asString().contains("1700000000-5.tick", "damaged");
    }

    @Test
    void a_tick_whose_file_is_deleted_after_it_was_begun_is_lost_and_delays_no_other() throws Exception {
        AtomicBoolean fails = new AtomicBoolean(true);
        tsd((number, put) -> {
            if (fails.get()) {
                put.answer(503, "");
            } else {
                takeAll(number, put);
            }
        });
        Sink sink = sink();
        sink.put(SECOND, few(3));
        await().atMost(PATIENCE).until(() -> counted("publish_retries_total") > 0);

        for (Path tick : files()) {
            Files.delete(tick);
        }
        await().atMost(PATIENCE).until(() -> counted("publish_lost_points_total") == 3);
        fails.set(false);
        sink.put(SECOND + 10, few(3));

        awaitNothingLeft();
        assertThat(counted("publish_points_total")).isEqualTo(3);
        assertThat(said.lines())
                .anySatisfy(line -> assertThat(line).contains("points of the spool are lost (points: 3)"));
    }

    @Test
    void a_second_that_is_in_the_spool_already_is_not_overwritten() throws Exception {
        tsd((number, put) -> put.answer(503, ""));
        Sink sink = sink();
        sink.put(SECOND, few(10));
        sink.put(SECOND, few(20));

        assertThat(ticks()).containsExactly(SECOND + "-10.tick");
        assertThat(counted("publish_lost_points_total")).isEqualTo(20);
        assertThat(said.lines()).anySatisfy(line -> assertThat(line).contains("already"));
    }

    @Test
    @Tag("slow")
    void a_server_that_hangs_does_not_delay_the_end() throws Exception {
        tsd((number, put) -> tsd().hang());
        Sink sink = sink();
        sink.put(SECOND, counters(20_000));
        await().atMost(PATIENCE).until(() -> !tsd().puts.isEmpty());
        long begin = System.nanoTime();

        sink.close();

        // One request would be given up after 5 s.
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMillis(4500));
        assertThat(ticks()).containsExactly(SECOND + "-20000.tick");
    }

    /** Sends a beginning, and parts until they are not read; returns how many characters of the parts were sent. */
    private static long answerForEver(Tsd.Put put, int status, String beginning, String part) throws IOException {
        byte[] bytes = part.repeat(10_000).getBytes(UTF_8);
        put.exchange().sendResponseHeaders(status, 0);
        OutputStream out = put.exchange().getResponseBody();
        long sent = 0;
        try {
            out.write(beginning.getBytes(UTF_8));
            while (sent < 256L << 20) {
                out.write(bytes);
                sent += bytes.length;
            }
        } catch (IOException gaveUp) {
            return sent;
        }
        return sent;
    }

    @Test
    @Tag("slow")
    void an_answer_that_does_not_end_is_canceled_and_the_points_are_sent_again() throws Exception {
        List<Long> sent = new CopyOnWriteArrayList<>();
        tsd((number, put) -> {
            switch (number) {
                case 1 -> sent.add(answerForEver(put, 200, "{\"failed\":10,\"errors\":[", "{\"error\":\"x\"},"));
                case 2 -> sent.add(answerForEver(put, 400, "{\"error\":\"", "xxxxxxxxxx"));
                case 3 -> sent.add(answerForEver(put, 400, "", "[[[[[[[[["));
                case 4 -> sent.add(answerForEver(put, 500, "", "<html>"));
                case 5 -> sent.add(answerForEver(put, 200, "{\"failed\":0,\"errors\":[", "          "));
                default -> takeAll(number, put);
            }
        });

        deliver(few(10));

        assertStored(SECOND, few(10));
        await().atMost(PATIENCE).until(() -> sent.size() == 5);
        assertThat(sent).as("no more than the sockets buffer").allMatch(letters -> letters < 32L << 20);
        assertThat(counted("publish_points_total")).isEqualTo(10);
        assertThat(said.lines()).singleElement().asString().contains("sent again");
    }

    @Test
    void an_error_while_an_answer_is_evaluated_ends_only_this_request() throws Exception {
        tsd((number, put) -> {
            if (number == 1) {
                broken.set(true);
                put.answer(
                        200,
                        "{\"success\":9,\"failed\":1,\"errors\":["
                                + put.points().get(2).named("Storage exception: null") + "]}");
            } else {
                takeAll(number, put);
            }
        });

        deliver(few(10));
        sinks.get(0).put(SECOND + 10, few(10));
        ticked.addAndGet(10);
        awaitNothingLeft();

        assertStored(SECOND, few(10));
        assertStored(SECOND + 10, few(10));
        assertThat(gauge("publish_in_flight_bytes")).isZero();
        assertThat(said.lines()).singleElement().asString().contains("OutOfMemoryError", "sent again");
    }

    @Test
    @Tag("slow")
    void large_bodies_wait_for_each_other_if_the_heap_is_small() throws Exception {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        heapBytes = 8 * 100 * 1024;
        given.put(CollectorFlag.OPENTSDB_BODY, "64m");
        tsd((number, put) -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            assertThat(put.wireBytes()).isLessThanOrEqualTo(64 * 1024);
            now.decrementAndGet();
            takeAll(number, put);
        });
        Snapshot values = counters(60_000);

        deliver(values);

        assertStored(SECOND, values);
        assertThat(tsd().puts).hasSizeGreaterThan(10);
        assertThat(most.get()).isOne();
    }

    @Test
    @Tag("slow")
    void parts_in_memory_are_bounded_and_beyond_that_whole_bodies_are_sent_again() throws Exception {
        AtomicBoolean sick = new AtomicBoolean(true);
        heapBytes = 16 * 20_000;
        tsd((number, put) -> {
            if (sick.get() && put.points().size() > 1) {
                List<Tsd.Point> points = put.points();
                points.subList(0, points.size() / 10).forEach(tsd()::store);
                put.answer(
                        200,
                        "{\"failed\":1,\"errors\":["
                                + points.subList(points.size() / 10, points.size()).stream()
                                        .map(point -> point.named("Please throttle"))
                                        .collect(Collectors.joining(","))
                                + "]}");
            } else {
                takeAll(number, put);
            }
        });
        Sink sink = sink();
        sink.put(SECOND, counters(10_000));
        await().atMost(PATIENCE)
                .until(() -> said.lines().stream().anyMatch(line -> line.contains("no more parts are kept")));

        sick.set(false);
        awaitNothingLeft();

        assertStored(SECOND, counters(10_000));
        assertThat(counted("publish_points_total")).isEqualTo(10_000);
    }

    @Test
    void the_size_of_a_body_is_limited_by_the_heap() {
        assertThat(HttpSink.bodyBytes(8 << 10, 64 << 20)).isEqualTo(8 << 10);
        assertThat(HttpSink.bodyBytes(64 << 20, 256 << 20)).isEqualTo(512 << 10);
        assertThat(HttpSink.bodyBytes(64 << 20, 64L << 30)).isEqualTo(64 << 20);
    }

    @Test
    void points_for_a_host_that_does_not_resolve_are_kept() throws Exception {
        tsd(this::takeAll);
        Sink nowhere = sink(requireNonNull(HttpUrl.parse("http://no-such-host.invalid:4242")));

        nowhere.put(SECOND, few(10));

        await().atMost(PATIENCE).until(() -> !said.lines().isEmpty());
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("no-such-host.invalid", "cannot be reached", "sent again");
        assertThat(ticks()).containsExactly(SECOND + "-10.tick");
    }

    @Test
    void an_answer_cannot_forge_a_line_in_the_log() throws Exception {
        tsd((number, put) -> {
            String forged = "Invalid \\u001b[31m\\r\\n2026-01-01 ERROR all is lost \\u2028\\u202e";
            switch (number) {
                case 1 -> put.answer(500, "\33[31m\n2026-01-01 ERROR all is lost");
                default ->
                    put.answer(
                            400,
                            "{\"success\":9,\"failed\":1,\"errors\":["
                                    + put.points().get(2).named(forged) + "]}");
            }
        });

        deliver(few(10));

        assertThat(said.lines())
                .hasSize(2)
                .allSatisfy(line -> assertThat(line).doesNotContainPattern("[\\p{C}\\p{Zl}\\p{Zp}]"));
    }

    @Test
    void the_sinks_name_has_its_address_without_the_password() throws Exception {
        tsd(this::takeAll);
        HttpUrl address =
                tsd().address().newBuilder().username("me").password("secret").build();

        assertThat(sink(address))
                .hasToString("OpenTSDB at http://127.0.0.1:" + tsd().address().port());
    }

    @Test
    void a_server_that_takes_nothing_is_trouble_until_it_does() throws Exception {
        AtomicBoolean isWell = new AtomicBoolean(true);
        tsd((number, put) -> {
            if (isWell.get()) {
                takeAll(number, put);
            } else {
                put.answer(503, "");
            }
        });
        Sink sink = sink();
        sink.put(SECOND, few(1));
        awaitNothingLeft();
        assertThat(sink.trouble()).isEmpty();

        isWell.set(false);
        sink.put(SECOND + 10, few(1));
        await().atMost(PATIENCE).until(() -> sink.trouble().isPresent());
        assertThat(sink.trouble().orElseThrow()).startsWith(sink + " takes no points; older points in the spool: ");

        isWell.set(true);
        awaitNothingLeft();
        assertThat(sink.trouble()).isEmpty();
    }

    @Test
    void a_spool_that_takes_nothing_is_trouble_until_it_does() throws Exception {
        tsd(this::takeAll);
        Sink sink = sink();
        Files.delete(folder);
        sink.put(SECOND, few(1));
        assertThat(sink.trouble().orElseThrow()).startsWith(sink + " loses points, because they cannot be written to ");

        Files.createDirectory(folder);
        sink.put(SECOND + 10, few(1));

        assertThat(sink.trouble()).isEmpty();
        awaitNothingLeft();
    }
}
