package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Ledgers that earlier versions have written: {@code ledger-*.sqlite.gz} in the resources, made by their own code. Each has 203
 * counters of two senders with totals, and one of raw lines. That of the last version with format 3 has also a rest, a value
 * from a store, a removed counter, and a stream that is not whole.
 */
class LedgerUpgradeTest {
    static final String ORDERS = "from 8f2c6a1e0b7d4c93a5e1f07b 3000 3\nincrement orders.placed 0 42\n"
            + "increment stock,sku=7 0 9\ndecrement stock,sku=7 0 4";

    @TempDir
    Path folder;

    /** Writes one of them into a folder. */
    static void write(String version, Path folder) throws IOException {
        try (InputStream in = new GZIPInputStream(requireNonNull(
                LedgerUpgradeTest.class.getResourceAsStream("ledger-" + version + ".sqlite.gz"), version))) {
            Files.copy(in, folder.resolve("ledger.sqlite"));
        }
    }

    private static void requireExact(KeptLedger kept) {
        kept.datagram(ORDERS);
        Map<String, Long> values = kept.values();
        assertThat(values)
                .hasSize(203)
                .containsEntry("orders.placed", 42L)
                .containsEntry("stock,sku=7", 5L)
                .containsEntry("without.total", 7L);
        for (int i = 0; i < 200; i++) {
            assertThat(values).containsEntry("many." + i, i + 1L);
        }
        assertThat(kept.counted("ledger_healed_total")).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"2-first", "2", "3-first", "3-rests", "3"})
    void a_ledger_of_an_earlier_version_is_converted_and_its_watermarks_are_known(String version) throws Exception {
        write(version, folder);
        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                assertThat(kept.file.setAside()).as(kept.file.damage()).isNull();
                requireExact(kept);
                assertThat(kept.file.upgrade())
                        .as("what the log says")
                        .startsWith(life == 0 ? "the ledger was converted from" : "the copy of the ledger from before");
                assertThat(indexes()).as("indexes, which no start reads").isZero();
            }
        }

        assertThat(files())
                .containsOnlyKeys("ledger.format-" + version.charAt(0) + ".sqlite", "ledger.lock", "ledger.sqlite");
    }

    @ParameterizedTest
    @ValueSource(strings = {"2-first", "2", "3-first", "3-rests", "3"})
    void a_converted_ledger_has_the_tables_of_a_new_one(String version) throws Exception {
        write(version, folder);
        new LedgerFile(folder).close();

        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            assertThat(LedgerTables.areAsCreated(statement)).isTrue();
            statement.execute("ALTER TABLE fact RENAME COLUMN removed TO other");
            assertThat(LedgerTables.areAsCreated(statement)).isFalse();
        }
    }

    private long indexes() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement();
                ResultSet indexes = statement.executeQuery(
                        "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('stream', 'counter')")) {
            return indexes.getLong(1);
        }
    }

    private Map<String, Long> files() throws IOException {
        Map<String, Long> files = new TreeMap<>();
        try (Stream<Path> all = Files.list(folder)) {
            for (Path file : all.toList()) {
                files.put(file.getFileName().toString(), Files.size(file));
            }
        }
        return files;
    }

    @Test
    void the_copy_is_what_the_earlier_version_left_and_the_log_says_when_to_delete_it() throws Exception {
        write("2", folder);
        Path copy = folder.resolve("ledger.format-2.sqlite");
        assertThat(LedgerInspection.of(folder).isOlder()).isTrue();

        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(file.upgrade())
                    .isEqualTo("the ledger was converted from format 2 to format 4; as it was before, it is kept as "
                            + copy + ". Delete this copy once you are sure that you will not go back to the earlier"
                            + " version");
        }

        Path before = Files.createDirectory(folder.resolve("before"));
        write("2", before);
        assertThat(content(copy)).isEqualTo(content(before.resolve("ledger.sqlite")));
        assertThat(content(copy).format()).isEqualTo(2);
        // The way back, and forward again.
        Files.copy(copy, Files.createDirectory(folder.resolve("again")).resolve("ledger.sqlite"));
        try (KeptLedger kept = new KeptLedger(folder.resolve("again"), false)) {
            requireExact(kept);
        }
    }

    @Test
    void the_log_says_that_it_is_converted_before_that_begins_and_later_that_the_copy_is_still_there()
            throws Exception {
        write("3", folder);
        List<String> progress = new ArrayList<>();

        new LedgerFile(folder, progress::add).close();

        assertThat(progress)
                .singleElement()
                .asString()
                .startsWith(
                        "the ledger has format 3, and is copied and converted to format 4, which may take minutes if it"
                                + " is large; counters: 204, watermarks: ");
        try (LedgerFile file = new LedgerFile(folder, progress::add)) {
            assertThat(progress).hasSize(1);
            assertThat(file.upgrade())
                    .isEqualTo("the copy of the ledger from before it was converted to format 4 is still there: "
                            + folder.resolve("ledger.format-3.sqlite")
                            + ". Delete this copy once you are sure that you will not go back to the earlier version");
        }
        Files.delete(folder.resolve("ledger.format-3.sqlite"));
        try (LedgerFile file = new LedgerFile(folder)) {
            assertThat(file.upgrade()).isNull();
        }
    }

    @Test
    void a_conversion_whose_result_does_not_match_its_checks_changes_nothing() throws Exception {
        write("3", folder);
        Path file = folder.resolve("ledger.sqlite");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            // No version writes this; the checks of SQL and of Java differ for it.
            statement.execute("UPDATE stream SET whole = 2 WHERE id = 1");
        }
        LedgerContent before = content(file);

        for (int start = 0; start < 2; start++) {
            assertThatThrownBy(() -> new LedgerFile(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessage(
                            "cannot use the ledger " + file + ": it could not be converted from format 3 to format 4:"
                                    + " row [1] of table stream does not match its check; the ledger is unchanged; start the earlier"
                                    + " version, and report this");
        }

        assertThat(content(file)).isEqualTo(before).returns(3L, LedgerContent::format);
        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
    }

    @Test
    void an_older_ledger_without_the_expected_tables_is_refused_and_not_set_aside() throws Exception {
        write("3", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER TABLE watermark RENAME TO other");
        }

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it cannot be read for the conversion: ")
                .hasMessageContaining("no such table: watermark");

        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
    }

    @Test
    void an_older_ledger_that_has_a_stream_twice_is_not_converted() throws Exception {
        write("3", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER TABLE stream RENAME TO unique_stream");
            statement.execute("CREATE TABLE stream AS SELECT * FROM unique_stream");
            statement.execute("UPDATE stream SET sender = (SELECT min(sender) FROM stream)");
            statement.execute("DROP TABLE unique_stream");
        }

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(
                        "it could not be converted from format 3 to format 4: table stream has a stream twice");

        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
    }

    @Test
    void an_older_ledger_whose_rows_cannot_be_compared_is_refused_and_not_set_aside() throws Exception {
        write("3", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER TABLE uncounted RENAME COLUMN counter TO other");
        }

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it cannot be read for the conversion: ")
                .hasMessageContaining("no such column: counter");

        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
    }

    @Test
    void everything_that_format_3_had_is_there_after_the_conversion() throws Exception {
        write("3", folder);
        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, true)) {
                assertThat(kept.file.setAside()).as(kept.file.damage()).isNull();
                Explanation rested = requireNonNull(kept.ledger.explain("without.total"));
                assertThat(rested.value())
                        .as("3.75 by lines, 2 from the store, 1 by a stream")
                        .isEqualTo(7);
                assertThat(rested.adopted()).isEqualTo(2);
                assertThat(rested.createdSecond()).isEqualTo(1_700_000_000);
                assertThat(rested.movedSecond()).isEqualTo(1_700_000_100);
                assertThat(rested.parts()).singleElement().satisfies(part -> {
                    assertThat(part.increments()).isEqualTo(50);
                    assertThat(part.applied()).as("its stream was not whole").isEqualTo(1);
                });
                assertThat(requireNonNull(kept.ledger.explain("stock,sku=7")).isDecremented())
                        .isTrue();
                assertThat(kept.ledger.explain("removed")).isNull();
                assertThat(kept.ledger.reports())
                        .extracting(StreamReport::whole)
                        .containsExactlyInAnyOrder(true, true, false);
                assertThat(kept.ledger.publishAt(1_700_000_040, 1)).isEmpty();
                assertThat(kept.ledger.publishAt(1_700_000_041 + life, 1)).isPresent();
                kept.commit.run();
            }
        }
        assertThat(meta(folder.resolve("ledger.sqlite"), "id")).isEqualTo(4711);
        try (KeptLedger kept = new KeptLedger(folder, false)) {
            kept.datagram("without.total:0.5|c");
            assertThat(kept.value("without.total"))
                    .as("the rest was a quarter below 7")
                    .isEqualTo(7);
            kept.datagram("without.total:0.25|c");
            assertThat(kept.value("without.total")).isEqualTo(8);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void a_ledger_of_an_older_format_in_which_nothing_was_ever_counted_is_converted(int format) throws Exception {
        write(format == 2 ? "2" : "3", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            for (String table : List.of("meta", "counter", "block", "stream", "watermark")) {
                statement.execute("DELETE FROM " + table);
            }
            if (format == 3) {
                for (String table : List.of("rest", "fact", "moved", "uncounted", "published")) {
                    statement.execute("DELETE FROM " + table);
                }
            }
        }
        assertThat(LedgerInspection.of(folder))
                .returns((long) format, LedgerInspection::format)
                .returns(null, LedgerInspection::problem);

        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                assertThat(kept.file.setAside()).as(kept.file.damage()).isNull();
                kept.datagram("increment a 5");
                assertThat(kept.value("a")).isEqualTo(5 + 5 * life);
            }
        }
    }

    @Test
    void rows_of_streams_that_format_3_had_forgotten_are_no_damage_after_the_conversion() throws Exception {
        write("3", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO watermark VALUES (4711, 0, 1, 1)");
            statement.execute("INSERT INTO uncounted VALUES (4711, 0, 1), (1, 5, 7)");
        }

        for (int life = 0; life < 2; life++) {
            try (KeptLedger kept = new KeptLedger(folder, false)) {
                assertThat(kept.file.setAside()).as(kept.file.damage()).isNull();
                requireExact(kept);
            }
        }
    }

    @Test
    void a_ledger_that_has_shared_names_is_refused_before_it_is_converted() throws Exception {
        write("2", folder);
        Path file = folder.resolve("ledger.sqlite");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE IF NOT EXISTS list (place INTEGER PRIMARY KEY, number INTEGER, peers TEXT)");
            statement.execute("INSERT OR REPLACE INTO list VALUES (0, 1, 'a:11212*1;b:11212*1')");
        }

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("it has shared names with peers")
                .hasMessageContaining("let one collector take over all names");

        assertThat(content(file).format())
                .as("what the version that wrote it reads")
                .isEqualTo(2);
        assertThat(folder.resolve("ledger.format-2.sqlite")).doesNotExist();
    }

    @Test
    void the_copy_adopts_nothing_and_one_that_a_failed_conversion_left_is_used_again() throws Exception {
        write("2", folder);
        Path file = folder.resolve("ledger.sqlite");
        Path copy = folder.resolve("ledger.format-2.sqlite");
        new LedgerFile(folder).close();
        assertThat(meta(copy, "adopts")).isEqualTo(0);
        FileTime made = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(copy, made);
        Files.delete(file);
        write("2", folder);

        new LedgerFile(folder).close();

        assertThat(Files.getLastModifiedTime(copy)).as("it is the same").isEqualTo(made);
        byte[] damaged = Files.readAllBytes(copy);
        Arrays.fill(damaged, damaged.length - 4096, damaged.length, (byte) 7);
        Files.write(copy, damaged);
        Files.setLastModifiedTime(copy, made);
        Files.delete(file);
        write("2", folder);
        new LedgerFile(folder).close();
        assertThat(Files.getLastModifiedTime(copy)).as("it was damaged").isNotEqualTo(made);
        assertThat(content(copy).format()).isEqualTo(2);
        Files.setLastModifiedTime(copy, made);
        Files.delete(file);
        write("2", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = connection.createStatement()) {
            statement.execute("UPDATE meta SET number = number + 1 WHERE key = 'attempt'");
        }
        new LedgerFile(folder).close();
        assertThat(Files.getLastModifiedTime(copy)).as("of another ledger").isNotEqualTo(made);
    }

    private static long meta(Path file, String key) throws Exception {
        try (Connection connection = LedgerInspection.reading(file);
                Statement statement = connection.createStatement()) {
            return LedgerMeta.read(statement).getOrDefault(key, -1L);
        }
    }

    private static LedgerContent content(Path file) throws Exception {
        try (Connection connection = LedgerInspection.reading(file);
                Statement statement = connection.createStatement()) {
            return LedgerContent.of(statement);
        }
    }

    @Test
    void a_backup_of_an_older_ledger_has_its_format_and_is_converted_when_it_is_used() throws Exception {
        write("2", folder);
        Path backup = Files.createDirectory(folder.resolve("backup"));

        assertThat(LedgerBackup.write(folder, backup.resolve("ledger.sqlite")).format())
                .isEqualTo(2);

        assertThat(LedgerBackup.check(backup).counters()).isEqualTo(203);
        try (KeptLedger kept = new KeptLedger(backup, false)) {
            requireExact(kept);
        }
    }

    @Test
    void a_ledger_of_a_newer_version_is_refused_with_the_remedy_and_left_unchanged() throws Exception {
        write("3-rests", folder);
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE unheard_of (a)");
            statement.execute("DROP TABLE rest");
            statement.execute("UPDATE meta SET number = 5 WHERE key = 'format'");
        }

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessageEndingWith("it has format 5, which a newer version of the collector has written, but this"
                        + " version reads formats 2 to 4, and changes nothing; start the newer version again, or restore a"
                        + " backup that was made before the upgrade");

        assertThat(files()).containsOnlyKeys("ledger.lock", "ledger.sqlite");
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement();
                ResultSet tables =
                        statement.executeQuery("SELECT count(*) FROM sqlite_master WHERE name IN ('rest', 'fact')")) {
            assertThat(tables.getInt(1)).as("tables that were created").isZero();
        }
    }

    @Test
    void a_damaged_ledger_of_an_older_format_is_set_aside_as_it_is() throws Exception {
        write("2", folder);
        Path file = folder.resolve("ledger.sqlite");
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, 4096, bytes.length, (byte) 7);
        Files.write(file, bytes);

        try (LedgerFile opened = new LedgerFile(folder)) {
            assertThat(opened.setAside()).isNotNull();
            assertThat(Files.readAllBytes(requireNonNull(opened.setAside()))).endsWith(7, 7, 7);
            assertThat(opened.upgrade()).isNull();
        }
        assertThat(folder.resolve("ledger.format-2.sqlite")).doesNotExist();
    }
}
