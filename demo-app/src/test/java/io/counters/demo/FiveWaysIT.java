package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Events that are counted in five ways, while 30 % of the datagrams and of the requests are lost, and some of the others come
 * twice or late; the collector and the services are killed, more often with {@code -Dways.kills=10}.
 */
@Tag("once")
class FiveWaysIT {
    private static final List<String> WAYS =
            List.of(CountedEvents.NAME, BootEvents.API, BootEvents.MICROMETER, BootEvents.SPRING, BootEvents.OTLP);
    private static final int KILLS = Integer.getInteger("ways.kills", 5);

    /** The services are killed after every so many kills of the collector. */
    private static final int KILLS_OF_SERVICES = 2;

    private static final double LOST = 0.3;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Random random = new Random(20261201);
    private final ScheduledExecutorService watching = Executors.newSingleThreadScheduledExecutor();
    private final AtomicReference<@Nullable Throwable> wentBack = new AtomicReference<>();
    private final Map<String, Long> seen = new TreeMap<>();
    private final AtomicLong looks = new AtomicLong();
    private volatile @Nullable CollectorProgram collector;
    private int port;
    private int otlpPort;

    @TempDir
    private Path folder;

    private void startCollector() throws IOException {
        collector = CollectorProgram.start(folder, port, "--otlp-port=" + otlpPort);
    }

    private CollectorProgram collector() {
        return Objects.requireNonNull(collector);
    }

    /** A program that counts the events that it is told. */
    private static Program service(List<String> arguments) throws Exception {
        Program service = Program.java(arguments);
        service.awaitLine("^counts$", PATIENCE);
        return service;
    }

    private static List<Program> services(FaultyForwarder network, FaultyProxy web) throws Exception {
        String classes = System.getProperty("java.class.path");
        return List.of(
                service(List.of(
                        "-javaagent:" + Jars.agent() + "=collector=" + network.address() + ",sweep=100ms",
                        "-cp",
                        classes,
                        CountedEvents.class.getName())),
                service(List.of(
                        "-cp",
                        classes,
                        BootEvents.class.getName(),
                        web.address() + "/v1/metrics",
                        "--management.counters.export.collector=" + network.address(),
                        "--management.counters.export.sweep=100ms")));
    }

    /** No value may ever be lower than it was. */
    private void watch() {
        try {
            Map<String, Long> now = collector().counters();
            for (String way : WAYS) {
                long value = now.getOrDefault(way, 0L);
                assertThat(value).as(way).isGreaterThanOrEqualTo(seen.getOrDefault(way, 0L));
                seen.put(way, value);
            }
            looks.incrementAndGet();
        } catch (IOException isDown) {
            // The collector was killed.
        } catch (AssertionError back) {
            wentBack.compareAndSet(null, back);
        }
    }

    private int count(List<Program> services) throws Exception {
        int events = 1 + random.nextInt(1000);
        for (Program service : services) {
            service.tell(Integer.toString(events));
        }
        return events;
    }

    private void awaitExact(long events) {
        Map<String, Long> expected = new TreeMap<>();
        WAYS.forEach(way -> expected.put(way, events));
        await("each way has the sum").atMost(PATIENCE).ignoreExceptions().untilAsserted(() -> {
            Map<String, Long> found = collector().counters();
            found.keySet().retainAll(WAYS);
            assertThat(found).as(collector().log()).isEqualTo(expected);
        });
    }

    @Test
    void five_ways_of_counting_an_event_are_exact_and_never_go_back() throws Exception {
        port = Ports.reserve();
        otlpPort = Ports.reserve();
        startCollector();
        var unused = watching.scheduleWithFixedDelay(this::watch, 0, 20, TimeUnit.MILLISECONDS);
        List<Program> services = List.of();
        try (FaultyForwarder network = new FaultyForwarder(port, random);
                FaultyProxy web = new FaultyProxy(otlpPort, random)) {
            web.faulty(LOST);
            services = services(network, web);
            long events = 0;
            for (int kill = 1; kill <= KILLS; kill++) {
                events += count(services);
                long passed = web.passed() + 1 + random.nextInt(5);
                await("exports").atMost(PATIENCE).until(() -> web.passed() >= passed);
                collector().kill();
                events += count(services);
                startCollector();
                if (kill % KILLS_OF_SERVICES == 0) {
                    awaitExact(events);
                    for (Program service : services) {
                        service.kill();
                    }
                    services = services(network, web);
                }
            }

            await("every kind of fault has happened")
                    .atMost(PATIENCE)
                    .until(() -> web.faults().size() == FaultyProxy.Fault.values().length);
            awaitExact(events);
            assertThat(wentBack.get()).isNull();
            assertThat(looks.get()).isGreaterThan(KILLS);
            assertThat(network.lost()).isGreaterThan(network.got() / 5);
            assertThat(services).allMatch(Program::isRunning);
        } finally {
            watching.shutdownNow();
            services.forEach(Program::close);
            collector().close();
        }
    }
}
