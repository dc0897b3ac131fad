package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real OpenTSDB on a real HBase, with many kinds of faults. It runs for half a minute of ticks. With {@code -Dminutes=10}
 * it runs for ten minutes, in which faults last longer and are repeated.
 */
@Tag("once")
class OpenTsdbIT {
    private static final int MINUTES = Integer.getInteger("minutes", 0);
    private static final int METRICS = 40;
    private static final int SERIES_A_METRIC = 25;
    private static final int TICK_SECONDS = 2;
    private static final long SEED = 5;
    private static final double FAULTY = 0.6;

    @TempDir
    private static Path folder;

    private static OpenTsdb openTsdb;

    @BeforeAll
    static void start() throws Exception {
        openTsdb = OpenTsdb.start(folder.resolve("opentsdb"));
    }

    @AfterAll
    static void end() {
        if (openTsdb != null) {
            openTsdb.close();
        }
    }

    /** Shows the problem that the collector must avoid in the next test, and that this test's queries detect it. */
    @Test
    void two_values_for_one_second_break_every_query_of_it() throws Exception {
        long second = Instant.now().getEpochSecond();
        assertThat(openTsdb.put("?sync", OpenTsdb.point("twice", second, "7")).statusCode())
                .isEqualTo(204);
        assertThat(openTsdb.put("?sync", OpenTsdb.point("twice", second, "7")).statusCode())
                .isEqualTo(204);
        assertThat(openTsdb.points("twice", second, second)).hasToString("{twice,src=test={" + second + "=7}}");

        assertThat(openTsdb.put("?sync", OpenTsdb.point("twice", second, "700")).statusCode())
                .isEqualTo(204);

        HttpResponse<String> broken = openTsdb.query("twice", second, second);
        assertThat(broken.statusCode()).isGreaterThanOrEqualTo(400);
        assertThat(broken.body()).contains("fix_duplicates");
    }

    @Test
    void every_counter_has_exactly_one_point_a_tick_in_spite_of_faults() throws Exception {
        try (FaultyProxy proxy = new FaultyProxy(openTsdb.port(), new Random(SEED));
                CollectorProgram collector = CollectorProgram.start(
                        folder.resolve("ledger"),
                        "--interval",
                        TICK_SECONDS + "s",
                        "--opentsdb",
                        proxy.address(),
                        "--opentsdb-body",
                        "2k",
                        "--sink",
                        "stdout");
                Ticks ticks = new Ticks(collector, counters(), new Random(SEED))) {
            String spool = "publish_spool_points{sink=\"" + proxy.address().substring("http://".length()) + "\"}";
            long deepest = befall(proxy, collector, ticks, spool);

            Map<String, Long> counted = ticks.enough();
            await("all counts have arrived")
                    .atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(collector.counters()).isEqualTo(counted));
            pass(ticks, 2 * TICK_SECONDS);
            long last = newest(ticks);
            // The newest tick is not yet included in the spool's points; those before it are.
            await("all points are delivered")
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> newest(ticks) > last + TICK_SECONDS && collector.metric(spool) == 0);

            Map<String, NavigableMap<Long, Long>> printed = ticks.points(last);
            assertThat(printed).hasSize(METRICS * SERIES_A_METRIC);
            printed.forEach((series, points) -> assertThat(points.lastEntry().getValue())
                    .as(series)
                    .isEqualTo(counted.get(series.replace(",src=counters", ""))));
            List<Long> seconds = seconds(ticks.seconds().headSet(last, true));
            List<String> wrong = wrong(printed, seconds);
            System.out.println("OpenTsdbIT: " + seconds.size() + " ticks of " + printed.size() + " counters, "
                    + wrong.size() + " points missing or wrong; " + collector.metric("publish_retries_total")
                    + " requests sent again, at most " + deepest + " points in the spool; the proxy forwarded "
                    + proxy.passed() + " requests and caused " + proxy.faults());
            assertThat(wrong.stream().limit(20))
                    .as("the first of %d", wrong.size())
                    .isEmpty();

