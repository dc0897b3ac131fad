package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Collectors that share the names, with one memcached and one OpenTSDB. An agent and raw senders that do not know the list
 * send to all of them, while one is killed and while the list changes.
 */
@Tag("once")
class PeersIT {
    private static final int NAMES = 100;
    private static final int RAW_NAMES = 30;
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Pattern COUNTED = Pattern.compile("(many[^ ]+) (-?\\d+)");
    private static final Pattern POINT = Pattern.compile("put (\\S+) (\\d+) (-?\\d+) (.*)");

    @TempDir
    private Path folder;

    /** All four; the last is not in the first list. */
    private final List<CollectorProgram> collectors = new ArrayList<>();

    private final List<CollectorProgram> earlierLives = new ArrayList<>();
    private final Map<String, Long> raw = new TreeMap<>();
    private final int[] ports = new int[4];
    private OpenTsdb openTsdb;
    private Memcached memcached;

    @BeforeEach
    void start() throws Exception {
        for (int i = 0; i < ports.length; i++) {
            ports[i] = Ports.reserve();
        }
        openTsdb = OpenTsdb.start(folder.resolve("opentsdb"));
        memcached = Memcached.start();
        list("list 1", peer(0) + "*3", peer(1), peer(2) + "*2");
        for (int i = 0; i < 3; i++) {
            collectors.add(collector(i));
        }
    }

    @AfterEach
    void end() {
        collectors.forEach(CollectorProgram::close);
        earlierLives.forEach(CollectorProgram::close);
        if (memcached != null) {
            memcached.close();
        }
        if (openTsdb != null) {
            openTsdb.close();
        }
    }

    private String peer(int number) {
        return "127.0.0.1:" + ports[number];
    }

    private Path list(String... lines) throws IOException {
        Path file = folder.resolve("peers");
        Files.write(folder.resolve("peers.new"), List.of(lines));
        return Files.move(folder.resolve("peers.new"), file, StandardCopyOption.ATOMIC_MOVE);
    }

    private CollectorProgram collector(int number) throws Exception {
        return CollectorProgram.start(
                folder.resolve("ledger" + number),
                ports[number],
                "--peers",
                folder.resolve("peers").toString(),
                "--self",
                peer(number),
                "--store",
                memcached.address(),
                "--opentsdb",
                openTsdb.address(),
                "--sink",
                "stdout",
                "--interval",
                "1s");
    }

    @Test
    void every_count_is_at_one_collector_and_every_point_is_published_once() throws Exception {
        awaitSettled(3);
        String known = peer(0) + "*3;" + peer(1) + ";" + peer(2) + "*2";
        try (Program sender = Program.java(List.of(
                "-javaagent:" + Jars.agent() + "=collector=" + known + ",sweep=100ms",
                "-cp",
                Path.of("target", "test-classes") + File.pathSeparator + Jars.shop(),
                ManyCounters.class.getName(),
                Integer.toString(NAMES),
                "11"))) {
            sender.awaitLine("^counts$");
            countAtAll();
            awaitRaw();

            // One is killed, and loses what it has not committed.
            collectors.get(1).program().kill();
            earlierLives.add(collectors.get(1));
            collectors.set(1, collector(1));
            awaitSettled(3);
            countAtAll();

            // One is added and one removed; the agent keeps using the old list.
            list("list 2", peer(0), peer(1) + "*2", peer(3), "out " + peer(2));
            collectors.add(collector(3));
            countAtAll();
            awaitSettled(4);
            countAtAll();

            sender.tell("enough");
            sender.awaitLine("^told$");
            Map<String, Long> expected = new TreeMap<>(raw);
            for (String line : sender.output()) {
                Matcher one = COUNTED.matcher(line);
                if (one.matches()) {
                    expected.put(one.group(1), Long.valueOf(one.group(2)));
                }
            }
            await("every count is at one collector").atMost(LONG).untilAsserted(() -> {
                assertThat(collectors.get(2).counters()).isEmpty();
                assertThat(all()).containsExactlyInAnyOrderEntriesOf(expected);
                for (Map.Entry<String, Long> counter : expected.entrySet()) {
                    assertThat(memcached.counter(counter.getKey()))
                            .as(counter.getKey())
                            .isEqualTo(counter.getValue());
                }
            });
            awaitPoints(expected);
            for (int stayed : new int[] {0, 3}) {
                assertNoGaps(collectors.get(stayed));
            }
        }
    }

