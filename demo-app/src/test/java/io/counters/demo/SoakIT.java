package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector with everything on, under a steady load: a service under the agent that signs, and senders with totals at full
 * rate; memcached, a time series database as OpenTSDB, the history, an open page with its requests, and a Prometheus. The rate
 * must be reached. At the end every value is exact everywhere, and memory, descriptors and threads have not grown.
 *
 * <p>{@code bin/soak 60 50000} runs for an hour with 50,000 datagrams a second.
 */
@Tag("once")
class SoakIT {
    private static final double MINUTES = Double.parseDouble(System.getProperty("soak.minutes", "0.15"));
    private static final int RATE = Integer.getInteger("soak.rate", 2_000);
    private static final String HEAP = System.getProperty("soak.heap", "256m");
    private static final boolean IS_SHORT = MINUTES < 1;

    /** Samples, of which the first fifth is for warming up. */
    private static final int SAMPLES = 30;

    private static final int SECONDS_A_SAMPLE_MIN = 3;
    private static final int VISIT_SECONDS = IS_SHORT ? 2 : 15;
    private static final int INTERVAL_SECONDS = IS_SHORT ? 2 : 10;
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /** How much of the rate must be sent, and received; less in a build, in which other programs run. */
    private static final double SENT_SHARE_MIN = IS_SHORT ? 0.5 : 0.95;

    private static final double RECEIVED_SHARE_MIN = IS_SHORT ? 0.4 : 0.9;

    /** The page gets two events a second if something has changed. */
    private static final double CHANGES_A_SECOND_MIN = IS_SHORT ? 0.3 : 0.8;

    /** How much more the last third of the samples may have than the first one, by the least of each. */
    private static final long HEAP_GROWTH_BYTES_MAX = 1L << 20;

    private static final long RESIDENT_GROWTH_BYTES_MAX = 24L << 20;
    private static final long HANDLES_GROWTH_MAX = 5;

    /** In a run of seconds nothing has warmed up. */
    private static final double MINUTES_OF_GROWTH = 5;

    /** What may be logged at WARN. */
    private static final List<String> EXPECTED_WARNINGS = List.of();

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T open(T one) {
        opened.add(0, one);
        return one;
    }

    private record Sample(double second, ProcessSize size, long sent, long received, long dropped) {
        static Sample of(long begun, CollectorProgram collector, SoakLoad load)
                throws IOException, InterruptedException {
            ProcessSize size = ProcessSize.of(collector);
            return new Sample(
                    (System.nanoTime() - begun) / 1e9,
                    size,
                    load.datagrams(),
                    collector.metric("intake_datagrams_total"),
                    collector.metric("intake_kernel_drops_total"));
        }

        double sentASecond(Sample before) {
            return (sent - before.sent) / (second - before.second);
        }

        double receivedASecond(Sample before) {
            return (received - before.received) / (second - before.second);
        }

        double lostPercent(Sample before) {
            return 100 * (1 - (double) (received - before.received) / Math.max(1, sent - before.sent));
        }
    }

    @Test
    void values_are_exact_and_nothing_grows_under_a_steady_load_with_everything_on() throws Exception {
        Memcached memcached = open(new Memcached());
        VictoriaMetrics database = open(VictoriaMetrics.start(folder.resolve("points")));
        Path keys = HonestProcess.keys(folder);
        CollectorProgram collector = open(CollectorProgram.launch(
                folder.resolve("data"),
                Map.of(),
                IS_SHORT ? List.of("-Xmx" + HEAP) : List.of("-Xmx" + HEAP, "-XX:TieredStopAtLevel=4"),
                "--store=" + memcached.url(),
                "--opentsdb=" + database.address(),
                "--history-counters=10000",
                "--interval=" + INTERVAL_SECONDS + "s",
                "--keys=" + keys,
                "--signing=accepted"));
        assertThat(collector.runs()).as(collector::log).isTrue();
        HonestProcess service = open(new HonestProcess(HonestService.EARLY, collector.address(), keys));
        SoakLoad load = open(new SoakLoad(collector.port(), RATE));
        await("the first tick")
                .atMost(PATIENCE)
                .until(() -> collector
                        .get("/api/query?start=1m-ago&m=sum:" + SoakLoad.METRIC)
                        .contains("dps"));
        Prometheus prometheus = open(prometheus(collector));
        SoakVisitor visitor = open(new SoakVisitor(collector, VISIT_SECONDS));

        List<Sample> samples = run(collector, load);
        long changes = visitor.changes();
        long visits = visitor.visits();
        SortedMap<String, Long> expected = load.enough();
        expected.put(service.name(), service.counted());
        isExact(expected, collector, memcached, database, prometheus, visitor);

        List<String> wrong = wrong(samples, changes, visits);
        wrong.addAll(visitor.troubles());
        wrong.addAll(warnings(collector));
        print(samples, expected.size(), collector, load);
        System.out.printf(
                Locale.ROOT,
                "  page: %,d events with changes; visits: %d, the slowest %,d ms; scrapes of Prometheus: %s%n"
                        + "  verdict: values exact, %s%s%n",
                changes,
                visits,
                visitor.slowestMillis(),
                prometheus.latest("count_over_time(up[1d])", "up"),
                wrong.isEmpty() ? "nothing is wrong" : "but " + String.join("; ", wrong),
                MINUTES < MINUTES_OF_GROWTH ? "; too short to say whether something grows" : "");
        assertThat(wrong).as(collector::log).isEmpty();
        assertThat(collector.metric("publish_lost_points_total")).isZero();
        assertThat(collector.metric("history_lost_ticks_total")).isZero();
        assertThat(prometheus.latest("min_over_time(up[1d])", "up")).containsExactly(Map.entry("up", 1L));
        InternalErrors.assertNone(collector);
    }

