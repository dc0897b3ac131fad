package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A collector with a heap of 256 MB under each {@link Attack}, one after the other, while a service counts under the agent and
 * signs. Each attack must reach what it attacks, which a metric shows. Each count of the service is there afterwards, the page
 * and the health check answer all the time, memory, descriptors and threads are bounded, nothing fails internally, and the log
 * names who did it. Signatures are accepted, so that what is forged reaches the ledger, or required, so that it is refused; then
 * services that start during an attack are exact, too.
 *
 * <p>{@code bin/attack 60} lets each take a minute; {@code bin/attack 60 RANDOM_NAMES} does only one. In a run of seconds, the
 * room for names and streams is so small that it is full nevertheless.
 */
@Tag("once")
class AttackIT {
    private static final double SECONDS = Double.parseDouble(System.getProperty("attack.seconds", "0.5"));
    private static final String ONLY = System.getProperty("attack.only", "");
    private static final boolean IS_SHORT = SECONDS < 5;

    /** In a shorter run, a line that names the source may be one of an earlier attack: each kind of fault is logged once a minute. */
    private static final boolean HAS_LINES_OF_ITS_OWN = SECONDS >= 60;

    /** In a short run, what is left out if signatures are required, because it is refused like others that are not left out. */
    private static final Set<Attack.Kind> ALIKE = Set.of(
            Attack.Kind.COLLIDING_NAMES_AND_IDS,
            Attack.Kind.FORGED_TOTALS,
            Attack.Kind.MANY_WATERMARKS,
            Attack.Kind.LARGEST_DATAGRAMS,
            Attack.Kind.SLOW_HTTP);

    private static final Duration PATIENCE = Duration.ofMinutes(3);

    /** How much longer an attack goes on until it shows, and how long at first; twice as long each time. */
    private static final long MORE_NANOS_MAX = TimeUnit.SECONDS.toNanos(90);

    private static final double MORE_SECONDS = 0.3;

    private static final double MORE_SECONDS_MAX = 2;
    private static final int ANSWER_MILLIS_MAX = 10_000;
    private static final int PAUSE_MILLIS = 100;
    private static final int CONNECTIONS = 1000;
    private static final int HTTP_CONNECTIONS = 200;
    private static final long HEAP_BYTES_MAX = 200L << 20;
    private static final long RESIDENT_BYTES_MAX = 640L << 20;
    private static final int THREADS_MORE_MAX = 20;
    private static final int DESCRIPTORS_MORE_MAX = 100;

    /** So much a metric must grow at least, which nothing but the attack brings about in a few seconds. */
    private static final int GROWTH_MIN = 10;

    private static final int FULL_PERCENT = 90;

    /** Each kind of fault has one line a minute. */
    private static final int LINES_A_MINUTE_MAX = 100;

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Queue<String> unanswered = new ConcurrentLinkedQueue<>();
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicLong slowestMillis = new AtomicLong();

    /** When the last round of questions began that has ended. */
    private final AtomicLong lastRoundNanos = new AtomicLong(System.nanoTime());

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    private static int get(int port, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
        connection.setConnectTimeout(ANSWER_MILLIS_MAX);
        connection.setReadTimeout(ANSWER_MILLIS_MAX);
        connection.setRequestProperty("Connection", "close");
        try {
            int status = connection.getResponseCode();
            if (status == 200) {
                connection.getInputStream().readAllBytes();
            }
            return status;
        } finally {
            connection.disconnect();
        }
    }

    /** Asks for health, metrics and the page all the time, as probes and an operator do. */
    private void watch(int page) {
        Thread watching = new Thread(() -> {
            try {
                while (true) {
                    long round = System.nanoTime();
                    for (String path : List.of("/healthz", "/metrics", "/")) {
                        long begun = System.nanoTime();
                        look(page, path);
                        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
                        slowestMillis.accumulateAndGet(millis, Math::max);
                    }
                    lastRoundNanos.set(round);
                    TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
                }
            } catch (InterruptedException over) {
                Thread.currentThread().interrupt();
            }
        });
        watching.setDaemon(true);
        watching.start();
        opened.add(0, watching::interrupt);
    }

