package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.prometheus.SeriesMarks;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublisherTest {
    @TempDir
    Path folder;

    private final List<String> put = new CopyOnWriteArrayList<>();
    private final Map<CollectorFlag, String> given = new EnumMap<>(CollectorFlag.class);

    /** Keeps the points that it gets. */
    private class KeepingSink implements Sink {
        @Override
        public void put(long second, Snapshot values) {
            StringBuilder text = new StringBuilder(second + ":");
            for (int i = 0; i < values.size(); i++) {
                text.append(" " + values.names()[i] + "=" + values.values()[i]);
            }
            put.add(text.toString());
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    /** Publishes at these seconds, and closes. The sink must have each tick before the next, because only two can wait. */
    private void publish(KeptLedger kept, long... seconds) {
        try (Publisher publisher = publisher(kept, List.of(new KeepingSink()))) {
            for (long second : seconds) {
                int before = put.size();
                long ticks = kept.counted("publish_ticks_total");
                publisher.publish(second);
                long published = kept.counted("publish_ticks_total") - ticks;
                await().until(() -> put.size() == before + published);
            }
        }
    }

    /** Publishes a tick that its sink gets, and waits until it has it: of two that wait, it would get only the latter. */
    private void publishOne(Publisher publisher, long second) {
        int before = put.size();
        publisher.publish(second);
        await().until(() -> put.size() == before + 1);
    }

    private Publisher publisher(KeptLedger kept, List<Sink> sinks) {
        return new Publisher(
                kept.ledger,
                kept.commit,
                sinks,
                PublishSettings.from(new Settings(given, Map.of())),
                work -> {
                    Thread thread = new Thread(work, "counters-sink");
                    thread.setDaemon(true);
                    return thread;
                },
                kept.said.log(),
                kept.metrics);
    }

    @Test
    void counts_are_committed_and_then_published() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a 5\ndecrement b 2");

            publish(kept, 100);

            assertThat(put).containsExactly("100: a=5 b=-2");
            assertThat(kept.counted("ledger_commits_total")).isEqualTo(1);
        }
    }

    /** Its receiver would take the smaller value, of a later second, for a restart of the counter. */
    @Test
    void a_sink_that_needs_order_gets_no_second_before_one_that_it_had() throws Exception {
        List<String> ordered = new CopyOnWriteArrayList<>();
        Sink sink = new KeepingSink() {
            @Override
            public void put(long second, Snapshot values) {
                ordered.add(second + "=" + values.values()[0]);
            }

            @Override
            public boolean needsOrder() {
                return true;
            }
        };
        try (KeptLedger kept = new KeptLedger(folder, false);
                Publisher publisher = publisher(kept, List.of(sink, new KeepingSink()))) {
            for (long second : new long[] {4_000, 4_010, 4_000, 400, 4_010, 4_020}) {
                kept.datagram("increment a");
                publishOne(publisher, second);
            }
            assertThat(kept.counted("publish_skipped_ticks_total")).isEqualTo(2);
            await().until(() -> ordered.size() == 4);
        }
        assertThat(ordered).containsExactly("4000=1", "4010=2", "4011=5", "4020=6");
        assertThat(put).containsExactly("4000: a=1", "4010: a=2", "4001: a=3", "400: a=4", "4011: a=5", "4020: a=6");
    }

    @Test
    void a_sink_that_names_counters_for_prometheus_is_told_what_it_needs() throws Exception {
        given.put(CollectorFlag.SINK, "prometheus:http://127.0.0.1:1/api/v1/write");
        given.put(CollectorFlag.IDLE, "10s");
        List<Snapshot> ticks = new CopyOnWriteArrayList<>();
        Sink sink = new Sink() {
            @Override
            public void put(long second, Snapshot values) {
                ticks.add(values);
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
        try (KeptLedger kept = new KeptLedger(folder, false);
                Publisher publisher = publisher(kept, List.of(sink))) {
            kept.wallSeconds = 90;
            kept.datagram("increment a.b\nincrement a_b\nincrement carts,x=1\ndecrement carts,x=2");
            publisher.publish(100);
            await().until(() -> ticks.size() == 1);
            kept.wallSeconds = 105;
            kept.datagram("increment carts,x=1");
            publisher.publish(110);
            await().until(() -> ticks.size() == 2);
        }

        assertThat(List.of(0, 1, 2, 3))
                .extracting(place -> ticks.get(0).isMarked(place, SeriesMarks.GAUGE))
                .containsExactly(false, false, true, true);
        assertThat(ticks.get(0).isMarked(1, SeriesMarks.NAME_ESCAPED)).isTrue();
        assertThat(ticks.get(0).createdSecond(2)).isEqualTo(90);
        assertThat(ticks.get(1).size()).as("those that moved").isOne();
        assertThat(ticks.get(1).isMarked(0, SeriesMarks.GAUGE)).isTrue();
        assertThat(ticks.get(1).createdSecond(0)).isEqualTo(90);
    }

    @Test
    void no_second_is_used_twice_even_after_a_restart() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            publish(kept, 100, 100);
        }
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            publish(kept, 90, 110);
        }

        assertThat(put).containsExactly("100: a=1", "101: a=1", "90: a=2", "110: a=2");
    }

    @Test
    void nothing_is_published_while_commits_fail() throws Exception {
        KeptLedger kept = new KeptLedger(folder, false);
        kept.datagram("increment a");
        kept.commit.run();
        kept.close();

        publish(kept, 100);

        assertThat(put).isEmpty();
        assertThat(kept.counted("publish_skipped_ticks_total")).isEqualTo(1);
        assertThat(kept.counted("publish_ticks_total")).isZero();
    }

    @Test
    void without_a_sink_no_second_is_used() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            publisher(kept, List.of()).publish(100);

            assertThat(kept.counted("ledger_commits_total")).isZero();
        }
    }

    @Test
    void stdout_prints_points_as_put_lines() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Sink sink = new StdoutSink(
                new PrintStream(bytes, true, UTF_8), PublishSettings.from(new Settings(given, Map.of())))) {
            sink.put(
                    1_700_000_010,
                    new Snapshot(
                            new String[] {"orders.placed", "carts,host=a,src=shop", "later"},
                            new long[] {5, Long.MIN_VALUE, 1},
                            2));

            assertThat(sink).hasToString("stdout");
        }

        assertThat(bytes.toString(UTF_8)).isEqualTo("""
                        put orders.placed 1700000010 5 src=counters
                        put carts 1700000010 -9223372036854775808 host=a src=shop
                        """);
    }

    @Test
    @Tag("slow")
    void a_sink_that_hangs_delays_no_other_and_loses_only_its_own_points() throws Exception {
        CountDownLatch stuck = new CountDownLatch(1);
        AtomicInteger missed = new AtomicInteger();
        Sink hanging = new Sink() {
            @Override
            public void missed() {
                missed.incrementAndGet();
            }

            @Override
            public void put(long second, Snapshot values) {
                await().until(() -> stuck.getCount() == 0);
            }

            @Override
            public String toString() {
                return "a sink that hangs";
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
        try (KeptLedger kept = new KeptLedger(folder, false);
                Publisher publisher = publisher(kept, List.of(hanging, new KeepingSink()))) {
            kept.datagram("increment a");

            for (int second = 100; second < 110; second++) {
                publisher.publish(second);
                int number = second - 99;
                await().until(() -> put.size() == number);
            }

            assertThat(kept.counted("publish_ticks_total")).isEqualTo(10);
            assertThat(kept.counted("publish_lost_points_total{sink=\"a sink that hangs\"}"))
                    .isEqualTo(7);
            assertThat(kept.counted("publish_lost_points_total")).isEqualTo(7);
            assertThat(missed).hasValue(7);
            assertThat(kept.said.lines()).singleElement().asString().contains("a sink that hangs accepts nothing");
            stuck.countDown();
        }
    }

    @Test
    void every_counter_is_published_whether_it_changes_or_not() throws Exception {
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");

            publish(kept, 100, 10_000);

            assertThat(put).containsExactly("100: a=1", "10000: a=1");
        }
    }

    @Test
    void with_idle_an_unchanged_counter_is_left_out_until_it_changes() throws Exception {
        given.put(CollectorFlag.IDLE, "20s");
        try (KeptLedger kept = new KeptLedger(folder, false);
                Publisher publisher = publisher(kept, List.of(new KeepingSink()))) {
            kept.datagram("increment a\nincrement rests");
            for (int second = 100; second <= 140; second += 10) {
                publishOne(publisher, second);
                kept.datagram(second == 130 ? "increment a\nincrement rests\nincrement new" : "increment a");
            }
        }
        assertThat(put)
                .containsExactly(
                        "100: a=1 rests=1", "110: a=2 rests=1", "120: a=3", "130: a=4", "140: a=5 rests=2 new=1");
        put.clear();

        try (KeptLedger kept = new KeptLedger(folder, false)) {
            publish(kept, 200, 210, 220);
        }
        assertThat(put).containsExactly("200: a=5 rests=2 new=1", "210: a=5 rests=2 new=1", "220:");
    }

    @Test
    void with_idle_a_removed_counter_leaves_the_others_idle_and_counts_as_changed_when_it_is_back() throws Exception {
        given.put(CollectorFlag.IDLE, "20s");
        try (KeptLedger kept = new KeptLedger(folder, false);
                Publisher publisher = publisher(kept, List.of(new KeepingSink()))) {
            kept.datagram("increment removed\nincrement rests\nincrement moves");
            for (int second = 100; second <= 140; second += 10) {
                publishOne(publisher, second);
                if (second == 120) {
                    kept.ledger.remove("removed");
                }
                kept.datagram(second == 130 ? "increment removed\nincrement moves" : "increment moves");
            }
        }

        assertThat(put)
                .containsExactly(
                        "100: removed=1 rests=1 moves=1",
                        "110: removed=1 rests=1 moves=2",
                        "120: moves=3",
                        "130: moves=4",
                        "140: removed=1 moves=5");
    }

    @Test
    void a_clock_that_jumps_does_not_change_which_counters_are_idle() throws Exception {
        given.put(CollectorFlag.IDLE, "30s");
        long year = 365 * 86_400;
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a\nincrement rests");
            publish(kept, 100, 110, 120 + year, 90 + year, 130 + year, 140 + year);
        }

        assertThat(put).hasSize(6);
        assertThat(put.subList(0, 3)).allMatch(tick -> tick.endsWith(": a=1 rests=1"));
        assertThat(put.subList(3, 6)).allMatch(tick -> tick.endsWith(":"));
    }

    @Test
    void an_error_in_a_sink_ends_only_that_tick() throws Exception {
        List<Long> seconds = new CopyOnWriteArrayList<>();
        Sink failing = new Sink() {
            @Override
            public void put(long second, Snapshot values) {
                if (second == 100) {
                    throw new OutOfMemoryError("told to");
                }
                seconds.add(second);
            }

            @Override
            public void close() {
                throw new IllegalStateException("told to");
            }
        };
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");

            try (Publisher publisher = publisher(kept, List.of(failing))) {
                publisher.publish(100);
                await().until(() -> kept.counted("publish_lost_points_total") == 1);
                publisher.publish(110);
            }

            assertThat(seconds).containsExactly(110L);
            assertThat(kept.counted("publish_lost_points_total")).isEqualTo(1);
            assertThat(kept.said.lines()).singleElement().asString().contains("OutOfMemoryError", "second 100");
        }
    }

    @Test
    void a_series_gets_the_tags_that_its_name_lacks_as_far_as_there_is_room() {
        Series series = new Series("", List.of(new Series.Tag("x", "1"), new Series.Tag("yy", "2")));

        assertThat(series.added("a")).isSameAs(series.tags());
        assertThat(series.added("a,b=1,y=x")).isSameAs(series.tags());
        assertThat(series.added("a,x=0")).containsExactly(new Series.Tag("yy", "2"));
        assertThat(series.added("a,x=0,yy=0")).isEmpty();
        assertThat(series.added("a,a=1,b=1,c=1,d=1,e=1,f=1")).isSameAs(series.tags());
        assertThat(series.added("a,a=1,b=1,c=1,d=1,e=1,f=1,g=1")).containsExactly(new Series.Tag("x", "1"));
        assertThat(series.added("a,a=1,b=1,c=1,d=1,e=1,f=1,x=1")).containsExactly(new Series.Tag("yy", "2"));
    }

    @Test
    void a_broken_stdout_is_logged_and_its_points_count_as_lost() throws Exception {
        PrintStream broken = new PrintStream(new OutputStream() {
            @Override
            public void write(int letter) throws IOException {
                throw new IOException("Broken pipe");
            }
        });
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            Sink sink = new StdoutSink(broken, PublishSettings.from(new Settings(given, Map.of())));

            try (Publisher publisher = publisher(kept, List.of(sink))) {
                publisher.publish(100);
            }

            assertThat(kept.counted("publish_lost_points_total")).isEqualTo(1);
            assertThat(kept.said.lines()).singleElement().asString().contains("stdout cannot be written");
        }
    }

    @Test
    @Tag("slow")
    void closing_waits_only_once_for_a_sink_that_hangs() throws Exception {
        CountDownLatch stuck = new CountDownLatch(1);
        Sink hanging = new Sink() {
            @Override
            public void put(long second, Snapshot values) {
                await().until(() -> stuck.getCount() == 0);
            }

            @Override
            public void close() {
                // Nothing is open.
            }
        };
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("increment a");
            Publisher publisher = publisher(kept, List.of(hanging));
            publisher.publish(100);
            publisher.close();

            long fastestNanos = Long.MAX_VALUE;
            for (int i = 0; i < 5; i++) {
                long begin = System.nanoTime();
                publisher.close();
                fastestNanos = Math.min(fastestNanos, System.nanoTime() - begin);
            }
            assertThat(Duration.ofNanos(fastestNanos))
                    .as("if it waited again, each would take 2.5 s")
                    .isLessThan(Duration.ofSeconds(1));
        } finally {
            stuck.countDown();
        }
    }

    @Test
    void a_tick_that_could_not_be_written_leaves_no_file() throws Exception {
        Snapshot values = new Snapshot(new String[] {"a"}, new long[] {1}, 1);
        TickPacker bodies =
                new TickPacker(new PutBodies(new Series("", List.of(new Series.Tag("src", "counters")))), 1024);
        Path own = new Spool(folder, 1L << 20).write(100, values, bodies).path();
        // In the way of the tick's own name.
        Files.delete(own);
        Files.createDirectory(own);
        Spool spool = new Spool(folder, 1L << 20);

        assertThatThrownBy(() -> spool.write(100, values, bodies)).isInstanceOf(IOException.class);

        assertThat(folder.resolve("unfinished")).doesNotExist();
    }

    @Test
    void a_login_in_the_address_of_an_opentsdb_is_refused_and_not_shown() {
        for (CollectorFlag setting : List.of(CollectorFlag.OPENTSDB, CollectorFlag.SINK)) {
            String address = "http://me:hunter2@h:4242";
            Settings settings = new Settings(
                    Map.of(setting, setting == CollectorFlag.SINK ? "opentsdb:" + address : address), Map.of());
            PublishSettings.from(settings);

            assertThat(catchThrowableOfType(SettingsException.class, settings::check)
                            .mistakes())
                    .singleElement()
                    .asString()
                    .contains("must not contain a login")
                    .doesNotContain("hunter2");
        }
    }
}