    private Prometheus prometheus(CollectorProgram collector) throws IOException {
        Path data = Files.createDirectory(folder.resolve("scraped"));
        return new Prometheus(
                data,
                Ports.reserve(),
                String.join(
                        "\n",
                        "global:",
                        "  scrape_interval: " + VISIT_SECONDS + "s",
                        "  scrape_timeout: " + VISIT_SECONDS + "s",
                        "scrape_configs:",
                        "  - job_name: counters-users",
                        "    metrics_path: /metrics/counters",
                        "    static_configs:",
                        "      - targets: [\"127.0.0.1:" + collector.httpPort() + "\"]",
                        ""));
    }

    /** Samples until the time is over, the first one at its beginning. */
    private static List<Sample> run(CollectorProgram collector, SoakLoad load) throws Exception {
        List<Sample> samples = new ArrayList<>();
        double seconds = MINUTES * 60;
        double step = Math.max(SECONDS_A_SAMPLE_MIN, seconds / SAMPLES);
        long begun = System.nanoTime();
        for (int i = 0; i * step <= seconds; i++) {
            TimeUnit.NANOSECONDS.sleep(begun + (long) (i * step * 1e9) - System.nanoTime());
            samples.add(Sample.of(begun, collector, load));
        }
        return samples;
    }

