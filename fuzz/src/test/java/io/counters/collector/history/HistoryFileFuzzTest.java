package io.counters.collector.history;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.FlippedFile;
import io.counters.collector.ledger.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/** A history's file of which bytes are changed: see {@link FlippedFile}. */
@Tag("once")
@Tag("slow")
class HistoryFileFuzzTest {
    private static final FaultLog FAULTS = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    private static final long START = 1_700_000_000;
    private static final int TICKS = 200;
    private static final int INTERVAL = 10;
    private static final String[] NAMES = {"a", "b,k=v", "c", "d"};

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static FlippedFile file = new FlippedFile(new byte[] {1});

    private static History open() {
        return new History(
                new HistorySettings(
                        folder.resolve("history.db"), INTERVAL, 172_800, 2_592_000, 63_072_000, 1L << 30, 100),
                FAULTS,
                new Metrics());
    }

    private static Snapshot tick(int number) {
        return new Snapshot(
                NAMES,
                new long[] {number, -number * 7L, number / 50, (long) number * number * 1_000_003},
                NAMES.length);
    }

    @BeforeAll
    static void write() throws IOException {
        folder = FlippedFile.folder(temporary);
        History history = open();
        for (int i = 0; i < TICKS; i++) {
            history.put(START + (long) INTERVAL * i, tick(i));
        }
        history.close();
        file = new FlippedFile(Files.readAllBytes(folder.resolve("history.db")));
    }

    @AfterAll
    static void clear() throws IOException {
        FlippedFile.clear(folder);
        if (!folder.equals(temporary)) {
            Files.delete(folder);
        }
    }

    static Stream<byte[]> seeds() {
        return FlippedFile.seeds();
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void a_damaged_history_costs_graphs_and_nothing_else(byte[] bytes) throws IOException {
        FlippedFile.clear(folder);
        byte[] changed = file.with(bytes);
        Files.write(folder.resolve("history.db"), changed);
        History history = open();
        try {
            read(history, file.isSound(changed));
            history.put(START + (long) INTERVAL * TICKS, tick(TICKS));
            read(history, false);
            history.put(START + (long) INTERVAL * (TICKS + 1), tick(TICKS + 1));
            read(history, false);
        } finally {
            history.close();
        }
    }

    private static void read(History history, boolean isSound) throws IOException {
        for (String name : NAMES) {
            try {
                Samples samples = history.samples(name, START - 100, START + (long) INTERVAL * (TICKS + 10), INTERVAL);
                assertThat(samples.seconds()).isSortedAccordingTo(Long::compare);
                if (isSound) {
                    assertThat(samples.size()).isEqualTo(TICKS);
                }
                history.extent(name);
                assertThat(history.names("", 100)).hasSizeLessThanOrEqualTo(100);
            } catch (IOException unreadable) {
                assertThat(isSound).as("%s", unreadable.getMessage()).isFalse();
            }
        }
    }
}
