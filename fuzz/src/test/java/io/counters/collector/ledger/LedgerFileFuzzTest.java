package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.wire.CommandReader;
import io.counters.wire.Commands;
import io.counters.wire.Rejection;
import io.counters.wire.Verb;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/** A ledger's file of which bytes are changed: see {@link FlippedFile}. */
@Tag("once")
@Tag("slow")
class LedgerFileFuzzTest {
    private static final FaultLog FAULTS = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    private static final String FROM = "from 8f2c6a1e0b7d4c93a5e1f07b 1 1\n";

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static FlippedFile file = new FlippedFile(new byte[] {1});
    private static SortedMap<String, Long> sound = new TreeMap<>();

    /** Lines into a ledger. */
    private static final class Counting implements Commands {
        private final Ledger ledger;
        private @Nullable InboundStream stream;

        Counting(Ledger ledger) {
            this.ledger = ledger;
        }

        void count(String lines) {
            byte[] bytes = lines.getBytes(ISO_8859_1);
            new CommandReader(this).lines(bytes, 0, bytes.length);
        }

        @Override
        public void from(byte[] bytes, int begin, int end, long ageMillis, long seq) {
            stream = ledger.stream(bytes, begin, end, ageMillis, seq, 1);
        }

        @Override
        public void fromNobody() {
            stream = null;
        }

        @Override
        public void command(Verb verb, byte[] bytes, int begin, int end, long amount, long total) {
            ledger.merge(stream, verb, bytes, begin, end, amount, total);
        }

        @Override
        public void fraction(byte[] bytes, int begin, int end, long integer, long rest) {
            ledger.merge(bytes, begin, end, integer, rest);
        }

        @Override
        public void rejected(Rejection why, byte[] bytes, int begin, int end) {
            throw new IllegalArgumentException(why.rule());
        }
    }

    @BeforeAll
    static void write() throws IOException {
        folder = FlippedFile.folder(temporary);
        try (LedgerFile written = new LedgerFile(folder)) {
            Ledger ledger = ledger(written);
            Committer commit = new Committer(ledger, written, () -> 0, FAULTS, new Metrics());
            new Counting(ledger)
                    .count("a:1|c\nb,k=v:0.25|c\ndecrement gone 5\n" + FROM
                            + "increment a 5 7\ndecrement d 1 9\nincrement e 1 9007199254740993\n");
            assertThat(commit.run()).isTrue();
            ledger.remove("gone");
            ledger.publishAt(1_700_000_000, 60);
            for (int i = 0; i < 200; i++) {
                new Counting(ledger).count("many." + i + ":" + i * 1_000_003L + "|c\n");
            }
            ledger.forgetEarlier();
            new Counting(ledger).count("from another-stream-of-the-test 99999999 7\nincrement a 1 100\n");
            ledger.noteAll();
            assertThat(commit.run()).isTrue();
            sound = MemoryLedger.values(ledger);
            assertThat(sound).hasSize(204).containsEntry("a", 9L).containsEntry("d", -9L);
        }
        file = new FlippedFile(Files.readAllBytes(folder.resolve(LedgerFile.NAME)));
    }

    @AfterAll
    static void clear() throws IOException {
        FlippedFile.clear(folder);
        if (!folder.equals(temporary)) {
            Files.delete(folder);
        }
    }

    private static Ledger ledger(LedgerFile from) throws IOException {
        return new Ledger(
                LedgerSettings.in(folder),
                true,
                () -> 1_000_000,
                () -> 1_700_000_000,
                from.load(MemoryLedger.state()),
                new Metrics());
    }

    static Stream<byte[]> seeds() {
        return FlippedFile.seeds();
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10s")
    void a_damaged_ledger_is_refused_or_set_aside_or_goes_on_counting(byte[] bytes) throws IOException {
        FlippedFile.clear(folder);
        byte[] changed = file.with(bytes);
        Files.write(folder.resolve(LedgerFile.NAME), changed);
        SortedMap<String, Long> expected;
        try (LedgerFile opened = new LedgerFile(folder)) {
            Ledger ledger = ledger(opened);
            if (file.isSound(changed)) {
                assertThat(opened.setAside()).isNull();
                assertThat(MemoryLedger.values(ledger)).isEqualTo(sound);
            }
            expected = new TreeMap<>(MemoryLedger.values(ledger));
            // What the page shows.
            ledger.reports().forEach(String::valueOf);
            expected.keySet().forEach(ledger::explain);
            ledger.details();
            new Counting(ledger).count("fresh:3|c\n" + FROM + "increment fresh 1 4\n");
            assertThat(ledger.value("fresh") - expected.getOrDefault("fresh", 0L))
                    .isBetween(3L, 7L);
            expected.put("fresh", ledger.value("fresh"));
            if (!new Committer(ledger, opened, () -> 0, FAULTS, new Metrics()).run()) {
                return;
            }
            assertThat(MemoryLedger.values(ledger)).isEqualTo(expected);
        } catch (IOException refused) {
            assertThat(refused.getMessage()).contains("ledger");
            return;
        }
        try (LedgerFile again = new LedgerFile(folder)) {
            if (again.setAside() == null) {
                assertThat(MemoryLedger.values(ledger(again))).isEqualTo(expected);
            }
        } catch (IOException refused) {
            assertThat(refused.getMessage()).contains("ledger");
        }
    }
}
