package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares the history with a map of all that was published: by seed, with restarts, kills, gaps and clocks set back. */
@Tag("once")
@Tag("slow")
class HistorySimulationTest {
    private static final int TICKS = 300;

    @TempDir
    Path folder;

    private Resolution resolution = Resolution.TICKS;

    private final Set<Long> published = new HashSet<>();

    /** The expected samples, by counter and second. */
    private final Map<String, SortedMap<Long, Long>> wanted = new TreeMap<>();

    private @Nullable Long last;

    private void want(long second, Snapshot tick) {
        published.add(second);
        int step = resolution.stepSeconds(KeptHistory.INTERVAL);
        boolean isDue = last == null
                || resolution == Resolution.TICKS
                || Math.floorDiv(second, step) != Math.floorDiv(last, step);
        for (int i = 0; i < tick.size() && isDue; i++) {
            last = second;
            wanted.computeIfAbsent(tick.names()[i], fresh -> new TreeMap<>()).put(second, tick.values()[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void samples_are_equal_to_the_published_values(long seed) throws Exception {
        Random random = new Random(seed);
        // One resolution, so that no other supplies its samples; ticks are as far apart as it needs.
        resolution =
                List.of(Resolution.TICKS, Resolution.MINUTES, Resolution.HOURS).get((int) (seed % 3));
        long keep = 10L * 365 * 86_400;
        KeptHistory all = new KeptHistory(KeptHistory.in(
                folder,
                resolution == Resolution.TICKS ? keep : 0,
                resolution == Resolution.MINUTES ? keep : 0,
                resolution == Resolution.HOURS ? keep : 0,
                1L << 30,
                1000));
        long interval = resolution.stepSeconds(KeptHistory.INTERVAL) * (resolution == Resolution.TICKS ? 2L : 1) / 2;
        try {
            int lives = 0;
            long second = 1_700_000_000;
            boolean hasClocksBack = seed > 12;
            for (int tick = 0; tick < TICKS; tick++) {
                change(random, all.counters, tick);
                Snapshot now = all.snapshot();
                all.history.put(second, now);
                want(second, now);
                int what = random.nextInt(100);
                if (what == 0) {
                    all.restart();
                } else if (what == 1) {
                    HistorySettings killed = all.killed(folder.resolve("" + ++lives));
                    Map<String, Long> counters = all.counters;
                    all.close();
                    all = new KeptHistory(killed);
                    all.counters.putAll(counters);
                }
                second += interval;
                if (what == 2) {
                    second += interval * (1L + random.nextInt(500));
                } else if (what == 3) {
                    second += 1 + random.nextInt(9);
                } else if (what == 4 && hasClocksBack) {
                    second -= random.nextInt(400) * interval;
                }
                while (used(second)) {
                    second++;
                }
                if (what == 5) {
                    compare(all, random);
                }
            }
            compare(all, random);
            all.restart();
            compare(all, random);
            assertThat(all.said.lines()).isEmpty();
        } finally {
            all.close();
        }
    }

    private boolean used(long second) {
        return published.contains(second);
    }

    /** Counters that move often, regularly, seldom or once, up and down, by amounts of any size. */
    private static void change(Random random, Map<String, Long> counters, int tick) {
        counters.merge("busy", (long) random.nextInt(1000), Long::sum);
        counters.merge("regular", 100L, Long::sum);
        counters.merge("seldom", random.nextInt(50) == 0 ? 1L : 0L, Long::sum);
        counters.merge("wild", random.nextInt(3) == 0 ? random.nextLong() : 0L, Long::sum);
        counters.put("still", 7L);
        if (tick > 300) {
            counters.merge("late", (long) random.nextInt(2), Long::sum);
        }
        if (random.nextInt(40) == 0) {
            // Removed, as by the ledger: the ones after it move up.
            counters.remove("gone");
        } else if (counters.containsKey("gone") || random.nextInt(40) == 0) {
            counters.merge("gone", (long) random.nextInt(5), Long::sum);
        }
    }

    private void compare(KeptHistory all, Random random) throws IOException {
        for (String name : wanted.keySet()) {
            SortedMap<Long, Long> samples = wanted.get(name);
            long first = samples.firstKey();
            long last = samples.lastKey();
            assertSame(name, samples(all, name, Long.MIN_VALUE / 4, Long.MAX_VALUE / 4), samples);
            for (int i = 0; i < 5; i++) {
                long from = first + (long) (random.nextDouble() * (last - first));
                long to = from + random.nextInt(200) * (long) resolution.stepSeconds(KeptHistory.INTERVAL);
                assertSame(
                        name + " from " + from + " to " + to,
                        samples(all, name, from, to),
                        samples.subMap(from, to + 1));
            }
        }
    }

    private static void assertSame(String what, SortedMap<Long, Long> found, SortedMap<Long, Long> wanted) {
        Map<Long, Long> missing = new TreeMap<>(wanted);
        missing.entrySet().removeAll(found.entrySet());
        Map<Long, Long> wrong = new TreeMap<>(found);
        wrong.entrySet().removeAll(wanted.entrySet());
        assertThat(missing.toString() + wrong).as(what).isEqualTo("{}{}");
    }

    private static SortedMap<Long, Long> samples(KeptHistory all, String name, long from, long to) throws IOException {
        Samples found = all.history.samples(name, from, to);
        SortedMap<Long, Long> samples = new TreeMap<>();
        for (int i = 0; i < found.size(); i++) {
            assertThat(samples.put(found.seconds()[i], found.values()[i])).isNull();
        }
        return samples;
    }
}
