package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;
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
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.helpers.NOPLogger;

/** A ledger's file of which bytes are changed: see {@link FlippedFile}. No change may lead to another sum. */
@Tag("once")
@Tag("slow")
class LedgerFileFuzzTest {
    private static final FaultLog FAULTS = new FaultLog(NOPLogger.NOP_LOGGER, () -> 0);
    private static final String FROM = "from 8f2c6a1e0b7d4c93a5e1f07b 1 1\n";
    private static final String OTHER = "from another-stream-of-the-test 99999999 7\n";
    private static final String AGAIN = FROM + "increment a 5 7\ndecrement d 1 9\n";

    /** Its total jumps by more than 2^53. */
    private static final String IN_QUARANTINE = "from third-stream-of-the-test 1 1\nincrement e 1 9007199254740993\n";

    private static final long SECOND = 1_700_000_000;

    @TempDir
    static Path temporary = Path.of("");

    private static Path folder = temporary;
    private static FlippedFile file = new FlippedFile(new byte[] {1});
    private static Shown sound = new Shown(new TreeMap<>(), List.of(), List.of(), List.of(), new TreeMap<>());

    /**
     * What a ledger shows, and what it makes then of totals that come again, of new ones, and of amounts: by this, each watermark,
     * rest and second that was published for is compared.
     */
    private record Shown(
            SortedMap<String, Long> values,
            List<Explanation> explanations,
            List<StreamReport> streams,
            List<Long> published,
            SortedMap<String, Long> afterwards) {
        static Shown of(Ledger ledger) {
            SortedMap<String, Long> values = MemoryLedger.values(ledger);
            List<Explanation> explanations = values.keySet().stream()
                    .map(name -> requireNonNull(ledger.explain(name)))
                    .toList();
            List<StreamReport> streams =
                    ledger.reports().stream().sorted(StreamReport.WORST_FIRST).toList();
            List<Long> published = LongStream.rangeClosed(-1, 1)
                    .map(offset -> ledger.publishAt(SECOND + offset, 1).orElse(0))
                    .boxed()
                    .toList();
            new Counting(ledger)
                    .count(AGAIN + FROM + "increment a 1 8\nincrement d 0 2\ndecrement d 1 10\n" + OTHER
                            + "increment a 1 101\nb,k=v:0.25|c\ngone:1|c\n");
            SortedMap<String, Long> afterwards = new TreeMap<>();
            new Counting(ledger).count("fresh:3|c\n");
            Stream.concat(values.keySet().stream(), Stream.of("gone", "fresh"))
                    .forEach(name -> afterwards.put(name, ledger.value(name)));
            return new Shown(values, explanations, streams, published, afterwards);
        }
    }

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
            new Counting(ledger).count("a:1|c\nb,k=v:0.25|c\ndecrement gone 5\n" + AGAIN + IN_QUARANTINE);
            assertThat(commit.run()).isTrue();
            ledger.remove("gone");
            ledger.publishAt(SECOND, 60);
            for (int i = 0; i < 200; i++) {
                new Counting(ledger).count("many." + i + ":" + i * 1_000_003L + "|c\n");
            }
            ledger.forgetEarlier();
            new Counting(ledger).count(OTHER + "increment a 1 100\n");
            ledger.noteAll();
            assertThat(commit.run()).isTrue();
        }
        file = new FlippedFile(Files.readAllBytes(folder.resolve(LedgerFile.NAME)));
        try (LedgerFile opened = new LedgerFile(folder)) {
            sound = Shown.of(ledger(opened));
        }
        assertThat(sound.values).hasSize(204).containsEntry("a", 9L).containsEntry("d", -9L);
        assertThat(sound.afterwards)
                .containsEntry("a", 11L)
                .containsEntry("d", -8L)
                .containsEntry("fresh", 3L);
        assertThat(sound.published).containsExactly(SECOND - 1, 0L, SECOND + 1);
        assertThat(sound.streams).hasSize(3);
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
    void a_damaged_ledger_is_refused_or_set_aside_or_shows_exactly_what_was_written(byte[] bytes) throws IOException {
        FlippedFile.clear(folder);
        byte[] changed = file.with(bytes);
        if (changed.length == 0) {
            // How a new ledger begins.
            return;
        }
        Files.write(folder.resolve(LedgerFile.NAME), changed);
        SortedMap<String, Long> committed;
        try (LedgerFile opened = new LedgerFile(folder)) {
            Ledger ledger = ledger(opened);
            boolean isSetAside = opened.setAside() != null;
            if (isSetAside) {
                assertThat(file.isSound(changed)).isFalse();
                assertThat(opened.damage()).isNotBlank();
                assertThat(MemoryLedger.values(ledger)).isEmpty();
                assertThat(ledger.streams()).isZero();
                new Counting(ledger).count("fresh:3|c\n");
            } else {
                assertThat(Shown.of(ledger)).isEqualTo(sound);
            }
            ledger.details();
            Committer commit = new Committer(ledger, opened, () -> 0, FAULTS, new Metrics());
            assertThat(commit.run() ? null : commit.behind())
                    .as("why what was loaded cannot be committed")
                    .isNull();
            committed = new TreeMap<>(MemoryLedger.values(ledger));
            assertThat(committed).containsEntry("fresh", 3L);
        } catch (IOException refused) {
            requireReason(refused, changed);
            return;
        }
        try (LedgerFile again = new LedgerFile(folder)) {
            SortedMap<String, Long> loaded = MemoryLedger.values(ledger(again));
            assertThat(loaded).isEqualTo(again.setAside() == null ? committed : new TreeMap<>());
        } catch (IOException refused) {
            requireReason(refused, changed);
        }
    }

    /** A file that cannot be used stays where it is, and the message has the reason, and not only the file. */
    private static void requireReason(IOException refused, byte[] changed) {
        assertThat(file.isSound(changed)).isFalse();
        String message = String.valueOf(refused.getMessage());
        assertThat(message).startsWith("cannot ").contains(" the ledger " + folder.resolve(LedgerFile.NAME));
        assertThat(message.substring(message.indexOf(": ") + 2))
                .hasSizeGreaterThan(10)
                .doesNotContain("null")
                .doesNotContain("Exception");
        assertThat(folder.resolve(LedgerFile.NAME)).exists();
    }
}
