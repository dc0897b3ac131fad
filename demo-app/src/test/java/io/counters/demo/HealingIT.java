package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Counts stay exact in real processes: agents, a network that loses 30 % of the datagrams, a collector and a memcached that
 * are killed. With {@code -Dhealing.kills=20} they are killed more often.
 */
@Tag("once")
class HealingIT {
    private static final int SENDERS = 3;
    private static final int KILLS = Integer.getInteger("healing.kills", 8);
    private static final int KILLS_OF_MEMCACHED = 4;
    private static final Duration SILENCE = Duration.ofSeconds(20);
    private static final Pattern DONE = Pattern.compile("([a-z_.,=]+) (-?\\d+)");

    @TempDir
    private Path folder;

    private static Program shop(String collector, int seed) throws Exception {
        Program shop = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + collector + ",sweep=100ms,settings=shop.counters",
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                SteadyShop.class.getName(),
                Integer.toString(seed)));
        shop.awaitLine("^sells$");
        return shop;
    }

    /** Lets the shops stop selling but keep running; returns the sum of their tallies. */
    private static Map<String, Long> done(List<Program> shops) throws Exception {
        Map<String, Long> done = new TreeMap<>();
        for (Program shop : shops) {
            shop.tell("enough");
        }
        for (Program shop : shops) {
            shop.awaitLine("^told$");
            for (String line : shop.output()) {
                Matcher one = DONE.matcher(line);
                if (one.matches()) {
                    done.merge(one.group(1), Long.valueOf(one.group(2)), Long::sum);
                }
            }
        }
        done.values().removeIf(value -> value == 0);
        return done;
    }

    @Test
    void every_value_is_exact_although_collector_and_memcached_are_killed() throws Exception {
        Random random = new Random(20261122);
        int port = Ports.reserve();
        Memcached memcached = new Memcached();
        CollectorProgram collector = CollectorProgram.start(folder, port, "--store", memcached.url());
        List<Program> shops = new ArrayList<>();
        try (FaultyForwarder network = new FaultyForwarder(port, random)) {
            for (int seed = 1; seed <= SENDERS; seed++) {
                shops.add(shop(network.address(), seed));
            }
            for (int kill = 1; kill <= KILLS; kill++) {
                long until = network.got() + 5 + random.nextInt(40);
                await("traffic").atMost(Duration.ofSeconds(60)).until(() -> network.got() >= until);
                collector.program().kill();
                if (kill % KILLS_OF_MEMCACHED == 0) {
                    memcached.kill();
                    memcached.start();
                }
                collector = CollectorProgram.start(folder, port, "--store", memcached.url());
            }

            Map<String, Long> expected = done(shops);
            assertThat(expected.get("orders.placed")).isGreaterThan(100);
            assertThat(expected.get("stock.balance")).isNegative();
            CollectorProgram last = collector;
            Memcached store = memcached;
            await("all has healed").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                for (Map.Entry<String, Long> counter : expected.entrySet()) {
                    assertThat(store.counter(counter.getKey()))
                            .as(counter.getKey())
                            .isEqualTo(counter.getValue());
                }
            });
            assertThat(last.counters()).containsAllEntriesOf(expected);
            assertThat(network.lost()).isGreaterThan(network.got() / 5);
            assertThat(shops).allMatch(Program::isRunning);
        } finally {
            shops.forEach(Program::close);
            collector.close();
            memcached.close();
        }
    }

    @Test
    void a_memcached_that_hangs_for_a_while_gets_every_increment_exactly_once() throws Exception {
        try (Memcached memcached = new Memcached();
                CollectorProgram collector = CollectorProgram.start(folder, "--store", memcached.url());
                Program shop = shop(collector.address(), 7)) {
            await("pushes").until(() -> memcached.counter("requests") != null);

            memcached.hang();
            long silentUntil = System.nanoTime() + SILENCE.toNanos();
            await("silence").atMost(SILENCE.multipliedBy(2)).until(() -> System.nanoTime() - silentUntil > 0);
            memcached.goOn();

            Map<String, Long> expected = done(List.of(shop));
            await("all counts have arrived").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                for (Map.Entry<String, Long> counter : expected.entrySet()) {
                    assertThat(memcached.counter(counter.getKey()))
                            .as(counter.getKey())
                            .isEqualTo(counter.getValue());
                }
            });
            assertThat(collector.program().errors())
                    .anyMatch(line -> line.contains("gave no usable answer"))
                    .filteredOn(line -> line.contains("gave no usable answer"))
                    .hasSizeLessThanOrEqualTo(2);
        }
    }

    @Test
    void killed_senders_lose_only_counts_that_no_delivered_datagram_contained() throws Exception {
        int port = Ports.reserve();
        try (CollectorProgram collector = CollectorProgram.start(folder, port);
                FaultyForwarder network = new FaultyForwarder(port, new Random(7))) {
            for (int seed = 1; seed <= 3; seed++) {
                try (Program shop = shop(network.address(), seed)) {
                    long before = collector.counters().getOrDefault("requests", 0L);
                    await("traffic")
                            .atMost(Duration.ofSeconds(60))
                            .until(() -> collector.counters().getOrDefault("requests", 0L) > before + 300);
                    shop.kill();
                }
            }

            await("datagrams in transit have arrived")
                    .atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(collector.counters()).containsExactlyEntriesOf(network.carried()));
            assertThat(network.carried().get("requests")).isGreaterThan(900);
            assertThat(collector.metric("ledger_datagrams_lost")).isPositive();
            assertThat(collector.metric("ledger_healed_total")).isPositive();
        }
    }
}
