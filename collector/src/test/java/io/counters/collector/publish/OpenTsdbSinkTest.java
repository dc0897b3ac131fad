package io.counters.collector.publish;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.self.SaidFaults;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import okhttp3.HttpUrl;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Against a server on loopback that answers as a TSD does on its good and bad days. */
class OpenTsdbSinkTest {
    private static final long SECOND = 1_700_000_010;
    private static final Duration LONG = Duration.ofSeconds(20);

    private final Self self = new Self();
    private final SaidFaults said = new SaidFaults();
    private final AtomicReference<@Nullable Tsd> running = new AtomicReference<>();

    @AfterEach
    void close() {
        tsd().close();
    }

    private Tsd tsd(Tsd.Manner manner) throws IOException {
        running.set(new Tsd(manner));
        return requireNonNull(running.get());
    }

    private Tsd tsd() {
        return requireNonNull(running.get());
    }

    private void put(Snapshot values, Duration within) {
        put(tsd().address(), values, within);
    }

    private void put(HttpUrl address, Snapshot values, Duration within) {
        try (Sink sink = new OpenTsdbSink(address, System::nanoTime, said.log(), self)) {
            sink.put(SECOND, values, within);
        }
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

    private static Snapshot counter(String name, long value) {
        return new Snapshot(new String[] {name, "no.counter.yet"}, new long[] {value, 7}, 1);
    }

    private long counted(String name) {
        return self.values().getOrDefault(name, 0L);
    }

    private void assertStored(Snapshot values) {
        assertThat(tsd().stored).hasSize(values.size());
        for (int i = 0; i < values.size(); i++) {
            Series series = Series.of(values.names()[i]);
            StringBuilder tags = new StringBuilder();
            series.tags()
                    .forEach((key, value) ->
                            tags.append(tags.length() == 0 ? "" : ",").append("\"" + key + "\":\"" + value + "\""));
            assertThat(tsd().stored.get(series.metric() + "{" + tags + "}"))
                    .isEqualTo(new Tsd.Point(series.metric(), SECOND, values.values()[i], tags.toString()));
        }
    }

    private void takeAll(int number, Tsd.Put put) throws IOException {
        tsd().store(put);
        put.answer(204, "");
    }

    @Test
    void a_point_is_put_as_integers_of_seconds_with_a_tag() throws Exception {
        tsd(this::takeAll);

        put(counter("orders.placed", -42), LONG);

        Tsd.Put put = tsd().puts.get(0);
        assertThat(put.json())
                .isEqualTo("[{\"metric\":\"orders.placed\",\"timestamp\":1700000010,\"value\":-42,"
                        + "\"tags\":{\"src\":\"counters\"}}]");
        assertThat(put.target()).isEqualTo("POST /api/put?details");
        assertThat(put.headers())
                .containsEntry("Content-encoding", "gzip")
                .containsEntry("Content-length", String.valueOf(put.wireBytes()))
                .doesNotContainKey("Transfer-encoding");
        assertThat(counted("publish_points_total")).isEqualTo(1);
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void an_address_with_a_path_keeps_it() throws Exception {
        tsd(this::takeAll);

        put(tsd().address().newBuilder().addPathSegment("tsdb").build(), counter("a", 1), LONG);

        assertThat(tsd().puts.get(0).target()).isEqualTo("POST /tsdb/api/put?details");
    }

    @Test
    void twenty_thousand_points_arrive_in_bodies_below_8_kib() throws Exception {
        tsd(this::takeAll);
        Snapshot values = counters(20_000);

        put(values, LONG);

        assertStored(values);
        assertThat(tsd().puts).allSatisfy(put -> {
            assertThat(put.wireBytes()).isLessThan(8192);
            assertThat(put.headers())
                    .containsEntry("Content-encoding", "gzip")
                    .containsEntry("Content-length", String.valueOf(put.wireBytes()));
        });
        assertThat(counted("publish_points_total")).isEqualTo(20_000);
        assertThat(counted("publish_retries_total")).isZero();
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void nothing_to_publish_is_no_request() throws Exception {
        tsd(this::takeAll);

        put(counters(0), LONG);

        assertThat(tsd().puts).isEmpty();
    }

    @Test
    void points_that_it_names_as_bad_are_counted_and_not_sent_again() throws Exception {
        tsd((number, put) -> put.answer(
                400,
                "{\"success\":" + (put.points() - 1) + ",\"failed\":1,\"errors\":[{\"error\":\"Unknown metric\"}]}"));

        put(counters(10), LONG);

        assertThat(tsd().puts).hasSize(1);
        assertThat(counted("publish_points_total")).isEqualTo(9);
        assertThat(counted("publish_bad_points_total")).isEqualTo(1);
        assertThat(said.lines()).singleElement().asString().contains("400", "Unknown metric");
    }

    @Test
    void points_that_failed_in_an_answer_of_200_are_counted_as_bad() throws Exception {
        tsd((number, put) -> put.answer(200, "{\"success\":7,\"failed\":3,\"errors\":[{\"error\":\"no UID\"}]}"));

        put(counters(10), LONG);

        assertThat(counted("publish_points_total")).isEqualTo(7);
        assertThat(counted("publish_bad_points_total")).isEqualTo(3);
        assertThat(said.lines()).singleElement().asString().contains("no UID");
    }

    @Test
    void a_good_answer_with_details_is_a_good_answer() throws Exception {
        tsd((number, put) -> put.answer(200, "{\"success\":10,\"failed\":0,\"errors\":[]}"));

        put(counters(10), LONG);

        assertThat(counted("publish_points_total")).isEqualTo(10);
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void after_an_error_the_same_bytes_are_sent_again() throws Exception {
        tsd((number, put) -> {
            if (number <= 2) {
                put.answer(500, "<html>no luck</html>");
            } else {
                takeAll(number, put);
            }
        });
        Snapshot values = counters(100);

        put(values, LONG);

        assertStored(values);
        assertThat(tsd().puts).hasSize(3);
        assertThat(new HashSet<>(tsd().puts.stream().map(Tsd.Put::json).toList()))
                .hasSize(1);
        assertThat(counted("publish_points_total")).isEqualTo(100);
        assertThat(counted("publish_retries_total")).isEqualTo(2);
        assertThat(counted("publish_lost_points_total")).isZero();
    }

    @Test
    void only_what_was_not_taken_is_sent_again() throws Exception {
        tsd((number, put) -> {
            if (number % 2 == 1) {
                put.answer(503, "");
            } else {
                takeAll(number, put);
            }
        });
        Snapshot values = counters(3000);

        put(values, LONG);

        assertStored(values);
        assertThat(counted("publish_points_total")).isEqualTo(3000);
    }

    @Test
    void a_connection_closed_without_an_answer_is_tried_again() throws Exception {
        tsd((number, put) -> {
            if (number > 3) {
                takeAll(number, put);
            }
        });
        Snapshot values = counters(100);

        put(values, LONG);

        assertStored(values);
        assertThat(new HashSet<>(tsd().puts.stream().map(Tsd.Put::json).toList()))
                .hasSize(1);
        assertThat(counted("publish_lost_points_total")).isZero();
    }

    @Test
    void a_request_that_hangs_is_given_up_and_sent_again_within_the_time() throws Exception {
        tsd((number, put) -> {
            if (number == 1) {
                tsd().hang();
            } else {
                takeAll(number, put);
            }
        });
        Snapshot values = counters(10);

        put(values, Duration.ofSeconds(9));

        assertStored(values);
        assertThat(counted("publish_lost_points_total")).isZero();
    }

    @Test
    void with_a_server_that_hangs_the_time_is_kept_however_many_points_there_are() throws Exception {
        tsd((number, put) -> tsd().hang());
        long begin = System.nanoTime();

        put(counters(20_000), Duration.ofMillis(700));

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofMillis(2500));
        assertThat(counted("publish_lost_points_total")).isEqualTo(20_000);
        assertThat(said.lines()).anySatisfy(line -> assertThat(line).contains("20000 points", "given up"));
    }

    @Test
    void points_that_nobody_takes_are_counted_as_lost_and_said() throws Exception {
        HttpUrl address = tsd(this::takeAll).address();
        tsd().close();

        put(address, counters(1000), Duration.ofMillis(600));

        assertThat(counted("publish_lost_points_total")).isEqualTo(1000);
        assertThat(counted("publish_points_total")).isZero();
        assertThat(said.lines())
                .anySatisfy(line -> assertThat(line).contains("can't be reached"))
                .anySatisfy(line -> assertThat(line).contains("1000 points are given up", "second " + SECOND));
    }

    @Test
    void an_interrupt_ends_the_wait_and_stays() throws Exception {
        tsd((number, put) -> {
            Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("publishing"))
                    .forEach(Thread::interrupt);
            tsd().hang();
        });
        boolean[] stayed = {false};
        Thread publishing = new Thread(
                () -> {
                    put(counters(10), Duration.ofSeconds(60));
                    stayed[0] = Thread.currentThread().isInterrupted();
                },
                "publishing");
        publishing.start();
        publishing.join(5000);

        assertThat(publishing.isAlive()).isFalse();
        assertThat(stayed[0]).isTrue();
        assertThat(counted("publish_lost_points_total")).isEqualTo(10);
    }

    @Test
    void its_name_says_where_it_is_without_the_password() {
        running.set(newTsd());
        HttpUrl address =
                tsd().address().newBuilder().username("me").password("secret").build();

        try (Sink sink = new OpenTsdbSink(address, System::nanoTime, said.log(), self)) {
            assertThat(sink.toString())
                    .isEqualTo("OpenTSDB at http://127.0.0.1:" + tsd().address().port());
        }
    }

    private Tsd newTsd() {
        try {
            return new Tsd(this::takeAll);
        } catch (IOException cannot) {
            throw new java.io.UncheckedIOException(cannot);
        }
    }
}
