package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector with everything on, under a steady load: a service under the agent, and senders with totals at full rate;
 * memcached, a time series database as OpenTSDB, the history, an open page, and someone who scrapes as Prometheus does. At the
 * end every value is exact everywhere, and memory, descriptors and threads have not grown.
 *
 * <p>{@code bin/soak 60 50000} runs for an hour with 50,000 datagrams a second.
 */
@Tag("once")
class SoakIT {
    private static final double MINUTES = Double.parseDouble(System.getProperty("soak.minutes", "0.15"));
    private static final int RATE = Integer.getInteger("soak.rate", 5_000);
    private static final String HEAP = System.getProperty("soak.heap", "256m");

    /** Samples, of which the first fifth is for warming up. */
    private static final int SAMPLES = 30;

    private static final int SECONDS_A_SAMPLE_MIN = 3;
    private static final int SCRAPE_SECONDS = 15;
    private static final int INTERVAL_SECONDS = 10;
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final Pattern COUNTED = Pattern.compile("counted (\\d+)");

    /** How much more the last third of the samples may have than the first one: garbage that a collection leaves varies. */
    private static final long HEAP_GROWTH_BYTES_MAX = 6L << 20;

    private static final long HANDLES_GROWTH_MAX = 5;

    /** In a run of seconds nothing has warmed up. */
    private static final double MINUTES_OF_A_VERDICT = 5;

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final HttpClient web = HttpClient.newHttpClient();
    private final AtomicLong pageBytes = new AtomicLong();
    private final AtomicLong scrapes = new AtomicLong();
    private final AtomicLong slowestScrapeMillis = new AtomicLong();
    private final AtomicReference<@Nullable String> trouble = new AtomicReference<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    private record Sample(long second, ProcessSize size, long datagrams, long received, long dropped) {}

    /** An open tab of the page: its events, which stay open. */
    private void openPage(CollectorProgram collector) throws Exception {
        HttpResponse<InputStream> events = web.send(
                HttpRequest.newBuilder(URI.create(collector.page() + "api/live?rows=60&from=0&panel=1"))
                        .build(),
                HttpResponse.BodyHandlers.ofInputStream());
        assertThat(events.statusCode()).isEqualTo(200);
        Thread tab = new Thread(() -> {
            byte[] some = new byte[8192];
            try {
                for (int length = 0; length >= 0; length = events.body().read(some)) {
                    pageBytes.addAndGet(length);
                }
                trouble.compareAndSet(null, "the page's events ended");
            } catch (IOException closed) {
                // The run is over.
            }
        });
        tab.setDaemon(true);
        tab.start();
        opened.add(0, events.body());
    }

    /** What Prometheus asks for, and what the page asks for from time to time. */
    private void scrape(CollectorProgram collector) {
        long begun = System.nanoTime();
        for (String path : List.of("metrics", "metrics/counters", "healthz", "api/counters?limit=100", "api/page")) {
            try {
                HttpResponse<Void> answer = web.send(
                        HttpRequest.newBuilder(URI.create(collector.page() + path))
                                .header("Accept", "application/openmetrics-text, */*")
                                .timeout(ANSWER)
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
                if (answer.statusCode() != 200) {
                    trouble.compareAndSet(null, path + " answered " + answer.statusCode());
                }
            } catch (IOException failed) {
                trouble.compareAndSet(null, path + ": " + failed);
            } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        scrapes.incrementAndGet();
        slowestScrapeMillis.accumulateAndGet(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun), Math::max);
    }

    @Test
    void values_are_exact_and_nothing_grows_under_a_steady_load_with_everything_on() throws Exception {
        Memcached memcached = new Memcached();
        opened.add(memcached);
        VictoriaMetrics database = VictoriaMetrics.start(folder.resolve("points"));
        opened.add(0, database);
        CollectorProgram collector = CollectorProgram.launch(
                folder.resolve("data"),
                Map.of(),
                List.of("-Xmx" + HEAP, "-XX:TieredStopAtLevel=4"),
                "--store=" + memcached.url(),
                "--opentsdb=" + database.address(),
                "--history-counters=10000",
                "--interval=" + INTERVAL_SECONDS + "s");
        opened.add(0, collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        Program service = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + collector.address(),
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                HonestService.class.getName()));
        opened.add(0, service);
        service.awaitLine("^serves$");
        SoakLoad load = new SoakLoad(collector.port(), RATE);
        opened.add(0, load);
        openPage(collector);
        ScheduledExecutorService scraping = Executors.newSingleThreadScheduledExecutor();
        opened.add(0, scraping::shutdownNow);
        var unused = scraping.scheduleAtFixedRate(() -> scrape(collector), 1, SCRAPE_SECONDS, TimeUnit.SECONDS);

        List<Sample> samples = run(collector, load);
        SortedMap<String, Long> expected = load.enough();
        service.tell("how much?");
        Matcher counted = service.awaitLine(COUNTED.pattern());
        expected.put("honest", Long.valueOf(counted.group(1)));
        isExact(expected, collector, memcached, database);

        print(samples, expected.size(), collector);
        assertThat(trouble.get()).as(collector::log).isNull();
        assertThat(pageBytes.get()).isPositive();
        assertThat(scrapes.get()).isPositive();
        assertThat(collector.metric("publish_lost_points_total")).isZero();
        assertThat(collector.log()).doesNotContain("OutOfMemoryError").doesNotContain(" ERROR ");
        if (MINUTES >= MINUTES_OF_A_VERDICT) {
            assertThat(growth(samples, ProcessSize::heapBytes)).as("heap").isLessThan(HEAP_GROWTH_BYTES_MAX);
            assertThat(growth(samples, ProcessSize::descriptors))
                    .as("descriptors")
                    .isLessThanOrEqualTo(HANDLES_GROWTH_MAX);
            assertThat(growth(samples, ProcessSize::threads)).as("threads").isLessThanOrEqualTo(HANDLES_GROWTH_MAX);
        }
    }

