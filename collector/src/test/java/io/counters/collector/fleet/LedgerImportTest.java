package io.counters.collector.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is refused before Kafka is asked. */
class LedgerImportTest {
    @TempDir
    Path folder;

    private static LedgerImport ledgerImport(Map<CollectorFlag, String> flags) throws SettingsException {
        return new LedgerImport(new Settings(flags, Map.of()), 512L << 20, () -> Instant.EPOCH, () -> 0, new Random(1));
    }

    private void assertRefused(String why) throws SettingsException {
        LedgerImport anImport = ledgerImport(Map.of(CollectorFlag.LEDGER, "kafka://127.0.0.1:1"));

        assertThatThrownBy(() -> anImport.run(folder, false))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }

    @Test
    void without_a_fleet_there_is_nothing_to_import_into() {
        assertThatThrownBy(() -> ledgerImport(Map.of()))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("--ledger is embedded, but an import needs a fleet: kafka://HOST:PORT,HOST:PORT");
    }

    @Test
    void a_ledger_that_is_no_fleet_s_is_refused_once() {
        assertThatThrownBy(() -> ledgerImport(Map.of(CollectorFlag.LEDGER, "127.0.0.1:23120")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("--ledger is 127.0.0.1:23120, but an import needs a fleet")
                .hasMessageNotContaining("embedded");
    }

    @Test
    void memory_that_no_collector_could_have_is_refused() {
        assertThatThrownBy(() -> ledgerImport(
                        Map.of(CollectorFlag.LEDGER, "kafka://127.0.0.1:1", CollectorFlag.STREAMS_MEMORY, "90%")))
                .isInstanceOf(SettingsException.class)
                .hasMessageContaining("which together with streams-memory is more than 80% of the heap");
    }

    @Test
    void a_folder_without_a_ledger_is_refused_and_stays_empty() throws Exception {
        Path relative = Path.of("").toAbsolutePath().relativize(folder);

        assertThatThrownBy(() -> ledgerImport(Map.of(CollectorFlag.LEDGER, "kafka://127.0.0.1:1"))
                        .run(relative, false))
                .hasMessage("there is no ledger in " + folder + ": ledger.sqlite is missing");

        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_ledger_that_was_never_used_is_refused() throws Exception {
        new KeptLedger(folder, false).close();

        assertRefused("cannot import the ledger in " + folder + ": nothing was ever counted in it");
    }

    @Test
    void a_ledger_in_use_is_refused() throws Exception {
        try (KeptLedger used = new KeptLedger(folder, false)) {
            used.datagram("increment a");
            used.commit.run();

            assertRefused("the data folder " + folder + " is in use by a collector; stop it, and run the import again");
        }
    }

    @Test
    void a_ledger_that_has_shared_names_is_refused_with_the_way_over() throws Exception {
        try (KeptLedger used = new KeptLedger(folder, false)) {
            used.datagram("increment a");
            used.commit.run();
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE list (place INTEGER PRIMARY KEY, number INTEGER, peers TEXT)");
            statement.execute("INSERT INTO list VALUES (0, 1, 'h1:11212;h2:11212')");
        }

        assertRefused("it has shared names with peers");
        assertRefused("let one collector take over all names");
    }

    @Test
    void a_ledger_of_a_newer_format_is_refused_and_not_changed() throws Exception {
        try (KeptLedger used = new KeptLedger(folder, false)) {
            used.datagram("increment a");
            used.commit.run();
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE meta SET number = 99 WHERE key = 'format'");
            statement.execute("UPDATE meta SET number = number + 1 WHERE key = 'check'");
        }

        assertRefused("it has format 99, which a newer version of the collector has written");
        assertThat(Files.exists(folder.resolve("ledger.damaged-1.sqlite"))).isFalse();
    }
}
