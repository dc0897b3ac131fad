package io.counters.collector.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.counters.collector.ledger.KeptLedger;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackupFolderTest {
    @TempDir
    Path folder;

    private Path data;
    private BackupFolder backup;

    @BeforeEach
    void count() throws Exception {
        data = folder.resolve("data");
        backup = new BackupFolder(folder.resolve("backup"));
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 5");
            kept.commit.run();
        }
        history(data, 100);
    }

    /** Adds a tick to a history, as far as a backup reads it. */
    private static void history(Path folder, int second) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("history.db"));
                Statement statement = connection.createStatement()) {
            for (String resolution : List.of("ticks", "minutes", "hours")) {
                statement.execute("CREATE TABLE IF NOT EXISTS " + resolution + "_tick (second)");
                statement.execute("CREATE TABLE IF NOT EXISTS " + resolution + "_run (first, last)");
            }
            statement.execute("INSERT INTO ticks_tick VALUES (" + second + ")");
        }
    }

    @Test
    void a_backup_has_the_ledger_the_history_and_their_sums_and_is_one_folder() throws Exception {
        BackupFolder.Written written = backup.write(data);

        assertThat(written.hasHistory()).isTrue();
        assertThat(folder.resolve("backup"))
                .isDirectoryContaining("glob:**/ledger.sqlite")
                .isDirectoryContaining("glob:**/history.db");
        assertThat(files(folder.resolve("backup"))).hasSize(3);
        assertThat(Files.readAllLines(folder.resolve("backup/SHA256SUMS")))
                .hasSize(2)
                .allMatch(line -> line.matches("[0-9a-f]{64}  (ledger.sqlite|history.db)"));
        assertThat(written.problem()).isNull();
        assertThat(files(folder)).containsExactlyInAnyOrder(data, folder.resolve("backup"));
    }

    @Test
    void a_backup_is_never_written_over_another_one() throws Exception {
        backup.write(data);

        assertThatThrownBy(() -> backup.write(data))
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("backup")
                        + " exists already; a backup is a new folder, such as one with the date");
    }

    @Test
    void what_cannot_be_completed_leaves_nothing_and_touches_nothing_of_others() throws Exception {
        Files.createDirectory(folder.resolve("backup.part-1"));
        Files.writeString(folder.resolve("backup.part-1/ledger.sqlite"), "another run's, or precious");
        byte[] ledger = Files.readAllBytes(data.resolve("ledger.sqlite"));
        Files.writeString(data.resolve("ledger.sqlite"), "is no database".repeat(1000));

        assertThatThrownBy(() -> backup.write(data))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("ledger.sqlite");

        assertThat(files(folder)).containsExactlyInAnyOrder(data, folder.resolve("backup.part-1"));
        Files.write(data.resolve("ledger.sqlite"), ledger);
        backup.write(data);
        assertThat(folder.resolve("backup.part-1/ledger.sqlite")).hasContent("another run's, or precious");
        assertThat(files(folder)).hasSize(3);
    }

    @Test
    void a_damaged_history_does_not_prevent_the_backup_of_the_ledger() throws Exception {
        Files.writeString(data.resolve("history.db"), "is no database".repeat(1000));

        BackupFolder.Written written = backup.write(data);

        assertThat(written.problem()).contains("history.db").contains("not a database");
        assertThat(written.hasHistory()).isFalse();
        assertThat(files(folder.resolve("backup"))).hasSize(2);
        BackupFolder.Restored restored = backup.restore(folder.resolve("new"));
        assertThat(restored.history()).isEqualTo("; the backup has no history");
        assertThat(restored.ledger().sum()).isEqualTo(5);
    }

    @Test
    void a_history_that_cannot_be_restored_does_not_prevent_the_restore_of_the_ledger() throws Exception {
        backup.write(data);
        Path there = folder.resolve("new");
        Files.createDirectories(there.resolve("history.db.part/in-the-way"));

        BackupFolder.Restored restored = backup.restore(there);

        assertThat(restored.problem()).isNotNull();
        assertThat(restored.history()).isEqualTo("; without its history");
        try (KeptLedger kept = new KeptLedger(there, false)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", 5L));
        }
    }

    @Test
    void a_backup_that_is_read_only_is_restored_so_that_it_can_be_written() throws Exception {
        backup.write(data);
        for (Path file : files(folder.resolve("backup"))) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("r--r--r--"));
        }

        backup.restore(folder.resolve("new"));

        for (Path file : files(folder.resolve("new"))) {
            assertThat(Files.getPosixFilePermissions(file)).contains(PosixFilePermission.OWNER_WRITE);
        }
    }

    @Test
    void sums_without_a_line_for_a_file_of_the_backup_are_refused() throws Exception {
        backup.write(data);
        Path sums = folder.resolve("backup/SHA256SUMS");
        List<String> lines = Files.readAllLines(sums);

        Files.writeString(sums, "");
        assertThatThrownBy(() -> backup.restore(folder.resolve("new")))
                .hasMessageContaining("no line for ledger.sqlite");
        Files.writeString(sums, lines.get(0) + "\n");
        assertThatThrownBy(() -> backup.restore(folder.resolve("new"))).hasMessageContaining("no line for history.db");

        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void a_backup_of_which_one_bit_is_wrong_is_not_restored() throws Exception {
        backup.write(data);
        Path ledger = folder.resolve("backup/ledger.sqlite");
        byte[] bytes = Files.readAllBytes(ledger);
        // In a value, where SQLite itself finds nothing wrong.
        bytes[bytes.length - 20] ^= 1;
        Files.write(ledger, bytes);

        assertThatThrownBy(() -> backup.restore(folder.resolve("new")))
                .isInstanceOf(IOException.class)
                .hasMessage("the backup " + folder.resolve("backup")
                        + " is damaged: ledger.sqlite is not what was written; give another backup");

        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void a_folder_that_is_no_complete_backup_is_not_restored() throws Exception {
        assertThatThrownBy(() -> backup.restore(folder.resolve("new")))
                .hasMessageContaining("is not a backup: there is no such folder");
        assertThatThrownBy(() -> new BackupFolder(data).restore(folder.resolve("new")))
                .hasMessageContaining("is not a backup: SHA256SUMS is missing in it");
        backup.write(data);
        Files.delete(folder.resolve("backup/history.db"));
        assertThatThrownBy(() -> backup.restore(folder.resolve("new"))).hasMessageContaining("is not complete");
        assertThat(folder.resolve("new")).doesNotExist();
    }

    @Test
    void a_history_that_is_there_stays_only_if_it_has_what_the_backup_has() throws Exception {
        backup.write(data);
        history(data, 200);
        Path started = Files.createDirectory(folder.resolve("started"));
        history(started, 300);
        Path empty = Files.createDirectory(folder.resolve("empty"));
        history(empty, 300);
        change(empty, "DELETE FROM ticks_tick");
        Path damaged = Files.createDirectory(folder.resolve("damaged"));
        Files.writeString(damaged.resolve("history.db"), "is no database".repeat(1000));

        assertThat(backup.restore(data).history()).contains("stays");
        assertThat(seconds(data)).isEqualTo("100 200");
        for (Path other : List.of(started, empty, damaged)) {
            BackupFolder.Restored restored = backup.restore(other);

            assertThat(restored.history()).endsWith("is kept as " + other.resolve("history.replaced-1.db"));
            assertThat(restored.problem()).isNull();
            assertThat(other.resolve("history.replaced-1.db")).exists();
            assertThat(seconds(other)).isEqualTo("100");
        }
        BackupFolder.Restored anew = backup.restore(folder.resolve("new"));
        assertThat(anew.history()).isEqualTo("; with its history");
        assertThat(anew.aside()).isNull();
        try (KeptLedger kept = new KeptLedger(folder.resolve("new"), false)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", 5L));
        }
    }

    @Test
    void the_log_of_a_lost_history_is_not_replayed_into_the_restored_one() throws Exception {
        backup.write(data);
        Path lost = Files.createDirectory(folder.resolve("lost"));
        Files.writeString(lost.resolve("history.db-wal"), "of the lost one");

        backup.restore(lost);

        assertThat(lost.resolve("history.db-wal")).doesNotExist();
        assertThat(lost.resolve("history.replaced-1.db-wal")).hasContent("of the lost one");
    }

    @Test
    void a_restore_that_was_interrupted_while_it_set_a_history_aside_completes_that() throws Exception {
        backup.write(data);
        Path lost = Files.createDirectory(folder.resolve("lost"));
        Files.writeString(lost.resolve("history.replaced-1.db"), "set aside before its log");
        Files.writeString(lost.resolve("history.db-wal"), "its log");
        Files.writeString(lost.resolve("history.db.part"), "the copy");

        BackupFolder.Restored restored = backup.restore(lost);

        assertThat(restored.problem()).isNull();
        assertThat(restored.history()).endsWith("is kept as " + lost.resolve("history.replaced-1.db"));
        assertThat(lost.resolve("history.replaced-1.db-wal")).hasContent("its log");
        assertThat(seconds(lost)).isEqualTo("100");
        assertThat(lost.resolve("history.db.part")).doesNotExist();
    }

    @Test
    void the_log_of_a_lost_history_does_not_come_beside_one_that_was_set_aside_earlier() throws Exception {
        backup.write(data);
        Path lost = Files.createDirectory(folder.resolve("lost"));
        Files.writeString(lost.resolve("history.replaced-1.db"), "set aside earlier");
        Files.writeString(lost.resolve("history.db-wal"), "of the lost one");

        backup.restore(lost);

        assertThat(lost.resolve("history.replaced-1.db-wal")).doesNotExist();
        assertThat(lost.resolve("history.replaced-2.db-wal")).hasContent("of the lost one");
    }

    @Test
    void only_the_owner_of_a_backup_can_read_it() throws Exception {
        backup.write(data);

        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("backup"))))
                .isEqualTo("rwx------");
    }

    @Test
    void what_root_restores_belongs_to_the_owner_of_the_folder() throws Exception {
        assumeThat(System.getProperty("user.name"))
                .as("only root can give files to another user")
                .isEqualTo("root");
        backup.write(data);
        Path lost = Files.createDirectory(folder.resolve("lost"));
        UserPrincipal collector =
                lost.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
        Files.setOwner(lost, collector);
        Path secret = Files.writeString(folder.resolve("secret"), "root's");
        Files.createSymbolicLink(lost.resolve("link"), secret);
        Files.createLink(lost.resolve("hard-link"), secret);
        Files.createSymbolicLink(lost.resolve("ledger.restoring"), secret);
        Files.createSymbolicLink(lost.resolve("history.db.part"), secret);

        backup.restore(lost);

        assertThat(isOf(secret, collector)).as("a file that was there").isFalse();
        assertThat(secret).hasContent("root's");
        for (String created : List.of("ledger.sqlite", "history.db", "ledger.lock")) {
            assertThat(isOf(lost.resolve(created), collector)).as(created).isTrue();
        }
        Path locked = Files.createDirectory(folder.resolve("locked"));
        Files.createSymbolicLink(locked.resolve("ledger.lock"), folder.resolve("created-by-root"));
        assertThatThrownBy(() -> backup.restore(locked)).hasMessageContaining("cannot be written");
        assertThat(folder.resolve("created-by-root")).doesNotExist();
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static boolean isOf(Path file, UserPrincipal owner) {
        try {
            return Files.getOwner(file).equals(owner);
        } catch (IOException unknown) {
            throw new UncheckedIOException(unknown);
        }
    }

    private static void change(Path folder, String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("history.db"));
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String seconds(Path folder) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("history.db"));
                Statement statement = connection.createStatement()) {
            return statement
                    .executeQuery("SELECT group_concat(second, ' ') FROM ticks_tick")
                    .getString(1);
        }
    }

    @Test
    void a_folder_that_a_collector_uses_is_backed_up_and_not_restored() throws Exception {
        try (KeptLedger kept = new KeptLedger(data, false)) {
            kept.datagram("increment a 2");
            kept.commit.run();

            assertThat(backup.write(data).ledger().sum()).isEqualTo(7);

            assertThatThrownBy(() -> backup.restore(data))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("is in use by another collector; stop it");
            kept.datagram("increment a 1");
            assertThat(kept.values()).isEqualTo(Map.of("a", 8L));
        }
    }
}
