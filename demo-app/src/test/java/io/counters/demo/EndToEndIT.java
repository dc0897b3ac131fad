package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.PatientEnd;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The main path with real parts: the shop with the agent, the collector, memcached, and an OpenTSDB endpoint. */
class EndToEndIT {
    private static final Pattern DONE = Pattern.compile("([a-z_.,=]+) (-?\\d+)");

    @TempDir
    private Path folder;

    /** Runs the shop with the agent for this many orders; returns the tally that it prints. */
    private static Map<String, Long> sell(int orders, CollectorProgram collector) throws Exception {
        try (Program shop = Program.java(List.of(
                PatientEnd.option(),
                "-javaagent:" + Jars.agent() + "=collector=" + collector.address() + ",settings=shop.counters",
                "-jar",
                Jars.shop().toString(),
                "--orders",
                Integer.toString(orders),
                "--threads",
                "4"))) {
            assertThat(shop.awaitEnd()).as("%s", shop).isZero();
            Map<String, Long> done = new TreeMap<>();
            for (String line : shop.output()) {
                Matcher one = DONE.matcher(line);
                assertThat(one.matches())
                        .as("only the shop's own output: %s", line)
                        .isTrue();
                done.put(one.group(1), Long.valueOf(one.group(2)));
            }
            assertThat(done).containsEntry("orders.placed", (long) orders).hasSizeGreaterThan(10);
            return done;
        }
    }

    @Test
    void counts_of_the_shop_are_in_memcached_and_in_the_points_of_three_ticks() throws Exception {
        try (Memcached memcached = new Memcached();
                VictoriaMetrics opentsdb = VictoriaMetrics.start(folder.resolve("points"));
                CollectorProgram collector = CollectorProgram.start(
                        folder.resolve("ledger"),
                        "--store",
                        memcached.url(),
                        "--opentsdb",
                        opentsdb.address(),
                        "--interval",
                        "2s")) {
            for (int i = 0; i < 3; i++) {
                collector.send("increment YourAwesomeCounter");
            }
            collector.sendByTcp("decrement below.zero 7\nincrement below.zero 3\n");
            Map<String, Long> expected = sell(400, collector);
            expected.put("YourAwesomeCounter", 3L);
            expected.put("below.zero", -4L);

            // A counter that is 0 and never changed may be missing.
            expected.values().removeIf(value -> value == 0);
            assertThat(expected.get("stock.balance")).isNegative();
            collector.awaitCounters(expected);
            await("memcached holds exactly these")
                    .atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> {
                        for (Map.Entry<String, Long> counter : expected.entrySet()) {
                            assertThat(memcached.counter(counter.getKey()))
                                    .as(counter.getKey())
                                    .isEqualTo(counter.getValue());
                        }
                    });
            assertThat(memcached.get("YourAwesomeCounter")).isEqualTo("3");
            assertThat(memcached.get("below.zero")).asString().startsWith("18446744073709551612");

            long since = System.currentTimeMillis() / 1000;
            for (Map.Entry<String, Long> counter : expected.entrySet()) {
                await("points of " + counter.getKey())
                        .atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> {
                            NavigableMap<Long, Long> points =
                                    opentsdb.points(counter.getKey()).tailMap(since, false);
                            assertThat(points).hasSizeGreaterThanOrEqualTo(3);
                            assertThat(points.keySet()).allMatch(second -> second % 2 == 0);
                            assertThat(points.values()).allMatch(counter.getValue()::equals);
                        });
            }
            assertThat(collector.program().errors())
                    .filteredOn(line -> line.contains("WARN"))
                    .as("only what a busy machine delays")
                    .allMatch(line -> line.contains("did not answer within")
                            || line.contains("has not answered earlier requests")
                            || line.contains("ticks left out because this program was paused"));
        }
    }

    @Test
    void without_a_store_the_ledger_has_all_counts_even_after_a_restart() throws Exception {
        Map<String, Long> expected;
        try (CollectorProgram collector = CollectorProgram.start(folder)) {
            collector.send("increment YourAwesomeCounter");
            expected = sell(50, collector);
            expected.values().removeIf(value -> value == 0);
            expected.put("YourAwesomeCounter", 1L);
            collector.awaitCounters(expected);
            assertThat(collector.program().stop()).isEqualTo(143);
        }

        try (CollectorProgram again = CollectorProgram.start(folder)) {
            again.awaitCounters(expected);
        }
    }

    @Test
    void a_collector_killed_and_restarted_while_the_shop_sells_loses_nothing() throws Exception {
        int port = Ports.reserve();
        CollectorProgram collector = CollectorProgram.start(folder, port);
        try (Program shop = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + collector.address()
                        + ",sweep=50ms,settings=shop.counters",
                "-jar",
                Jars.shop().toString(),
                "--port",
                "0",
                "--rate",
                "200"))) {
            for (int kills = 0; kills < 3; kills++) {
                long before = collector.counters().getOrDefault("warehouse.picked", 0L);
                CollectorProgram running = collector;
                await("the shop sells")
                        .untilAsserted(() -> assertThat(running.counters().getOrDefault("warehouse.picked", 0L))
                                .isGreaterThan(before));
                collector.program().kill();
                collector = CollectorProgram.start(folder, port);
            }
            CollectorProgram last = collector;
            long restarted = CollectorProgram.patiently("an answer")
                    .until(last::counters, answer -> true)
                    .getOrDefault("warehouse.picked", 0L);
            // The shop counts each order twice, by the annotation and by a rule on another class; both must always
            // agree. It sells on, because its end may cut an order between the two.
            CollectorProgram.patiently("both ways of counting agree").untilAsserted(() -> {
                Map<String, Long> found = last.counters();
                assertThat(found.getOrDefault("warehouse.picked", 0L)).isGreaterThan(restarted);
                assertThat(found.get("orders.placed")).isEqualTo(found.get("warehouse.picked"));
                assertThat(found.get("labels.printed")).isEqualTo(2 * found.getOrDefault("orders.placed", -1L));
            });
            assertThat(shop.stop()).isEqualTo(143);
        } finally {
            collector.close();
        }
    }
}
