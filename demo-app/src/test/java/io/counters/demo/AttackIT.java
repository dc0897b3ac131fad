package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A collector with a heap of 256 MB under each {@link Attack}, one after the other, while a service counts under the agent and
 * signs. Each count of the service is there afterwards, the page and the health check answer all the time, memory, descriptors
 * and threads are bounded, and the log names who did it. Signatures are accepted, so that what is forged reaches the ledger, or
 * required, so that it is refused.
 *
 * <p>{@code bin/attack 60} lets each take a minute; {@code bin/attack 60 RANDOM_NAMES} does only one.
 */
@Tag("once")
class AttackIT {
    private static final double SECONDS = Double.parseDouble(System.getProperty("attack.seconds", "1.5"));
    private static final String ONLY = System.getProperty("attack.only", "");
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final int ANSWER_MILLIS_MAX = 10_000;
    private static final int PAUSE_MILLIS = 50;
    private static final long HEAP_BYTES_MAX = 200L << 20;
    private static final long RESIDENT_BYTES_MAX = 640L << 20;
    private static final int THREADS_MORE_MAX = 20;
    private static final int DESCRIPTORS_MORE_MAX = 100;
    private static final Pattern COUNTED = Pattern.compile("counted (\\d+)");

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final Queue<String> unanswered = new ConcurrentLinkedQueue<>();
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicLong slowestMillis = new AtomicLong();

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
                    for (String path : List.of("/healthz", "/metrics", "/")) {
                        long begun = System.nanoTime();
                        look(page, path);
                        long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
                        slowestMillis.accumulateAndGet(millis, Math::max);
                    }
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
        } catch (IOException failed) {
            unanswered.add(path + ": " + failed);
        }
    }

    /** How much the service has counted so far; it pauses until it is told to go on. */
    private static long counted(Program service, int round) throws Exception {
        service.tell("how much?");
        await("the service's count")
                .atMost(PATIENCE)
                .until(() -> counts(service).size() > round);
        return counts(service).get(round);
    }

    private static List<Long> counts(Program service) {
        List<Long> counts = new ArrayList<>();
        for (String line : service.output()) {
            Matcher counted = COUNTED.matcher(line);
            if (counted.matches()) {
                counts.add(Long.valueOf(counted.group(1)));
            }
        }
        return counts;
    }

    @ParameterizedTest
    @ValueSource(strings = {"accepted", "required"})
    void under_every_attack_honest_counts_stay_exact_and_the_page_answers(String signing) throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "honest " + "0123456789abcdef".repeat(4) + "\n");
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
        CollectorProgram collector = CollectorProgram.launch(
                folder.resolve("data"),
                Map.of(),
                List.of("-Xmx256m", "-XX:TieredStopAtLevel=4"),
                "--keys=" + keys,
                "--signing=" + signing,
                "--history-counters=500",
                "--connections=1000");
        opened.add(collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        Eavesdropper network = new Eavesdropper(collector.port());
        opened.add(0, network);
        Program service = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + network.address() + ",sweep=200ms,key=honest:" + keys,
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                HonestService.class.getName()));
        opened.add(0, service);
        service.awaitLine("^serves$");
        collector.awaitMetric("intake_signed_datagrams_total{key=\"honest\"}", 10);
        ProcessSize before = ProcessSize.of(collector);
        Attack attack = new Attack(collector, network, 7);
        opened.add(0, attack);
        watch(collector.httpPort());
        Map<Attack.Kind, String> table = new EnumMap<>(Attack.Kind.class);
        int round = 0;
        for (Attack.Kind kind : Attack.Kind.values()) {
            if (ONLY.isEmpty() || ONLY.equals(kind.name())) {
                String named = signing.equals("required") ? kind.refused : kind.message;
                table.put(kind, attacked(kind, named, attack, collector, service, round++));
            }
        }
        attack.disconnect();
        ProcessSize after = ProcessSize.of(collector);

        System.out.printf(Locale.ROOT, "attacks of %.1f s each, signatures %s; before: %s%n", SECONDS, signing, before);
        table.forEach((kind, row) -> System.out.printf("  %-24s %s%n", kind, row));
        System.out.println("  afterwards: " + after);
        assertThat(table).isNotEmpty();
        assertThat(unanswered).as(collector::log).isEmpty();
        assertThat(after.threads()).isLessThanOrEqualTo(before.threads() + THREADS_MORE_MAX);
        await("connections end")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(ProcessSize.of(collector).descriptors())
                        .isLessThanOrEqualTo(before.descriptors() + DESCRIPTORS_MORE_MAX));
        assertThat(collector.log()).doesNotContain("OutOfMemoryError").doesNotContain(" ERROR ");
    }

    private String attacked(
            Attack.Kind kind, String named, Attack attack, CollectorProgram collector, Program service, int round)
            throws Exception {
        slowestMillis.set(0);
        answers.set(0);
        int linesBefore = collector.program().errors().size();
        long steps = attack.run(kind, SECONDS);
        attack.disconnect();
        long counted = counted(service, round);
        long begun = System.nanoTime();
        await("exact after " + kind)
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(collector.counters().get("honest"))
                        .as(collector::log)
                        .isEqualTo(counted));
        double exactSeconds = (System.nanoTime() - begun) / 1e9;
        ProcessSize size = ProcessSize.of(collector);
        service.tell("go on");

        assertThat(size.heapBytes()).as("heap after %s", kind).isLessThan(HEAP_BYTES_MAX);
        assertThat(size.residentBytes()).as("resident after %s", kind).isLessThan(RESIDENT_BYTES_MAX);
        if (!named.isEmpty()) {
            // A fault is logged at once, and then once a minute; the attacks before may have had the same.
            await("a line that names who did it")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(collector.log().lines())
                            .anyMatch(line -> line.contains(named) && line.contains("127.66.")));
        }
        return String.format(
                Locale.ROOT,
                "%,12d steps; honest exact after %4.1f s: %,d; %,5d answers, the slowest after %,5d ms; %s; %d log"
                        + " lines",
                steps,
                exactSeconds,
                counted,
                answers.get(),
                slowestMillis.get(),
                size,
                collector.program().errors().size() - linesBefore);
    }
}
