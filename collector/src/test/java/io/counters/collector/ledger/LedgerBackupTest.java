package io.counters.collector.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerBackupTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";

    @TempDir
    Path folder;

    private Path data;
    private Path backup;

    @BeforeEach
    void prepare() throws IOException {
        data = Files.createDirectory(folder.resolve("data"));
        backup = Files.createDirectory(folder.resolve("backup"));
    }

    private LedgerContent backUp() throws IOException {
        return LedgerBackup.write(data, backup.resolve("ledger.sqlite"));
    }

    private @Nullable Path restore(Path to) throws IOException {
        try (FolderLock lock = new FolderLock(to)) {
            return restore(lock, () -> {});
        }
    }

    private @Nullable Path restore(FolderLock lock, Runnable others) throws IOException {
        return LedgerBackup.restore(backup, lock, RestoredFile.sum(backup.resolve("ledger.sqlite")), others);
    }

    @Test
    void the_copy_is_one_commit_of_a_ledger_that_is_committed_all_the_time() throws Exception {
        int rounds = 20;
        try (KeptLedger kept = new KeptLedger(data, false)) {
            StringBuilder names = new StringBuilder();
            for (int i = 0; i < 3000; i++) {
                names.append("increment counter.").append(i).append('\n');
            }
            AtomicBoolean ends = new AtomicBoolean();
            AtomicInteger commits = new AtomicInteger();
            Thread counting = new Thread(() -> {
                while (!ends.get()) {
                    kept.datagram(names.toString());
                    kept.commit.run();
                    commits.incrementAndGet();
                }
            });
            counting.start();
            try {
                for (int round = 0; round < rounds; round++) {
                    LedgerContent content = backUp();

                    assertThat(content.sum())
                            .as("every counter was incremented as often as there were commits")
                            .isEqualTo(BigInteger.valueOf(3000 * content.commit()))
                            .isEqualTo(BigInteger.valueOf(content.counters() * content.commit()));
                    assertThat(LedgerBackup.check(backup)).isEqualTo(content);
                }
            } finally {
                ends.set(true);
                counting.join();
            }
            assertThat(commits).as("commits during " + rounds + " copies").hasValueGreaterThan(rounds / 2);
            assertThat(kept.said.lines()).isEmpty();
        }
        assertThat(backup).isDirectoryContaining("glob:**/ledger.sqlite").isDirectoryNotContaining("glob:**-wal");
    }

    @Test
    void a_restored_ledger_is_exact_again_after_the_next_totals_and_adopts_none_of_its_own_later_values()
            throws Exception {
        try (KeptLedger kept = new KeptLedger(data, true)) {
            kept.datagram(S1 + " 1000 1\nincrement a 5 5");
            kept.datagram("increment plain 3");
            answerAll(kept, Map.of());
            assertThat(backUp().toString())
                    .startsWith("counters: 2, sum of their values: 8, senders with totals: 1, watermarks: 1,"
                            + " last commit: number 1 at 1970-01-01T00:00:00Z, format: 4");
            kept.datagram(S1 + " 2000 2\nincrement a 2 7\nincrement later 4 4");
            kept.datagram("from 00000000000000000000002b 500 1\nincrement later 1 1");
            kept.datagram("increment plain 100");
            assertThat(kept.values()).isEqualTo(Map.of("a", 7L, "later", 5L, "plain", 103L));
        }
        Path lost = folder.resolve("new-disk");

        assertThat(restore(lost)).as("what was there before").isNull();

        try (KeptLedger kept = new KeptLedger(lost, true)) {
            kept.datagram("from 00000000000000000000002b 900 2\nincrement later 0 1");
            kept.datagram(S1 + " 3000 3\nincrement a 0 7\nincrement later 0 4");
            // What the killed collector had pushed, and no stamp, because that was on another server.
            answerAll(kept, Map.of("a", 7L, "later", 5L, "plain", 103L));

            assertThat(kept.values())
                    .as("what was sent without totals since the backup is lost, and not taken from the store")
                    .isEqualTo(Map.of("a", 7L, "later", 5L, "plain", 3L));
        }
    }

    /** Answers what is read from the store, and commits. */
    private static void answerAll(KeptLedger kept, Map<String, Long> stored) {
        for (Push request : kept.ledger.take(100, 0)) {
            Long value = stored.get(request.key());
            kept.ledger.answered(request, value == null ? new Push.Missing() : new Push.Holds(value));
        }
        kept.commit.run();
    }

    @Test
    void a_ledger_that_is_there_is_set_aside_with_its_log() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
            backUp();
        }
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 6");
            kept.commit.run();
            killed(data, folder.resolve("killed"));
        }
        Path there = folder.resolve("killed");
        assertThat(there.resolve("ledger.sqlite-wal")).isNotEmptyFile();

        assertThat(restore(there)).isEqualTo(there.resolve("ledger.replaced-1.sqlite"));
        assertThat(restore(there)).isEqualTo(there.resolve("ledger.replaced-2.sqlite"));

        try (KeptLedger kept = new KeptLedger(there, false)) {
            assertThat(kept.value("a")).isEqualTo(5);
        }
        Path before = Files.createDirectory(folder.resolve("before"));
        for (String part : List.of("", "-wal")) {
            Files.copy(there.resolve("ledger.replaced-1.sqlite" + part), before.resolve("ledger.sqlite" + part));
        }
        try (KeptLedger kept = new KeptLedger(before, false)) {
            assertThat(kept.value("a")).as("what was set aside").isEqualTo(11);
        }
    }

    private static void killed(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        for (String part : List.of("", "-wal")) {
            Files.copy(from.resolve("ledger.sqlite" + part), to.resolve("ledger.sqlite" + part));
        }
    }

    @Test
    void nothing_starts_where_a_restore_has_not_ended_and_it_can_be_run_again() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
            backUp();
        }
        Files.writeString(data.resolve("ledger.restoring"), "half a copy");
        assertThatThrownBy(() -> new LedgerFile(data))
                .hasMessageContaining("restoring a backup here has not ended; run the command restore again, or delete"
                        + " ledger.restoring to use the ledger that is here");
        assertThat(LedgerInspection.of(data).problem())
                .isEqualTo("restoring a backup there has not ended; run restore again");
        // It ended between the renaming of the ledger and that of its log.
        Files.move(data.resolve("ledger.sqlite"), data.resolve("ledger.replaced-1.sqlite"));
        Files.writeString(data.resolve("ledger.sqlite-wal"), "not moved yet");
        assertThatThrownBy(() -> new LedgerFile(data))
                .hasMessageContaining("restoring a backup here has not ended; run the command restore again")
                .hasMessageNotContaining("delete");

        assertThat(restore(data)).isEqualTo(data.resolve("ledger.replaced-1.sqlite"));

        assertThat(data.resolve("ledger.replaced-1.sqlite-wal")).hasContent("not moved yet");
        try (KeptLedger kept = new KeptLedger(data, false)) {
            assertThat(kept.value("a")).isEqualTo(5);
        }
    }

    /** Leaves a log with a value that is in no backup, as a kill does. */
    private Path lostLedgerOfWhichOnlyTheLogIsLeft() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
            backUp();
            kept.datagram("increment a 6");
            kept.commit.run();
            killed(data, folder.resolve("killed"));
        }
        Path lost = folder.resolve("killed");
        Files.delete(lost.resolve("ledger.sqlite"));
        assertThat(lost.resolve("ledger.sqlite-wal")).isNotEmptyFile();
        return lost;
    }

    @Test
    void a_log_without_its_ledger_is_not_replayed_into_the_restored_one_nor_put_beside_a_foreign_one()
            throws Exception {
        Path lost = lostLedgerOfWhichOnlyTheLogIsLeft();
        Files.writeString(lost.resolve("ledger.replaced-4.sqlite"), "another restore's");

        assertThat(restore(lost)).as("what was there").isNull();

        assertThat(lost.resolve("ledger.sqlite-wal")).doesNotExist();
        assertThat(lost.resolve("ledger.replaced-4.sqlite-wal")).doesNotExist();
        assertThat(lost.resolve("ledger.replaced-5.sqlite-wal")).isNotEmptyFile();
        try (KeptLedger kept = new KeptLedger(lost, false)) {
            assertThat(kept.value("a")).isEqualTo(5);
        }
    }

    @Test
    void a_ledger_is_set_aside_behind_the_highest_number_so_an_interrupted_move_is_completed_to_its_own_one()
            throws Exception {
        lostLedgerOfWhichOnlyTheLogIsLeft();
        Files.writeString(data.resolve("ledger.replaced-2.sqlite"), "kept; the first one was deleted");
        Files.writeString(data.resolve("ledger.replaced-3.sqlite-wal"), "its ledger was deleted");

        assertThat(restore(data)).isEqualTo(data.resolve("ledger.replaced-4.sqlite"));
    }

    @Test
    void nothing_starts_from_the_first_file_that_a_restore_creates_to_its_end() throws Exception {
        lostLedgerOfWhichOnlyTheLogIsLeft();
        Path anew = folder.resolve("new-disk");
        AtomicInteger refused = new AtomicInteger();

        try (FolderLock lock = new FolderLock(anew)) {
            restore(lock, () -> {
                assertThat(LedgerInspection.of(anew).problem()).contains("restoring a backup there has not ended");
                assertThat(anew.resolve("ledger.restoring")).hasSameBinaryContentAs(backup.resolve("ledger.sqlite"));
                refused.incrementAndGet();
            });
        }

        assertThat(refused).hasValue(1);
        Files.delete(anew.resolve("ledger.sqlite"));
        Files.createDirectory(anew.resolve("ledger.restoring.part"));
        Files.writeString(anew.resolve("ledger.restoring.part/x"), "so the copy cannot be written");
        assertThatThrownBy(() -> restore(anew)).hasMessageContaining("run the command again");
        assertThat(anew.resolve("ledger.restoring"))
                .as("no new ledger may begin")
                .exists();
    }

    @Test
    void a_log_that_has_become_large_shrinks_again() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            Path log = data.resolve("ledger.sqlite-wal");
            try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + data.resolve("ledger.sqlite"));
                    Statement statement = other.createStatement()) {
                statement.execute("CREATE TABLE filler (bytes)");
                statement.execute("INSERT INTO filler VALUES (zeroblob(" + (LedgerConnection.LOG_BYTES + 1) + "))");
            }
            assertThat(Files.size(log)).isGreaterThan(LedgerConnection.LOG_BYTES);

            kept.datagram("increment a");
            kept.commit.run();

            assertThat(Files.size(log)).isLessThanOrEqualTo(LedgerConnection.LOG_BYTES);
        }
    }

    @Test
    void a_folder_without_a_ledger_has_no_backup() {
        assertThatThrownBy(this::backUp)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("there is no ledger in " + data + ": ledger.sqlite is missing;"
                        + " give the collector's --data-dir or --config");
        assertThatThrownBy(() -> LedgerBackup.check(backup)).hasMessageContaining("is not a backup");
    }

    @Test
    void a_ledger_of_a_newer_version_is_neither_copied_nor_restored() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
            backUp();
        }
        newer(data);
        assertThatThrownBy(this::backUp)
                .hasMessageContaining("format 5, which a newer version of the collector has written");
        newer(backup);
        assertThatThrownBy(() -> LedgerBackup.check(backup)).hasMessageContaining("format 5, which a newer version");
    }

    private static void newer(Path folder) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE meta SET number = 5 WHERE key = 'format'");
            statement.execute("UPDATE meta SET number = number + 1 WHERE key = 'check'");
        }
    }

    @Test
    void a_copy_that_differs_or_has_no_room_is_not_there() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.commit.run();
        }
        Path copy = backup.resolve("ledger.sqlite");
        AtomicInteger readings = new AtomicInteger();

        assertThatThrownBy(() -> OnlineCopy.write(
                        data.resolve("ledger.sqlite"), copy, 0, statement -> readings.incrementAndGet()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("has 2 where the source has 1; check the disk, and try it again");
        assertThatThrownBy(
                        () -> OnlineCopy.write(data.resolve("ledger.sqlite"), copy, 1L << 60, statement -> "anything"))
                .isInstanceOf(IOException.class)
                .hasMessageMatching("a copy in .*/backup needs 11529215046\\d+ bytes of disk \\(\\d+ for itself\\), and"
                        + " \\d+ are free; free some space");

        assertThat(backup).isEmptyDirectory();
    }
}
