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
    /** The tick that a sink writes, and those that wait for it on a busy machine. */
    private static final int UNWRITTEN_MAX = 3;

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
        return published(started);
    }

    private static Map<String, SortedMap<Long, Long>> published(List<CollectorProgram> by) {
        Map<String, SortedMap<Long, Long>> published = new HashMap<>();
        by.stream()
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
    void kills_during_writes_lose_only_ticks_that_were_not_written_yet_and_duplicate_none() throws Exception {
        Random random = new Random(1);
        List<Long> kills = new ArrayList<>();
        for (int kill = 0; kill < KILLS; kill++) {
            CollectorProgram child = start(Map.of(), "--sink=stdout");
            // The tick that it makes first may be from before this question.
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
        for (int kill = 0; kill < KILLS; kill++) {
            long lastKept = kills.get(kill);
            published(List.of(started.get(kill))).forEach((name, points) -> {
                TreeMap<Long, Long> lost = new TreeMap<>(points);
                lost.entrySet().removeAll(of(kept, name).entrySet());
                assertThat(lost.keySet())
                        .as("ticks that were printed and are missing")
                        .allMatch(second -> second > lastKept)
                        .hasSizeLessThanOrEqualTo(UNWRITTEN_MAX);
                assertThat(lost.keySet())
                        .as("ticks with wrong values")
                        .doesNotContainAnyElementsOf(of(kept, name).keySet());
            });
        }
        kept.forEach((name, samples) -> {
            TreeMap<Long, Long> more = new TreeMap<>(samples);
            more.entrySet().removeAll(of(published, name).entrySet());
            assertThat(more).as("kept and not printed").hasSizeLessThanOrEqualTo(UNWRITTEN_MAX * KILLS);
        });
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