            // The faults had the intended effects.
            assertThat(deepest).isPositive();
            assertThat(collector.metric("publish_retries_total")).isPositive();
            assertThat(collector.metric("publish_lost_points_total")).isZero();
            assertThat(collector.metric("publish_bad_points_total")).isZero();
            assertThat(collector.metric("publish_skipped_ticks_total")).isZero();
        }
    }

    /** The collector's history answers Grafana's requests as OpenTSDB does, over the same points. */
    @Test
    void Grafana_gets_the_same_answers_from_the_history_as_from_OpenTSDB() throws Exception {
        openTsdb.assign(
                "metric=grafana.late,grafana.orders&tagk=host,method,via&tagv=card,cash,here,web01,web02,webC3");
        try (CollectorProgram collector = CollectorProgram.start(
                        folder.resolve("read"),
                        "--interval",
                        "1s",
                        "--tags",
                        "via=here",
                        "--opentsdb",
                        openTsdb.address(),
                        "--sink",
                        "stdout");
                Ticks ticks = new Ticks(collector, GrafanaRequests.COUNTERS, new Random(SEED))) {
            pass(ticks, 4);
            long start = newest(ticks);
            pass(ticks, 4);
            collector.send("increment grafana.late,host=web01 5");
            pass(ticks, 5);
            GrafanaRequests requests = new GrafanaRequests(start, newest(ticks));
            // Answers depend on points after the end, which must be the same for both: intervals reach beyond it, and a
            // rate that is left out, because the counter went down, keeps the previous value if the series continues.
            ticks.enough();
            pass(ticks, 10);
            long last = newest(ticks);
            await("both have all points")
                    .atMost(Duration.ofMinutes(1))
                    .untilAsserted(() -> assertThat(List.of(openTsdb.address(), collector.httpAddress()))
                            .allSatisfy(server ->
                                    assertThat(requests.newest(server)).isGreaterThanOrEqualTo(last)));

            List<GrafanaRequests.Asked> all = requests.all();
            assertThat(all).hasSizeGreaterThan(60);
            for (GrafanaRequests.Asked asked : all) {
                GrafanaRequests.Answer wanted = GrafanaRequests.ask(openTsdb.address(), asked);
                GrafanaRequests.Answer given = GrafanaRequests.ask(collector.httpAddress(), asked);

                assertThat(given).as(asked.toString()).isEqualTo(wanted);
            }
            System.out.println("OpenTsdbIT: " + all.size() + " requests of Grafana are answered alike");
        }
    }

    private static String metric(int number) {
        return "shop" + number + ".counted";
    }

    private static List<String> counters() {
        List<String> counters = new ArrayList<>();
        for (int metric = 0; metric < METRICS; metric++) {
            for (int series = 0; series < SERIES_A_METRIC; series++) {
                counters.add(metric(metric) + ",shelf=" + series);
            }
        }
        return counters;
    }

    /**
     * Causes all faults, once or for {@link #MINUTES} minutes.
     *
     * @return the maximum number of points in the spool
     */
    private static long befall(FaultyProxy proxy, CollectorProgram collector, Ticks ticks, String spool)
            throws Exception {
        int longer = MINUTES > 0 ? 4 : 1;
        long begun = System.nanoTime();
        long deepest = 0;
        do {
            pass(ticks, 2 * longer);
            hangHBase(5 * longer);
            deepest = Math.max(deepest, collector.metric(spool));

            openTsdb.killTsd();
            pass(ticks, 2 * longer);
            deepest = Math.max(deepest, collector.metric(spool));
            openTsdb.startTsd();

            proxy.faulty(FAULTY);
            pass(ticks, 4 * longer);
            await("every kind of fault has happened")
                    .atMost(Duration.ofMinutes(1))
                    .until(() -> proxy.faults().size() == FaultyProxy.Fault.values().length);
            hangHBase(4 * longer);
            openTsdb.killTsd();
            openTsdb.startTsd();
            deepest = Math.max(deepest, collector.metric(spool));
            proxy.faulty(0);
        } while (System.nanoTime() - begun < TimeUnit.MINUTES.toNanos(MINUTES));
        return deepest;
    }

    private static void hangHBase(int seconds) throws IOException, InterruptedException {
        try (Program hang = openTsdb.hangHBase(Duration.ofSeconds(seconds))) {
            assertThat(hang.awaitEnd()).as(hang.toString()).isZero();
        }
    }

    private static void pass(Ticks ticks, int seconds) throws InterruptedException {
        long from = newest(ticks);
        await("ticks").atMost(Duration.ofSeconds(seconds + 30)).until(() -> newest(ticks) >= from + seconds);
    }

    private static long newest(Ticks ticks) throws InterruptedException {
        NavigableSet<Long> seconds = ticks.seconds();
        return seconds.isEmpty() ? Instant.now().getEpochSecond() : seconds.last();
    }

    /** The seconds of all ticks from the first to the last; none may be missing. */
    private static List<Long> seconds(NavigableSet<Long> ticked) {
        List<Long> seconds = new ArrayList<>();
        for (long second = ticked.first(); second <= ticked.last(); second += TICK_SECONDS) {
            seconds.add(second);
        }
        assertThat(ticked).containsExactlyElementsOf(seconds);
        return seconds;
    }

    /** The points that differ between OpenTSDB and the output. */
    private static List<String> wrong(Map<String, NavigableMap<Long, Long>> printed, List<Long> seconds)
            throws IOException, InterruptedException {
        Map<String, NavigableMap<Long, Long>> stored = new TreeMap<>();
        for (int metric = 0; metric < METRICS; metric++) {
            stored.putAll(openTsdb.points(metric(metric), seconds.get(0) - 60, seconds.get(seconds.size() - 1)));
        }
        assertThat(printed.keySet()).containsAll(stored.keySet());
        List<String> wrong = new ArrayList<>();
        printed.forEach((series, points) -> {
            NavigableMap<Long, Long> there = stored.getOrDefault(series, new TreeMap<>());
            for (long second : seconds) {
                Long due = points.get(second);
                Long is = there.remove(second);
                // A tick may come while the first counts are sent: a counter has no point before its first one.
                boolean isBefore = due == null && second < points.firstKey();
                if (isBefore ? is != null : due == null || !due.equals(is)) {
                    wrong.add(series + " at " + second + " is " + is + " in OpenTSDB, but should be " + due);
                }
            }
            there.forEach((second, is) ->
                    wrong.add(series + " at " + second + " is " + is + " in OpenTSDB, but was never published"));
        });
        return wrong;
    }
}