    /** Samples until the time is over. */
    private static List<Sample> run(CollectorProgram collector, SoakLoad load) throws Exception {
        List<Sample> samples = new ArrayList<>();
        double seconds = MINUTES * 60;
        double step = Math.max(SECONDS_A_SAMPLE_MIN, seconds / SAMPLES);
        long begun = System.nanoTime();
        for (int i = 1; i * step <= seconds; i++) {
            long due = begun + (long) (i * step * 1e9);
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            samples.add(new Sample(
                    TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun),
                    ProcessSize.of(collector),
                    load.datagrams(),
                    collector.metric("intake_datagrams_total"),
                    collector.metric("intake_kernel_drops_total")));
        }
        return samples;
    }

    private static void isExact(
            SortedMap<String, Long> expected,
            CollectorProgram collector,
            Memcached memcached,
            VictoriaMetrics database) {
        await("the collector").atMost(PATIENCE).untilAsserted(() -> {
            SortedMap<String, Long> found = collector.counters();
            found.keySet().retainAll(expected.keySet());
            assertThat(found).isEqualTo(expected);
        });
        await("memcached").atMost(PATIENCE).pollInterval(Duration.ofSeconds(1)).untilAsserted(() -> {
            for (Map.Entry<String, Long> one : expected.entrySet()) {
                assertThat(memcached.counter(one.getKey())).as(one.getKey()).isEqualTo(one.getValue());
            }
        });
        await("the time series")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofSeconds(2))
                .untilAsserted(() -> {
                    SortedMap<String, Long> found = database.latest(SoakLoad.METRIC, "article", "shop");
                    found.putAll(database.latest("honest"));
                    assertThat(found).isEqualTo(expected);
                });
    }

    private static long growth(List<Sample> samples, ToLongFunction<ProcessSize> of) {
        List<Sample> warm = samples.subList(samples.size() / 5, samples.size());
        int third = Math.max(1, warm.size() / 3);
        return median(warm.subList(warm.size() - third, warm.size()), of) - median(warm.subList(0, third), of);
    }

    private static long median(List<Sample> some, ToLongFunction<ProcessSize> of) {
        long[] sorted = some.stream()
                .mapToLong(sample -> of.applyAsLong(sample.size()))
                .sorted()
                .toArray();
        return sorted[sorted.length / 2];
    }

    private void print(List<Sample> samples, int names, CollectorProgram collector) throws IOException {
        System.out.printf(
                Locale.ROOT,
                "soak of %.1f minutes, wanted %,d datagrams a second of 6 lines, %,d names, heap %s%n",
                MINUTES,
                RATE,
                names,
                HEAP);
        System.out.println("  second  sent a second  received     dropped by the kernel  size after GC");
        long before = 0;
        long at = 0;
        for (Sample sample : samples) {
            System.out.printf(
                    Locale.ROOT,
                    "  %6d  %,13d  %,11d  %,21d  %s%n",
                    sample.second(),
                    (sample.datagrams() - before) / Math.max(1, sample.second() - at),
                    sample.received(),
                    sample.dropped(),
                    sample.size());
            before = sample.datagrams();
            at = sample.second();
        }
        System.out.printf(
                Locale.ROOT,
                "  every value is exact in the ledger, in memcached and in the time series: %,d names%n"
                        + "  page: %,d KB of events; scrapes: %d, the slowest %,d ms; points published: %,d%n"
                        + "  growth from the first to the last third after the warm-up: heap %,d KB, resident %,d KB,"
                        + " descriptors %d, threads %d%n",
                names,
                pageBytes.get() / 1000,
                scrapes.get(),
                slowestScrapeMillis.get(),
                collector.metric("publish_points_total"),
                growth(samples, ProcessSize::heapBytes) / 1024,
                growth(samples, ProcessSize::residentBytes) / 1024,
                growth(samples, ProcessSize::descriptors),
                growth(samples, ProcessSize::threads));
        System.out.println(
                MINUTES < MINUTES_OF_A_VERDICT
                        ? "  verdict: values exact; too short to say whether something grows"
                        : "  verdict: " + verdict(samples));
    }

    private static String verdict(List<Sample> samples) {
        boolean isFlat = growth(samples, ProcessSize::heapBytes) < HEAP_GROWTH_BYTES_MAX
                && growth(samples, ProcessSize::descriptors) <= HANDLES_GROWTH_MAX
                && growth(samples, ProcessSize::threads) <= HANDLES_GROWTH_MAX;
        return isFlat ? "values exact, nothing grows" : "values exact, but something GROWS";
    }
}
