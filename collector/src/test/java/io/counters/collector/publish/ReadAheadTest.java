package io.counters.collector.publish;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.MetricSum;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.settings.Settings;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Sinks whose ticks something else keeps until they are done. */
class ReadAheadTest {
    private static final long SECOND = 1_700_000_010;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final SaidFaults said = new SaidFaults();
    private final Metrics metrics = new Metrics();
    private final AtomicLong skipped = new AtomicLong();
    private final List<Long> done = new CopyOnWriteArrayList<>();
    private long heapBytes = 1L << 30;
    private @Nullable Tsd tsd;
    private @Nullable HttpSink sink;

    @AfterEach
    void close() {
        if (sink != null) {
            sink.close();
        }
        if (tsd != null) {
            tsd.close();
            assertThat(tsd.conflicts).isEmpty();
        }
    }

    private HttpSink sink(Tsd.Manner manner) throws IOException {
        tsd = new Tsd(manner);
        sink = HttpSink.readingAhead(
                SinkAddress.Kind.OPENTSDB.address(tsd.address().toString()),
                "the topic counters.ticks",
                PublishSettings.from(new Settings(Map.of(), Map.of())),
                heapBytes,
                InstantSource.fixed(Instant.ofEpochSecond(SECOND + 100)),
                () -> System.nanoTime() + skipped.get(),
                new Random(1),
                work -> {
                    Thread thread = new Thread(work, "counters-opentsdb");
                    thread.setDaemon(true);
                    return thread;
                },
                said.log(),
                metrics);
        return sink;
    }

    private void put(long second, int points) {
        String[] names = new String[points];
        long[] values = new long[points];
        Random random = new Random(second);
        for (int i = 0; i < points; i++) {
            names[i] = "c" + i;
            values[i] = random.nextLong();
        }
        requireNonNull(sink).put(second, new Snapshot(names, values, points), () -> done.add(second));
    }

    private void store(Tsd.Put put) throws IOException {
        requireNonNull(tsd).store(put);
        put.answer(204, "");
    }

    @Test
    void a_tick_is_done_when_all_its_points_are_confirmed() throws Exception {
        sink((number, put) -> store(put));

        put(SECOND, 5000);
        put(SECOND, 3);
        put(SECOND + 10, 10);

        await().atMost(PATIENCE).until(() -> done.size() == 3);
        assertThat(done).containsExactlyInAnyOrder(SECOND, SECOND, SECOND + 10);
        assertThat(requireNonNull(tsd).stored).hasSize(5010);
        assertThat(MetricSum.of(metrics.values(), "publish_points_total")).isEqualTo(5013);
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void a_tick_without_points_is_done_at_once() throws Exception {
        sink((number, put) -> store(put));

        put(SECOND, 0);

        assertThat(done).containsExactly(SECOND);
    }

    @Test
    void nothing_is_done_while_points_are_not_confirmed() throws Exception {
        AtomicInteger refusing = new AtomicInteger(1);
        sink((number, put) -> {
            if (refusing.get() > 0) {
                put.answer(503, "no");
            } else {
                store(put);
            }
        });
        for (int i = 5; i > 0; i--) {
            put(SECOND + 10L * i, 2);
        }
        await().atMost(PATIENCE).until(() -> requireNonNull(tsd).puts.size() > 3);
        assertThat(done).isEmpty();
        assertThat(requireNonNull(sink).waitingPoints()).isEqualTo(10);
        assertThat(requireNonNull(sink).oldestSecond(0)).isEqualTo(SECOND + 10);
        assertThat(requireNonNull(sink).trouble()).isPresent();

        refusing.set(0);
        await().atMost(PATIENCE).until(() -> done.size() == 5);
        assertThat(requireNonNull(sink).waitingPoints()).isZero();
        assertThat(requireNonNull(sink).oldestSecond(7)).isEqualTo(7);
    }

    @Test
    void thousands_of_small_ticks_leave_no_room_either() throws Exception {
        heapBytes = 16 << 20;
        sink((number, put) -> put.answer(503, "no"));
        int ticks = 0;
        while (requireNonNull(sink).hasRoom()) {
            put(SECOND + 10L * ticks++, 1);
        }

        assertThat(ticks).isLessThan(2100);
    }

    @Test
    void points_that_are_refused_permanently_are_given_up_and_the_tick_is_done() throws Exception {
        sink((number, put) -> put.answer(
                400,
                "{\"failed\":1,\"success\":1,\"errors\":[" + put.points().get(0).named("Invalid value") + "]}"));

        put(SECOND, 2);

        await().atMost(PATIENCE).until(() -> done.size() == 1);
        assertThat(MetricSum.of(metrics.values(), "publish_bad_points_total")).isEqualTo(1);
        assertThat(MetricSum.of(metrics.values(), "publish_points_total")).isEqualTo(1);
    }

    @Test
    void there_is_no_room_while_a_sixteenth_of_the_heap_waits_and_confirmed_points_take_none() throws Exception {
        heapBytes = 16 * 200_000;
        AtomicInteger answers = new AtomicInteger(503);
        sink((number, put) -> {
            if (answers.get() == 204) {
                store(put);
            } else if (answers.get() == 400) {
                List<Tsd.Point> unknown = put.points().stream()
                        .filter(point -> point.metric().equals("c0"))
                        .toList();
                put.answer(
                        400,
                        "{\"failed\":" + unknown.size() + ",\"success\":"
                                + (put.points().size() - unknown.size())
                                + ",\"errors\":["
                                + unknown.stream()
                                        .map(point -> point.named("Unknown metric"))
                                        .collect(Collectors.joining(","))
                                + "]}");
            } else {
                put.answer(503, "no");
            }
        });
        assertThat(requireNonNull(sink).hasRoom()).isTrue();
        int ticks = 0;
        while (requireNonNull(sink).hasRoom()) {
            put(SECOND + 10L * ticks++, 2000);
        }
        assertThat(ticks).isBetween(3, 50);

        // Of each tick one point is left.
        answers.set(400);
        int all = ticks;
        await().atMost(PATIENCE).until(() -> requireNonNull(sink).waitingPoints() == all);
        assertThat(requireNonNull(sink).hasRoom()).isTrue();
        assertThat(done).isEmpty();

        answers.set(204);
        await().atMost(PATIENCE).until(() -> done.size() == all);
    }

    @Test
    void what_is_not_delivered_at_the_end_is_not_done() throws Exception {
        sink((number, put) -> put.answer(503, "no"));

        put(SECOND, 2);
        await().atMost(PATIENCE).until(() -> !requireNonNull(tsd).puts.isEmpty());
        requireNonNull(sink).close();

        assertThat(done).isEmpty();
    }
}