    private void look(int page, String path) {
        try {
            int status = get(page, path);
            answers.incrementAndGet();
            if (status != 200) {
                unanswered.add(path + " answered " + status);
            }
        } catch (IOException | RuntimeException failed) {
            unanswered.add(path + ": " + failed);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"accepted", "required"})
    void under_every_attack_honest_counts_stay_exact_and_the_page_answers(String signing) throws Exception {
        boolean isRequired = signing.equals("required");
        Path keys = HonestProcess.keys(folder);
        List<String> flags = new ArrayList<>(List.of(
                "--keys=" + keys,
                "--signing=" + signing,
                "--new-names=100%",
                "--history-counters=500",
                "--connections=" + CONNECTIONS,
                "--http-connections=" + HTTP_CONNECTIONS));
        if (IS_SHORT) {
            flags.addAll(List.of("--names-memory=16m", "--streams-memory=6m"));
        }
        CollectorProgram collector = CollectorProgram.launch(
                folder.resolve("data"),
                Map.of(),
                IS_SHORT ? List.of() : List.of("-XX:TieredStopAtLevel=4"),
                flags.toArray(String[]::new));
        opened.add(collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        Eavesdropper network = new Eavesdropper(collector.port());
        opened.add(0, network);
        HonestProcess service = new HonestProcess(HonestService.EARLY, network.address(), keys);
        opened.add(0, service);
        HonestProcess.awaitDatagrams(collector, Attack.SELDOM);
        ProcessSize before = ProcessSize.of(collector);
        Attack attack = new Attack(collector, network, isRequired, 7);
        opened.add(0, attack);
        if (!isRequired) {
            begin(attack, collector);
        }
        watch(collector.httpPort());

        Scene scene = new Scene(collector, attack, service, keys, isRequired, before);
        System.out.printf(Locale.ROOT, "attacks of %.1f s each, signatures %s; before: %s%n", SECONDS, signing, before);
        int attacks = 0;
        for (Attack.Kind kind : Attack.Kind.values()) {
            boolean isLeftOut = IS_SHORT && isRequired && ALIKE.contains(kind);
            if (ONLY.isEmpty() ? !isLeftOut : ONLY.equals(kind.name())) {
                System.out.printf("  %-25s %s%n", kind, attacked(kind, scene));
                attacks++;
            }
        }

        ProcessSize after = ProcessSize.of(collector);
        System.out.println("  afterwards: " + after);
        assertThat(attacks).isPositive();
        assertThat(after.threads()).isLessThanOrEqualTo(before.threads() + THREADS_MORE_MAX);
        await("connections end")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(ProcessSize.of(collector).descriptors())
                        .isLessThanOrEqualTo(before.descriptors() + DESCRIPTORS_MORE_MAX));
        InternalErrors.assertNone(collector);
    }

    /** Lets the attackers' known streams begin. */
    private static void begin(Attack attack, CollectorProgram collector) throws IOException {
        long streams = collector.metric("ledger_streams") + attack.streams();
        await("streams of the attackers").atMost(PATIENCE).untilAsserted(() -> {
            attack.begin();
            assertThat(collector.metric("ledger_streams")).isGreaterThanOrEqualTo(streams);
        });
    }

    /** Who takes part in all attacks. */
    private record Scene(
            CollectorProgram collector,
            Attack attack,
            HonestProcess service,
            Path keys,
            boolean isRequired,
            ProcessSize before) {
        /** What an attack does not show yet; null if all shows. */
        @Nullable
        String missing(Attack.Kind kind, SortedMap<String, Long> metricsBefore, long linesBefore) throws IOException {
            SortedMap<String, Long> now = collector.metrics();
            for (String effect : kind.effects(isRequired)) {
                if (sum(now, effect) < sum(metricsBefore, effect) + GROWTH_MIN) {
                    return effect + " does not grow";
                }
            }
            String full = kind.fills();
            if (!isRequired && !full.isEmpty()) {
                long percent = 100 * sum(now, full) / sum(now, full + "_max");
                if (percent < FULL_PERCENT) {
                    return "only " + percent + " % of " + full + "_max are used";
                }
            }
            String message = kind.message(isRequired);
            boolean isNamed = collector.program().errorsAfter(HAS_LINES_OF_ITS_OWN ? linesBefore : 0).stream()
                    .anyMatch(line -> line.contains(message) && line.contains("127.66."));
            return isNamed ? null : "the log has no line with \"" + message + "\" and an address";
        }

        private static long sum(SortedMap<String, Long> metrics, String name) {
            return metrics.entrySet().stream()
                    .filter(one -> one.getKey().equals(name) || one.getKey().startsWith(name + "{"))
                    .mapToLong(Map.Entry::getValue)
                    .sum();
        }
    }