    private static void isExact(
            SortedMap<String, Long> expected,
            CollectorProgram collector,
            Memcached memcached,
            VictoriaMetrics database,
            Prometheus prometheus,
            SoakVisitor visitor) {
        await("the collector").atMost(PATIENCE).untilAsserted(() -> {
            SortedMap<String, Long> found = collector.counters();
            found.keySet().retainAll(expected.keySet());
            assertThat(found).isEqualTo(expected);
            assertThat(visitor.scraped()).isEqualTo(expected);
        });
        await("memcached").atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            for (Map.Entry<String, Long> one : expected.entrySet()) {
                assertThat(memcached.counter(one.getKey())).as(one.getKey()).isEqualTo(one.getValue());
            }
        });
        await("the history")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(1))
                .untilAsserted(
                        () -> assertThat(visitor.history(expected.keySet())).isEqualTo(expected));
        await("the time series")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(2))
                .untilAsserted(() -> {
                    SortedMap<String, Long> found = database.latest(SoakLoad.METRIC, "article", "shop");
                    found.putAll(database.latest("honest"));
                    assertThat(found).isEqualTo(expected);
                });
        await("Prometheus").atMost(PATIENCE).pollInterval(Duration.ofSeconds(2)).untilAsserted(() -> {
            SortedMap<String, Long> found = prometheus.latest("soak_sold", SoakLoad.METRIC, "article", "shop");
            found.putAll(prometheus.latest("honest_total", "honest"));
            assertThat(found).isEqualTo(expected);
        });
    }

    /** What the verdict is about, and the test fails for. */
    private static List<String> wrong(List<Sample> samples, long changes, long visits) {
        List<String> wrong = new ArrayList<>();
        Sample first = samples.get(0);
        Sample last = samples.get(samples.size() - 1);
        double sent = last.sentASecond(first);
        double received = last.receivedASecond(first);
        if (sent < SENT_SHARE_MIN * RATE) {
            wrong.add(String.format(Locale.ROOT, "only %,.0f datagrams a second were SENT", sent));
        }
        if (received < RECEIVED_SHARE_MIN * RATE) {
            wrong.add(String.format(Locale.ROOT, "only %,.0f datagrams a second were RECEIVED", received));
        }
        if (changes < CHANGES_A_SECOND_MIN * last.second()) {
            wrong.add("the page got only " + changes + " EVENTS with changes");
        }
        if (visits < last.second() / VISIT_SECONDS - 2) {
            wrong.add("only " + visits + " VISITS came to their end");
        }
        if (samples.stream()
                .anyMatch(sample ->
                        sample.size().descriptors() <= 0 || sample.size().threads() <= 0)) {
            wrong.add("descriptors and threads are UNKNOWN without /proc");
        }
        if (MINUTES >= MINUTES_OF_GROWTH) {
            if (growth(samples, ProcessSize::heapBytes) > HEAP_GROWTH_BYTES_MAX) {
                wrong.add("the heap GROWS");
            }
            if (growth(samples, ProcessSize::residentBytes) > RESIDENT_GROWTH_BYTES_MAX) {
                wrong.add("the process' memory GROWS");
            }
            if (growth(samples, ProcessSize::descriptors) > HANDLES_GROWTH_MAX
                    || growth(samples, ProcessSize::threads) > HANDLES_GROWTH_MAX) {
                wrong.add("descriptors or threads GROW");
            }
        }
        return wrong;
    }

    private static List<String> warnings(CollectorProgram collector) {
        return collector.program().errorsAfter(0).stream()
                .filter(line -> line.contains(" WARN "))
                .filter(line -> EXPECTED_WARNINGS.stream().noneMatch(line::contains))
                .toList();
    }

    /** From the first to the last third after the warm-up, by the least of each: what is above it varies. */
    private static long growth(List<Sample> samples, ToLongFunction<ProcessSize> of) {
        List<Sample> warm = samples.subList(samples.size() / 5, samples.size());
        int third = Math.max(1, warm.size() / 3);
        return least(warm.subList(warm.size() - third, warm.size()), of) - least(warm.subList(0, third), of);
    }

    private static long least(List<Sample> some, ToLongFunction<ProcessSize> of) {
        return some.stream()
                .mapToLong(sample -> of.applyAsLong(sample.size()))
                .min()
                .orElseThrow();
    }

    private static void print(List<Sample> samples, int names, CollectorProgram collector, SoakLoad load)
            throws IOException {
        System.out.printf(
                Locale.ROOT,
                "soak of %.1f minutes, wanted %,d datagrams a second of 6 lines, %,d names, heap %s%n",
                MINUTES,
                RATE,
                names,
                HEAP);
        System.out.println("  second  sent a second  received a second    lost  dropped by the kernel  size after GC");
        Sample before = samples.get(0);
        for (Sample sample : samples.subList(1, samples.size())) {
            System.out.printf(
                    Locale.ROOT,
                    "  %6.0f  %,13.0f  %,17.0f  %5.2f %%  %,21d  %s%n",
                    sample.second(),
                    sample.sentASecond(before),
                    sample.receivedASecond(before),
                    sample.lostPercent(before),
                    sample.dropped(),
                    sample.size());
            before = sample;
        }
        System.out.printf(
                Locale.ROOT,
                "  in all: %,.0f sent a second, %,.0f received, %.2f %% lost; not sent because the load was paused: %,d%n"
                        + "  every value is exact in the ledger, in memcached, in the time series, in the history, at"
                        + " /metrics/counters and in Prometheus: %,d names; points published: %,d%n"
                        + "  growth of the least from the first to the last third after the warm-up: heap %,d KB, resident"
                        + " %,d KB, descriptors %d, threads %d%n",
                before.sentASecond(samples.get(0)),
                before.receivedASecond(samples.get(0)),
                before.lostPercent(samples.get(0)),
                load.skipped(),
                names,
                collector.metric("publish_points_total"),
                growth(samples, ProcessSize::heapBytes) / 1024,
                growth(samples, ProcessSize::residentBytes) / 1024,
                growth(samples, ProcessSize::descriptors),
                growth(samples, ProcessSize::threads));
    }
}
