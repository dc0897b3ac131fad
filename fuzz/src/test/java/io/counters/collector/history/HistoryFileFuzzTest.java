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
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/**
 * A history's file of which bytes are changed: see {@link FlippedFile}. A value that is wrong may go unnoticed, but each failure
 * is one that is expected, and the history goes on.
 */
@Tag("once")
@Tag("slow")
class HistoryFileFuzzTest {
    private static final FaultLog FAULTS = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    private static final long START = 1_700_000_000;
    private static final int TICKS = 200;
    private static final int INTERVAL = 10;

    /** So many ticks follow: the first finds the damage, the second reads the whole file, and the last must be written. */
    private static final int MORE = 3;

    private static final int UNKNOWN = -1;
    private static final long FAR = 99_999_999_999L;

    /** What stays: the file says that a newer version of the collector wrote it, or of SQLite, which must not be changed. */
    private static final Pattern OF_A_NEWER_VERSION =
            Pattern.compile("which a newer version of the collector has written|SQLITE_READONLY");

    /** The class of an exception that nobody expected: others are told by their message. */
    private static final Pattern INTERNAL_ERROR = Pattern.compile("[a-z]\\.[A-Z]\\w*(Exception|Error)\\b");

    private static final String[] NAMES = {"a", "b,k=v", "c", "d"};

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static FlippedFile file = new FlippedFile(new byte[] {1});

    private static History open(Metrics metrics) {
        return new History(
                new HistorySettings(
                        folder.resolve("history.db"), INTERVAL, 172_800, 2_592_000, 63_072_000, 1L << 30, 100),
                FAULTS,
                metrics);
    }

    private static long second(int tick) {
        return START + (long) INTERVAL * tick;
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
        History history = open(new Metrics());
        for (int i = 0; i < TICKS; i++) {
            history.put(second(i), tick(i));
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
        boolean isSound = file.isSound(changed);
        Files.write(folder.resolve("history.db"), changed);
        Metrics metrics = new Metrics();
        History history = open(metrics);
        try {
            read(history, isSound ? TICKS : UNKNOWN);
            long lost = 0;
            for (int tick = TICKS; tick < TICKS + MORE; tick++) {
                history.put(second(tick), tick(tick));
                lost += history.trouble().isPresent() ? 1 : 0;
                history.trouble().ifPresent(why -> assertThat(why).doesNotContainPattern(INTERNAL_ERROR));
            }
            read(history, isSound ? TICKS + MORE : UNKNOWN);
            assertThat(metrics.values().get("history_lost_ticks_total")).isEqualTo(lost);
            if (history.trouble()
                    .filter(why -> OF_A_NEWER_VERSION.matcher(why).find())
                    .isEmpty()) {
                assertThat(history.trouble()).isEmpty();
                assertThat(lost).isLessThan(isSound ? 1 : MORE);
                assertThat(history.lastSecond()).isEqualTo(second(TICKS + MORE - 1));
            }
            if (Files.exists(folder.resolve("history.damaged-1.db"))) {
                isNew(history, lost);
            }
        } finally {
            history.close();
        }
    }

    /** What the page asks for: some of the past, all of it, and coarsely. */
    private static void read(History history, int ticks) throws IOException {
        for (int counter = 0; counter < NAMES.length; counter++) {
            String name = NAMES[counter];
            try {
                Samples samples = history.samples(name, second(-10), second(TICKS + 10), INTERVAL);
                assertThat(samples.seconds()).isSortedAccordingTo(Long::compare);
                if (ticks != UNKNOWN) {
                    assertThat(samples.size()).isEqualTo(ticks);
                    for (int tick = 0; tick < ticks; tick++) {
                        assertThat(samples.seconds()[tick]).isEqualTo(second(tick));
                        assertThat(samples.values()[tick]).isEqualTo(tick(tick).values()[counter]);
                    }
                }
                history.samples(name, 0, FAR);
                history.samples(name, 0, FAR, 3_600);
                history.extent(name);
                assertThat(history.names("", 100)).hasSizeLessThanOrEqualTo(100);
            } catch (IOException unreadable) {
                assertThat(ticks).as("%s", unreadable.getMessage()).isEqualTo(UNKNOWN);
            }
        }
    }

    /** A new history has the ticks after those that were lost. */
    private static void isNew(History history, long lost) throws IOException {
        for (int counter = 0; counter < NAMES.length; counter++) {
            Samples samples = history.samples(NAMES[counter], 0, FAR);
            assertThat(samples.size()).isEqualTo((int) (MORE - lost));
            int last = samples.size() - 1;
            assertThat(samples.seconds()[last]).isEqualTo(second(TICKS + MORE - 1));
            assertThat(samples.values()[last]).isEqualTo(tick(TICKS + MORE - 1).values()[counter]);
        }
    }
}