    /** Starts a service whose name and stream are new, if that is part of this attack: it must not be kept out. */
    private @Nullable HonestProcess late(Attack.Kind kind, Scene scene) throws IOException {
        String name = switch (kind) {
            case RANDOM_SENDERS -> HonestService.LATE;
            case RANDOM_NAMES -> HonestService.LATER;
            default -> "";
        };
        if (name.isEmpty() || !scene.isRequired()) {
            return null;
        }
        HonestProcess late = new HonestProcess(name, scene.collector().address(), scene.keys());
        opened.add(0, late);
        return late;
    }

    private String attacked(Attack.Kind kind, Scene scene) throws Exception {
        CollectorProgram collector = scene.collector();
        Attack attack = scene.attack();
        slowestMillis.set(0);
        answers.set(0);
        long linesBefore = collector.program().errorLines();
        SortedMap<String, Long> metricsBefore = collector.metrics();
        HonestProcess late = late(kind, scene);
        long begun = System.nanoTime();
        long steps = attack.run(kind, SECONDS);
        String missing = scene.missing(kind, metricsBefore, linesBefore);
        double more = MORE_SECONDS;
        while (missing != null || lastRoundNanos.get() - begun < 0 || (late != null && late.valueAt(collector) == 0)) {
            assertThat(System.nanoTime() - begun)
                    .as("%s: %s%n%s", kind, missing, collector.log())
                    .isLessThan((long) (SECONDS * 1e9) + MORE_NANOS_MAX);
            steps += attack.run(kind, more);
            more = Math.min(MORE_SECONDS_MAX, 2 * more);
            missing = scene.missing(kind, metricsBefore, linesBefore);
        }
        double seconds = (System.nanoTime() - begun) / 1e9;
        // Before the attackers leave.
        ProcessSize during = ProcessSize.of(collector);
        attack.disconnect();

        long ended = System.nanoTime();
        long counted = isExact(scene.service(), collector, kind);
        String lateCount = "";
        if (late != null) {
            lateCount = String.format(Locale.ROOT, ", %s: %,d", late.name(), isExact(late, collector, kind));
            late.close();
        }
        double exactSeconds = (System.nanoTime() - ended) / 1e9;
        long lines = collector.program().errorLines() - linesBefore;
        isBounded(kind, scene.before(), during, lines, seconds + exactSeconds);
        return String.format(
                Locale.ROOT,
                "%,12d steps in %4.1f s; exact after %4.1f s: %,d%s; %,5d answers, the slowest after %,5d ms; %s; %d log"
                        + " lines",
                steps,
                seconds,
                exactSeconds,
                counted,
                lateCount,
                answers.get(),
                slowestMillis.get(),
                during,
                lines);
    }

    /** Waits until the value of a service is what it has counted, which it returns. */
    private static long isExact(HonestProcess service, CollectorProgram collector, Attack.Kind kind)
            throws IOException {
        long counted = service.counted();
        service.awaitValue(collector, counted, "after " + kind);
        service.goOn();
        return counted;
    }

    private void isBounded(Attack.Kind kind, ProcessSize before, ProcessSize during, long lines, double seconds) {
        assertThat(during.heapBytes()).as("heap under %s", kind).isLessThan(HEAP_BYTES_MAX);
        assertThat(during.residentBytes()).as("resident under %s", kind).isLessThan(RESIDENT_BYTES_MAX);
        assertThat(during.descriptors())
                .as("descriptors under %s", kind)
                .isBetween(1L, before.descriptors() + CONNECTIONS + HTTP_CONNECTIONS + DESCRIPTORS_MORE_MAX);
        assertThat(during.threads()).as("threads under %s", kind).isBetween(1L, before.threads() + THREADS_MORE_MAX);
        assertThat(unanswered).as("under %s", kind).isEmpty();
        assertThat(answers.get()).as("answers under %s", kind).isPositive();
        assertThat(slowestMillis.get()).as("the slowest answer under %s", kind).isLessThan(ANSWER_MILLIS_MAX);
        assertThat(lines).as("log lines under %s", kind).isLessThan((long) (LINES_A_MINUTE_MAX * (1 + seconds / 60)));
    }
}
