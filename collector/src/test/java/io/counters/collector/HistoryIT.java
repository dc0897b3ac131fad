package io.counters.collector;

import static io.counters.testsupport.CollectorProgram.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.Faults.Slot;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.history.History;
import io.counters.collector.history.HistorySettings;
import io.counters.collector.history.Samples;
import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The history of collector.jar when it is killed, with {@code -Dhistory.kills=20} more often, and when its disk fails. */
@Tag("once")
class HistoryIT {
    private static final int KILLS = Integer.getInteger("history.kills", 8);
    private static final int COUNTERS = 50;
    private static final Pattern POINT = Pattern.compile("put (\\S+) (\\d+) (-?\\d+) .*");

    @TempDir
    Path folder;

    private final List<CollectorProgram> started = new ArrayList<>();

    @AfterEach
    void close() {
        started.forEach(CollectorProgram::close);
    }

    private CollectorProgram start(Map<String, String> environment, String... more) throws IOException {
        List<String> flags = new ArrayList<>(List.of("--interval=1s"));
        flags.addAll(List.of(more));
        CollectorProgram child =
                CollectorProgram.launch(folder.resolve("data"), environment, List.of(), flags.toArray(String[]::new));
        started.add(child);
        assertThat(child.runs()).as(child.log()).isTrue();
        return child;
    }

    /** The samples in the file that a collector left. */
    private Map<String, SortedMap<Long, Long>> kept() throws IOException {
        Path file = folder.resolve("data").resolve("history.db");
        HistorySettings settings = new HistorySettings(file, 1, 172_800, 2_592_000, 63_072_000, 1L << 30, 20_000);
        SaidFaults said = new SaidFaults();
        Map<String, SortedMap<Long, Long>> kept = new HashMap<>();
        try (History history = new History(settings, said.log(), new Metrics())) {
            for (String name : history.names("", 1000)) {
                Samples samples = history.samples(name, 0, Long.MAX_VALUE / 2);
                TreeMap<Long, Long> values = new TreeMap<>();
                for (int i = 0; i < samples.size(); i++) {
                    assertThat(values.put(samples.seconds()[i], samples.values()[i]))
                            .as("twice")
                            .isNull();
                }
                kept.put(name, values);
            }
        }
        assertThat(said.lines()).isEmpty();
        return kept;
    }

    /** The points that all collectors so far printed to stdout. */
    private Map<String, SortedMap<Long, Long>> published() {
        Map<String, SortedMap<Long, Long>> published = new HashMap<>();
        started.stream()
                .flatMap(collector -> collector.program().outputAfter(0).stream())
                .map(POINT::matcher)
                // A kill may have cut the last line.
                .filter(Matcher::matches)
                .forEach(point -> published
                        .computeIfAbsent(point.group(1), fresh -> new TreeMap<>())
                        .put(Long.parseLong(point.group(2)), Long.parseLong(point.group(3))));
        return published;
    }

    /** The points of a counter; empty if there are none. */
    private static SortedMap<Long, Long> of(Map<String, SortedMap<Long, Long>> all, String name) {
        return all.getOrDefault(name, new TreeMap<>());
    }

    @Test
    void kills_during_writes_each_lose_at_most_one_tick_and_duplicate_none() throws Exception {
        Random random = new Random(1);
        List<Long> kills = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            CollectorProgram child = start(Map.of(), "--sink=stdout");
            long ticks = child.metrics().getOrDefault("publish_ticks_total", 0L);
            long moment = System.nanoTime()
                    + Duration.ofMillis(1500 + random.nextInt(1500)).toNanos();
            await().atMost(PATIENCE)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> {
                        StringBuilder lines = new StringBuilder();
                        for (int i = 0; i < COUNTERS; i++) {
                            lines.append("increment counter")
                                    .append(i)
                                    .append(' ')
                                    .append(random.nextInt(100))
                                    .append('\n');
                        }
                        child.send(lines.toString());
                        return System.nanoTime() - moment > 0
                                && child.metrics().getOrDefault("publish_ticks_total", 0L) > ticks + 1;
                    });
            child.kill();
            kills.add(kept().values().stream()
                    .flatMap(values -> values.keySet().stream())
                    .max(Long::compare)
                    .orElse(0L));
        }

        Map<String, SortedMap<Long, Long>> kept = kept();
        Map<String, SortedMap<Long, Long>> published = published();

        assertThat(published).hasSize(COUNTERS);
        int missing = 0;
        for (Map.Entry<String, SortedMap<Long, Long>> counter : published.entrySet()) {
            SortedMap<Long, Long> samples = of(kept, counter.getKey());
            TreeMap<Long, Long> lost = new TreeMap<>(counter.getValue());
            lost.entrySet().removeAll(samples.entrySet());
            missing = Math.max(missing, lost.size());
            for (long second : lost.keySet()) {
                assertThat(samples.get(second)).as("a wrong value at " + second).isNull();
                assertThat(kills)
                        .as("the last tick before a kill")
                        .anyMatch(last -> second > last && second <= last + 10);
            }
            // Samples that are kept and were not printed are from the tick of a kill, too.
            TreeMap<Long, Long> more = new TreeMap<>(samples);
            more.entrySet().removeAll(counter.getValue().entrySet());
            assertThat(more.size()).isLessThanOrEqualTo(KILLS);
        }
        assertThat(missing).as("ticks that were printed and not yet written").isLessThanOrEqualTo(KILLS);
        assertThat(of(published, "counter0").size()).isGreaterThan(KILLS);
    }

    @Test
    void the_last_tick_before_an_orderly_end_is_in_the_history() throws Exception {
        CollectorProgram child = start(Map.of(), "--sink=stdout");
        child.send("increment a 5");
        child.awaitCounter("a", 5);

        child.terminate();
        child.status(PATIENCE);

        assertThat(of(kept(), "a")).isEqualTo(of(published(), "a")).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({"WRITE_ERRNO, 28", "WRITE_ERRNO, 5", "SYNC_ERRNO, 5"})
    void a_failing_disk_loses_ticks_until_it_works_again(Slot slot, int errno) throws Exception {
        // The ledger is on the same disk: ticks take place only while it can be committed.
        Faults faults = new Faults(folder.resolve("control"), Files.createDirectory(folder.resolve("data")));
        CollectorProgram child = start(faults.environment(), "--sink=stdout");
        child.send("increment a 5");
        child.awaitCounter("a", 5);
        long before = child.metrics().getOrDefault("publish_ticks_total", 0L);
        child.awaitMetric("publish_ticks_total", before + 1);

        faults.set(slot, errno);
        child.awaitMetric("publish_skipped_ticks_total", 1);
        faults.heal();
        child.send("increment a 2");
        child.awaitCounter("a", 7);
        before = child.metrics().getOrDefault("publish_ticks_total", 0L);
        child.awaitMetric("publish_ticks_total", before + 2);
        child.terminate();
        child.status(PATIENCE);

        TreeMap<Long, Long> lost = new TreeMap<>(of(published(), "a"));
        lost.entrySet().removeAll(of(kept(), "a").entrySet());
        assertThat(lost.size()).isLessThanOrEqualTo(1);
        assertThat(of(kept(), "a")).containsEntry(of(published(), "a").lastKey(), 7L);
        assertThat(Faults.files(folder, "")).noneMatch(name -> name.contains("damaged"));
    }
}
