package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real OpenTSDB, a real HBase, and all that befalls them. It takes half a minute of ticks; with {@code -Dminutes=10} it
 * takes ten, in which everything lasts longer and comes again and again.
 */
class OpenTsdbIT {
    private static final int MINUTES = Integer.getInteger("minutes", 0);
    private static final int METRICS = 40;
    private static final int SERIES_A_METRIC = 25;
    private static final int TICK_SECONDS = 2;
    private static final double FAULTY = 0.6;

    @TempDir
    private Path folder;

    private final List<String> seen = new ArrayList<>();

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

    @Test
    void every_counter_has_its_one_point_a_tick_whatever_failed_on_the_way() throws Exception {
        long seed = 5;
        try (OpenTsdb openTsdb = OpenTsdb.start(folder.resolve("opentsdb"));
                FaultyProxy proxy = new FaultyProxy(openTsdb.port(), new Random(seed));
                CollectorProgram collector = CollectorProgram.start(
                        folder.resolve("ledger"),
                        "--interval",
                        TICK_SECONDS + "s",
                        "--opentsdb",
                        proxy.address(),
                        "--sink",
                        "stdout");
                Ticks ticks = new Ticks(collector, counters(), new Random(seed))) {
            befall(openTsdb, proxy, collector, ticks);

            Map<String, Long> counted = ticks.enough();
            await("all is counted")
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> collector.counters().equals(counted));
            long last = newest(ticks) + 1;
            await("all is delivered").atMost(Duration.ofMinutes(1 + MINUTES)).until(() -> true);
            await("ticks").atMost(Duration.ofSeconds(20)).until(() -> newest(ticks) > last + 2 * TICK_SECONDS);

            check(openTsdb, ticks.points(last), ticks.seconds().headSet(last, true));
        }
    }

    private void befall(OpenTsdb openTsdb, FaultyProxy proxy, CollectorProgram collector, Ticks ticks)
            throws Exception {
        int times = MINUTES > 0 ? 4 : 1;
        long begun = System.nanoTime();
        do {
            pass(ticks, 3 * times);
            try (Program hanging = openTsdb.hangHBase(Duration.ofSeconds(5L * times))) {
                hanging.awaitEnd();
            }
            openTsdb.killTsd();
            pass(ticks, 2 * times);
            openTsdb.startTsd();
            proxy.faulty(FAULTY);
            pass(ticks, 8 * times);
            openTsdb.killTsd();
            openTsdb.startTsd();
            proxy.faulty(0);
        } while (System.nanoTime() - begun < TimeUnit.MINUTES.toNanos(MINUTES));
    }

    private static void pass(Ticks ticks, int seconds) {
        long from = newest(ticks);
        await("ticks").atMost(Duration.ofSeconds(seconds + 30)).until(() -> newest(ticks) >= from + seconds);
    }

    private static long newest(Ticks ticks) {
        NavigableSet<Long> seconds = ticks.seconds();
        return seconds.isEmpty() ? System.currentTimeMillis() / 1000 - 1 : seconds.last();
    }

    private void check(OpenTsdb openTsdb, Map<String, NavigableMap<Long, Long>> printed, NavigableSet<Long> seconds)
            throws IOException, InterruptedException {
        List<Long> all = new ArrayList<>();
        for (long second = seconds.first(); second <= seconds.last(); second += TICK_SECONDS) {
            all.add(second);
        }
        assertThat(seconds).containsExactlyElementsOf(all);
        assertThat(printed).hasSize(METRICS * SERIES_A_METRIC);
        Map<String, NavigableMap<Long, Long>> stored = new TreeMap<>();
        for (int metric = 0; metric < METRICS; metric++) {
            stored.putAll(openTsdb.points(metric(metric), seconds.first(), seconds.last()));
        }
        List<String> wrong = new ArrayList<>();
        long points = 0;
        for (String series : printed.keySet()) {
            for (long second : all) {
                Long is = stored.getOrDefault(series, new TreeMap<>()).get(second);
                Long due = printed.get(series).get(second);
                points++;
                if (due == null || !due.equals(is)) {
                    wrong.add(series + " at " + second + " is " + is + ", not " + due);
                }
            }
        }
        System.out.println(all.size() + " ticks, " + points + " points, " + wrong.size() + " wrong");
        assertThat(wrong).isEmpty();
        assertThat(stored).isEqualTo(printed);
    }
}
