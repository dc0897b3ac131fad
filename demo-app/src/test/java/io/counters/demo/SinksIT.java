package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector that writes to a real Prometheus and a real VictoriaMetrics by remote write, while they and the collector are
 * killed. Prometheus refuses what is out of order, so this also shows the order.
 */
@Tag("once")
class SinksIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int COUNTERS = 300;
    private static final String ONE = "orders.placed,shop=7";
    private static final String DOWN = "carts.open";

    @TempDir
    Path folder;

    /** The last one that was started, unless it was killed. */
    private final List<Prometheus> running = new ArrayList<>();

    private int prometheusPort;
    private int collectorPort;
    private long counted;

    private Prometheus prometheus() throws IOException {
        return new Prometheus(folder, prometheusPort, "global: {}\n");
    }

    /** The samples of a series that has only these labels, by their seconds. */
    private NavigableMap<Long, Long> samples(String series) throws IOException, InterruptedException {
        return running.get(running.size() - 1).samples(series);
    }

    private CollectorProgram collector(VictoriaMetrics victoria) throws IOException {
        return CollectorProgram.start(
                folder.resolve("ledger"),
                collectorPort,
                "--interval=1s",
                "--sink=stdout,prometheus:http://127.0.0.1:" + prometheusPort + "/api/v1/write,prometheus:"
                        + victoria.queryAddress() + "/api/v1/write");
    }

    private void count(CollectorProgram collector) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < COUNTERS; i++) {
            lines.append("increment orders.placed,shop=").append(i).append(" 3\n");
        }
        collector.sendByTcp(lines + "increment carts.open 3\ndecrement carts.open 1\n");
        counted++;
        collector.awaitCounter(ONE, 3 * counted);
        collector.awaitCounter(DOWN, 2 * counted);
    }

    /** Waits for ticks that have all counts, after each sink has delivered them. */
    private void pass(CollectorProgram collector, int ticks) throws IOException {
        long before = collector.metric("publish_ticks_total");
        await("ticks").atMost(PATIENCE).until(() -> collector.metric("publish_ticks_total") >= before + ticks);
    }

    private static void note(CollectorProgram collector, NavigableMap<Long, Long> printed) {
        for (String line : collector.program().output()) {
            if (line.startsWith("put orders.placed ") && line.contains(" shop=7 ")) {
                String[] words = line.split(" ", -1);
                printed.put(Long.parseLong(words[2]), Long.parseLong(words[3]));
            }
        }
    }

    @Test
    void every_tick_is_in_prometheus_and_in_victoriametrics_once() throws Exception {
        prometheusPort = Ports.reserve();
        collectorPort = Ports.reserve();
        NavigableMap<Long, Long> printed = new TreeMap<>();
        running.add(prometheus());
        try (VictoriaMetrics victoria = VictoriaMetrics.start(folder.resolve("victoria"))) {
            long refused;
            try (CollectorProgram first = collector(victoria)) {
                count(first);
                pass(first, 3);

                running.remove(0).kill();
                count(first);
                pass(first, 4);
                note(first, printed);
                // It may not be in the spool yet.
                printed.pollLastEntry();
                // In the middle of an outage, with ticks in the spool.
                first.kill();
            }
            try (CollectorProgram second = collector(victoria)) {
                count(second);
                pass(second, 2);
                running.add(prometheus());
                count(second);
                pass(second, 2);
                await("Prometheus has the ticks of its outage")
                        .atMost(PATIENCE)
                        .until(() -> !samples("orders_placed_total{shop=\"7\"}")
                                .tailMap(printed.lastKey(), false)
                                .isEmpty());
                note(second, printed);
                printed.pollLastEntry();
                refused = second.metric("publish_bad_points_total");
                second.kill();
            }
            try (CollectorProgram third = collector(victoria)) {
                count(third);
                pass(third, 3);
                note(third, printed);
                await("all of it has arrived").atMost(PATIENCE).untilAsserted(() -> {
                    assertThat(samples("orders_placed_total{shop=\"7\"}")).containsKey(printed.lastKey());
                    assertThat(victoria.points("orders_placed_total,shop=7")).containsKey(printed.lastKey());
                });
                refused += third.metric("publish_bad_points_total");
            }

            NavigableMap<Long, Long> inPrometheus =
                    samples("orders_placed_total{shop=\"7\",src=\"counters\"}").headMap(printed.lastKey(), true);
            NavigableMap<Long, Long> inVictoria =
                    victoria.points("orders_placed_total,shop=7,src=counters").headMap(printed.lastKey(), true);
            assertThat(printed).hasSizeGreaterThan(8);
            assertThat(inPrometheus).containsAllEntriesOf(printed);
            assertThat(inVictoria).containsAllEntriesOf(printed);
            // A tick that was being taken when the collector was killed may be in one of them only.
            inPrometheus.forEach((second, value) ->
                    assertThat(inVictoria.getOrDefault(second, value)).isEqualTo(value));
            assertThat(new ArrayList<>(inVictoria.values())).isSorted();
            assertThat(new ArrayList<>(inPrometheus.values())).isSorted();
            assertThat(inPrometheus.lastEntry().getValue()).isEqualTo(3 * counted);
            assertThat(samples("carts_open").lastEntry().getValue()).isEqualTo(2 * counted);
            assertThat(samples("carts_open_total")).isEmpty();
            assertThat(refused).isZero();
            System.out.println("SinksIT: " + inPrometheus.size() + " ticks of " + (COUNTERS + 1)
                    + " counters, each once, in Prometheus and in VictoriaMetrics");
        } finally {
            running.forEach(Prometheus::close);
        }
    }

    @Test
    void doctor_says_whether_a_receiver_accepts_requests() throws Exception {
        try (VictoriaMetrics victoria = VictoriaMetrics.start(folder.resolve("victoria"));
                Program good = CollectorProgram.command(
                        "doctor",
                        "--bind=127.0.0.1",
                        "--data-dir=" + folder,
                        "--http-port=" + Ports.reserve(),
                        "--udp-port=" + Ports.reserve(),
                        "--sink=prometheus:" + victoria.queryAddress() + "/api/v1/write,prometheus:"
                                + victoria.queryAddress() + "/nothing")) {
            good.awaitEnd();

            assertThat(good.output())
                    .anyMatch(line -> line.startsWith("ok    sink ")
                            && line.endsWith(
                                    "Prometheus at " + victoria.queryAddress() + "/api/v1/write accepts requests"))
                    .anyMatch(line -> line.startsWith("FAIL  sink ") && line.contains("/nothing answers a request"));
        }
    }
}
