package io.counters.collector.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.counters.collector.ledger.KeptLedger;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
        history(data, "as it was");
    }

    private static void history(Path folder, String name) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("history.db"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE IF NOT EXISTS series (name)");
            statement.execute("INSERT INTO series VALUES ('" + name + "')");
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
        assertThat(folder.resolve("backup.part")).doesNotExist();
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
    void what_cannot_be_completed_leaves_nothing_and_what_a_kill_left_is_written_anew() throws Exception {
        Files.createDirectory(folder.resolve("backup.part"));
        Files.writeString(folder.resolve("backup.part/ledger.sqlite"), "half of one");
        Files.writeString(data.resolve("history.db"), "is no database, so the second file fails");

        assertThatThrownBy(() -> backup.write(data))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("history.db");

        assertThat(files(folder)).containsExactly(data);
        Files.delete(data.resolve("history.db"));
        Files.createDirectory(folder.resolve("backup.part"));
        Files.writeString(folder.resolve("backup.part/ledger.sqlite"), "half of one");
        assertThat(backup.write(data).hasHistory()).isFalse();
        assertThat(folder.resolve("backup.part")).doesNotExist();
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
    void the_history_is_restored_only_where_there_is_none() throws Exception {
        backup.write(data);
        history(data, "later");

        assertThat(backup.restore(data).hasHistory()).isFalse();
        BackupFolder.Written anew = backup.restore(folder.resolve("new"));

        assertThat(anew.hasHistory()).isTrue();
        assertThat(anew.aside()).isNull();
        assertThat(series(data)).isEqualTo(2);
        assertThat(series(folder.resolve("new"))).isEqualTo(1);
        try (KeptLedger kept = new KeptLedger(folder.resolve("new"), false)) {
            assertThat(kept.values()).isEqualTo(Map.of("a", 5L));
        }
    }

    @Test
    void what_root_restores_belongs_to_the_owner_of_the_folder() throws Exception {
        assumeThat(System.getProperty("user.name")).isEqualTo("root");
        backup.write(data);
        Path lost = Files.createDirectory(folder.resolve("lost"));
        UserPrincipal collector =
                lost.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
        Files.setOwner(lost, collector);

        backup.restore(lost);

        assertThat(files(lost)).hasSize(3).allMatch(file -> isOf(file, collector));
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

    private static int series(Path folder) throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("history.db"));
                Statement statement = connection.createStatement()) {
            return statement.executeQuery("SELECT count(*) FROM series").getInt(1);
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