    /** Checks that a collector that was not killed has a point for each name at every tick since it took over the name. */
    private static void assertNoGaps(CollectorProgram collector) throws Exception {
        Map<String, NavigableMap<Long, Long>> points = new TreeMap<>();
        note(collector, points);
        long skipped = collector.metric("publish_skipped_ticks_total");
        points.forEach((name, its) -> {
            long ticks = its.lastKey() - its.firstKey() + 1;
            assertThat(ticks - its.size()).as("gaps of " + name).isBetween(0L, skipped);
        });
    }

    private void awaitSettled(int count) {
        await("all use the same list").atMost(LONG).untilAsserted(() -> {
            for (int i = 0; i < count; i++) {
                assertThat(collectors.get(i).metric("peers_awaited")).isZero();
                assertThat(collectors.get(i).metric("peers_list")).isEqualTo(count == 3 ? 1 : 2);
            }
        });
    }

    /** Sends raw lines to all over UDP and TCP; most of the names belong to another collector. */
    private void countAtAll() throws IOException {
        for (CollectorProgram collector : collectors) {
            StringBuilder lines = new StringBuilder();
            for (int name = 0; name < RAW_NAMES; name++) {
                lines.append("increment raw.counter")
                        .append(name)
                        .append(' ')
                        .append(name + 1)
                        .append('\n');
                raw.merge("raw.counter" + name, 2L * (name + 1), Long::sum);
            }
            collector.send(lines.toString());
            collector.sendByTcp(lines.toString());
        }
    }

    private void awaitRaw() {
        await("raw lines have reached their owners")
                .atMost(LONG)
                .untilAsserted(() -> assertThat(all()).containsAllEntriesOf(raw));
    }

    /** The counters of all collectors; no counter may be at two of them. */
    private Map<String, Long> all() throws IOException, InterruptedException {
        Map<String, Long> all = new TreeMap<>();
        for (CollectorProgram collector : collectors) {
            collector
                    .counters()
                    .forEach((name, value) -> assertThat(all.put(name, value))
                            .as(name + " is at two collectors")
                            .isNull());
        }
        return all;
    }

    /** Waits until the last values are published, and compares the printed points with those in OpenTSDB. */
    private void awaitPoints(Map<String, Long> expected) {
        await("the last values are published").atMost(LONG).untilAsserted(() -> {
            Map<String, NavigableMap<Long, Long>> printed = printed();
            Map<String, Long> last = new TreeMap<>();
            printed.forEach((name, points) -> last.put(name, points.lastEntry().getValue()));
            assertThat(last).containsExactlyInAnyOrderEntriesOf(expected);
            for (CollectorProgram collector : collectors) {
                assertThat(collector.metric("publish_lost_points_total")).isZero();
            }
            long from = printed.values().stream()
                    .mapToLong(NavigableMap::firstKey)
                    .min()
                    .orElseThrow();
            long to = printed.values().stream()
                    .mapToLong(NavigableMap::lastKey)
                    .min()
                    .orElseThrow();
            Map<String, NavigableMap<Long, Long>> due = new TreeMap<>();
            printed.forEach((name, points) -> due.put(name + ",src=counters", new TreeMap<>(points.headMap(to, true))));
            Map<String, NavigableMap<Long, Long>> stored = openTsdb.points("many.counters", from, to);
            for (int name = 0; name < RAW_NAMES; name++) {
                stored.putAll(openTsdb.points("raw.counter" + name, from, to));
            }
            assertThat(stored).isEqualTo(due);
        });
    }

    /** All points that collectors have printed, by name; no second of a name may appear twice. */
    private Map<String, NavigableMap<Long, Long>> printed() {
        Map<String, NavigableMap<Long, Long>> points = new TreeMap<>();
        List<CollectorProgram> all = new ArrayList<>(collectors);
        all.addAll(earlierLives);
        for (CollectorProgram collector : all) {
            note(collector, points);
        }
        return points;
    }

    private static void note(CollectorProgram collector, Map<String, NavigableMap<Long, Long>> points) {
        for (String line : collector.program().output()) {
            Matcher point = POINT.matcher(line);
            if (point.matches()) {
                String tags = point.group(4).equals("src=counters")
                        ? ""
                        : "," + point.group(4).replace(" src=counters", "").replace(' ', ',');
                Long other = points.computeIfAbsent(point.group(1) + tags, fresh -> new TreeMap<>())
                        .put(Long.valueOf(point.group(2)), Long.valueOf(point.group(3)));
                assertThat(other).as("published twice: " + line).isNull();
            }
        }
    }
}
