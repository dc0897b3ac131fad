package io.counters.collector.ledger;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows of the ledger's file that are not what was written, in a file that SQLite can read: the disk has changed bits. */
@Tag("once")
@Tag("slow")
class LedgerDamageTest {
    private static final int POSITIONS = 200;

    @TempDir
    static Path original = Path.of("");

    private static Shown sound = new Shown(Map.of(), List.of(), List.of(), Map.of());

    @TempDir
    Path folder;

    private Path file;

    /** What a ledger shows, and what it makes of totals that are sent again and of new ones. */
    private record Shown(
            Map<String, Long> values,
            List<Explanation> explanations,
            List<StreamReport> streams,
            Map<String, Long> afterwards) {
        static Shown of(KeptLedger kept) {
            Map<String, Long> values = Map.copyOf(kept.values());
            List<Explanation> explanations = values.keySet().stream()
                    .sorted()
                    .map(name -> requireNonNull(kept.ledger.explain(name)))
                    .toList();
            List<StreamReport> streams = kept.ledger.reports().stream()
                    .sorted(StreamReport.WORST_FIRST)
                    .toList();
            kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 7 7\ndecrement b 3 3");
            kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 2000 5\nincrement a 1 9\nincrement many.199 1 1");
            kept.datagram("from 00000000000000000000003c 80000 10\nincrement a 1 51\nrested:0.25|c");
            return new Shown(values, explanations, streams, Map.copyOf(kept.values()));
        }
    }

    /** Writes a ledger that has several rows in every table. */
    @BeforeAll
    static void write() throws IOException {
        try (KeptLedger kept = new KeptLedger(original, true)) {
            kept.wallSeconds = 1_700_000_000;
            kept.datagram("from 8f2c6a1e0b7d4c93a5e1f07b 1000 1\nincrement a 7 7\ndecrement b 3 3");
            StringBuilder many = new StringBuilder("from 00000000000000000000002b 1000 1\nrested:0.25|c\ngone:5|c");
            for (int i = 0; i < 200; i++) {
                many.append("\nincrement many." + i + " " + (i + 1) * 1_000_003L + " " + (i + 1) * 1_000_003L);
            }
            kept.datagram(many + "\nlate:0.75|c");
            for (Push request : kept.ledger.take(1000, 0)) {
                kept.ledger.answered(request, request.counter() % 150 == 0 ? new Push.Holds(77) : new Push.Missing());
            }
            kept.commit.run();
            kept.ledger.remove("gone");
            kept.ledger.forgetEarlier();
            kept.datagram("from 00000000000000000000003c 70000 9\nincrement a 1 50\nincrement b 2 60");
            kept.ledger.publishAt(1_700_000_040, 1);
            kept.ledger.publishAt(1_800_000_000, 1);
            kept.ledger.noteAll();
            kept.commit.run();
        }
        try (KeptLedger kept = new KeptLedger(copy(original.resolve("copy")), true)) {
            sound = Shown.of(kept);
        }
        assertThat(sound.values()).hasSize(204).containsEntry("a", 85L);
    }

    private static Path copy(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.copy(original.resolve("ledger.sqlite"), folder.resolve("ledger.sqlite"));
        return folder;
    }

    @BeforeEach
    void copy() throws IOException {
        file = copy(folder).resolve("ledger.sqlite");
    }

    private Connection connection() throws SQLException {
        return DriverManager.getConnection("jdbc:sqlite:" + file);
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = connection();
                Statement made = connection.createStatement()) {
            made.execute(statement);
        }
    }

    /** Requires that the next start finds the damage, and returns how it is described. */
    private String requireDamage() throws IOException {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            assertThat(kept.file.setAside())
                    .isEqualTo(folder.resolve("ledger.damaged-1.sqlite"))
                    .exists();
            assertThat(kept.values()).isEmpty();
            kept.datagram("increment a 5");
            assertThat(kept.value("a")).as("a new one began").isEqualTo(5);
            return requireNonNull(kept.file.damage());
        }
    }

    /** SQLite then shows a database without tables, which is how a new ledger begins. */
    @Test
    void a_file_that_no_longer_lists_its_tables_is_not_taken_for_a_new_ledger() throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        // The number of rows of sqlite_master, in the header of the first page, which follows that of the file.
        int rows = 100 + 3;
        bytes[rows] = 0;
        bytes[rows + 1] = 0;
        Files.write(file, bytes);

        assertThat(requireDamage()).isEqualTo("it has " + bytes.length + " bytes, but not the ledger's tables");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 99, 511, 512, 4095, 4096, 4097, 8192})
    void a_file_that_was_cut_off_is_not_taken_for_a_new_ledger(int bytes) throws Exception {
        Files.write(file, Arrays.copyOf(Files.readAllBytes(file), bytes));

        assertThat(requireDamage()).isNotBlank();
    }

    @Test
    void the_sound_ledger_is_what_it_was() throws Exception {
        for (CheckedTable table : CheckedTable.values()) {
            assertThat(rows(table)).as("rows of %s", table).hasSizeGreaterThan(1);
        }
        requireSound();
    }

    private void requireSound() throws IOException {
        try (KeptLedger kept = new KeptLedger(folder, true)) {
            assertThat(kept.file.setAside()).isNull();
            assertThat(Shown.of(kept)).isEqualTo(sound);
        }
    }

    /** All rows, with their checks. */
    private List<List<Object>> rows(CheckedTable table) throws SQLException {
        List<List<Object>> rows = new ArrayList<>();
        try (Connection connection = connection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT " + table.columns + ", crc FROM " + table)) {
            int columns = row.getMetaData().getColumnCount();
            while (row.next()) {
                List<Object> values = new ArrayList<>();
                for (int column = 1; column <= columns; column++) {
                    values.add(row.getObject(column));
                }
                rows.add(values);
            }
        }
        return rows;
    }

    /** Writes other columns into the row that has these. */
    private void update(CheckedTable table, List<Object> row, List<Object> changed) throws SQLException {
        String[] columns = (table.columns + ", crc").split(", ");
        String sql = "UPDATE " + table + " SET " + String.join(" = ?, ", columns) + " = ? WHERE "
                + String.join(" IS ? AND ", columns) + " IS ?";
        try (Connection connection = connection();
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < columns.length; i++) {
                statement.setObject(i + 1, changed.get(i));
                statement.setObject(i + 1 + columns.length, row.get(i));
            }
            assertThat(statement.executeUpdate()).isEqualTo(1);
        }
    }

    static Stream<String> columns() {
        return Stream.of(CheckedTable.values())
                .flatMap(table ->
                        Stream.of((table.columns + ", crc").split(", ")).map(column -> table.name() + " " + column));
    }

    /** Changes one bit. */
    private static Object flipped(Object value, int bit) {
        if (value instanceof Number number) {
            return number.longValue() ^ 1L << bit % 31;
        } else if (value instanceof String text) {
            int at = bit % text.length();
            return text.substring(0, at) + (char) (text.charAt(at) ^ 1) + text.substring(at + 1);
        } else if (value instanceof byte[] bytes && bytes.length > 0) {
            byte[] changed = bytes.clone();
            changed[bit / 8 % bytes.length] ^= (byte) (1 << bit % 8);
            return changed;
        }
        return new byte[] {1};
    }

    /** Of a boolean, only the last bit means anything. A low bit of a key may lead to one that is there. */
    private static int bit(String column, int wanted) {
        return switch (column) {
            case "whole", "quarantined" -> 0;
            case "id", "block", "stream", "counter" -> 9 + wanted % 20;
            default -> wanted;
        };
    }

    @ParameterizedTest
    @MethodSource("columns")
    void one_bit_of_a_column_is_noticed(String place) throws Exception {
        CheckedTable table = CheckedTable.valueOf(place.substring(0, place.indexOf(' ')));
        List<String> columns = List.of((table.columns + ", crc").split(", "));
        int column = columns.indexOf(place.substring(place.indexOf(' ') + 1));
        for (List<Object> row :
                List.of(rows(table).get(0), rows(table).get(rows(table).size() - 1))) {
            for (int each : new int[] {0, 13, 29}) {
                List<Object> changed = new ArrayList<>(row);
                changed.set(column, flipped(row.get(column), bit(columns.get(column), each)));
                update(table, row, changed);

                String damage = requireDamage();

                if (column > 1 && !columns.get(column).equals("adopted")) {
                    assertThat(damage).matches("row \\[.*] of table " + table + " does not match its check");
                }
                Files.delete(folder.resolve("ledger.damaged-1.sqlite"));
                Files.delete(file);
                copy(folder);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_row_that_is_missing_is_noticed(CheckedTable table) throws Exception {
        int count = rows(table).size();
        for (int at : new int[] {0, count - 1}) {
            List<Object> row = rows(table).get(at);
            String[] columns = (table.columns + ", crc").split(", ");
            try (Connection connection = connection();
                    PreparedStatement statement = connection.prepareStatement(
                            "DELETE FROM " + table + " WHERE " + String.join(" IS ? AND ", columns) + " IS ?")) {
                for (int i = 0; i < columns.length; i++) {
                    statement.setObject(i + 1, row.get(i));
                }
                assertThat(statement.executeUpdate()).isEqualTo(1);
            }

            assertThat(requireDamage()).containsAnyOf(table.toString(), "counters are missing");

            Files.delete(folder.resolve("ledger.damaged-1.sqlite"));
            Files.delete(file);
            copy(folder);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"COUNTER", "BLOCK", "REST", "FACT", "MOVED"})
    void rows_that_changed_places_are_noticed(CheckedTable table) throws Exception {
        List<Object> first = rows(table).get(0);
        List<Object> second = rows(table).get(1);
        List<Object> swapped = new ArrayList<>(second);
        swapped.set(0, first.get(0));
        update(table, first, swapped);
        swapped = new ArrayList<>(first);
        swapped.set(0, second.get(0));
        update(table, second, swapped);

        assertThat(requireDamage()).matches("row \\[0] of table " + table + " does not match its check");
    }

    @ParameterizedTest
    @EnumSource
    void a_table_whose_name_has_changed_is_noticed(CheckedTable table) throws Exception {
        sql("ALTER TABLE " + table + " RENAME TO other");

        assertThat(requireDamage()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "UPDATE meta SET number = number + 1 WHERE key = 'id'",
                "UPDATE meta SET number = 1 - number WHERE key = 'adopts'",
                "UPDATE meta SET number = 3 WHERE key = 'format'",
                "UPDATE meta SET number = 2 WHERE key = 'format'",
                "UPDATE meta SET number = 0 WHERE key = 'format'",
                "UPDATE meta SET number = 5 WHERE key = 'format'",
                "UPDATE meta SET number = 6 WHERE key = 'format'",
                "UPDATE meta SET number = 12 WHERE key = 'format'",
                "UPDATE meta SET number = number - 1 WHERE key = 'rows.stream'",
                "UPDATE meta SET key = 'format2' WHERE key = 'format'",
                "DELETE FROM meta WHERE key = 'format'",
                "DELETE FROM meta WHERE key = 'adopts'",
                "DELETE FROM meta WHERE key = 'check'",
            })
    void what_the_ledger_says_about_itself_has_a_check_and_a_wrong_format_converts_nothing(String change)
            throws Exception {
        sql(change);

        assertThat(requireDamage()).isEqualTo("the rows of table meta do not match their check");

        assertThat(folder).isDirectoryNotContaining("glob:**format*");
    }

    @ParameterizedTest
    @CsvSource({
        "meta, key, kex",
        "counter, name, namd",
        "block, numbers, number3",
        "rest, numbers, number3",
        "fact, created, createe",
        "moved, seconds, secondr",
        "stream, healed, heale`",
        "watermark, decrements, decrementr",
        "uncounted, amount, amounu",
        "published, step, steq"
    })
    void a_bit_in_the_description_of_a_table_is_noticed(String table, String column, String changed) throws Exception {
        schema("replace(sql, '" + column + "', '" + changed + "')", table);

        assertThat(requireDamage()).isNotBlank();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "INSERT ON meta BEGIN SELECT RAISE(ABORT, 'no such function: a') | no such function: a",
                "INSERT ON meta BEGIN SELECT unknown_function(1)                 | no such function: unknown_function",
            })
    void a_statement_that_fails_although_the_tables_are_sound_sets_no_ledger_aside(String trigger, String why)
            throws Exception {
        sql("CREATE TRIGGER other BEFORE " + trigger + "; END");

        for (int start = 0; start < 2; start++) {
            assertThatThrownBy(() -> new LedgerFile(folder))
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("cannot use the ledger " + file
                            + ": SQLite refuses a statement, although the tables are as they should be: ")
                    .hasMessageContaining(why)
                    .hasMessageEndingWith(
                            "; the ledger is unchanged; start the version that you used before, and report this");
        }

        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
        sql("DROP TRIGGER other");
        requireSound();
    }

    @Test
    void a_stream_that_is_there_twice_is_noticed() throws Exception {
        sql("INSERT INTO stream SELECT id + 1000, sender, whole, quarantined, heard_listening, seq_before, seq_highest,"
                + " received, repeated, seq_window, healed, 0, 0, 0 FROM stream LIMIT 1");
        try (Connection connection = connection();
                Statement statement = connection.createStatement()) {
            LedgerMeta.put(statement, "rows.stream", rows(CheckedTable.STREAM).size());
        }
        int check;
        try (Connection connection = connection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT " + CheckedTable.STREAM.columns + " FROM stream ORDER BY id DESC LIMIT 1")) {
            Changes.StreamRow stream = new Changes.StreamRow(
                    row.getInt(1),
                    row.getString(2),
                    row.getBoolean(3),
                    row.getBoolean(4),
                    row.getLong(5),
                    row.getLong(8),
                    new Arrivals(row.getLong(6), row.getLong(7), row.getLong(8), row.getLong(9), row.getLong(10)),
                    row.getLong(11));
            check = new RowCheck().stream(stream, 0, 0);
        }
        sql("UPDATE stream SET crc = " + check + " WHERE id = (SELECT max(id) FROM stream)");

        assertThat(requireDamage()).matches("found the stream .* twice");
    }

    /** Changes how SQLite describes a table to itself. */
    private void schema(String sql, String table) throws SQLException {
        try (Connection connection = connection();
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA writable_schema = 1");
            assertThat(statement.executeUpdate(
                            "UPDATE sqlite_master SET sql = " + sql + " WHERE name = '" + table + "'"))
                    .isEqualTo(1);
        }
    }

    @Test
    void values_that_are_missing_in_their_row_are_noticed_by_a_backup_too() throws Exception {
        schema("replace(sql, 'numbers BLOB NOT NULL', 'numbers BLOB')", "block");
        sql("UPDATE block SET numbers = NULL WHERE id = 1");

        assertThatThrownBy(() -> LedgerBackup.write(folder, folder.resolve("another.sqlite")))
                .hasMessageContaining("values of block 1 are missing");
        assertThat(requireDamage()).isEqualTo("row [1] of table block does not match its check");
    }

    @Test
    void a_header_that_forbids_writing_is_refused_at_the_start_and_not_at_each_commit() throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        // The version of SQLite's format that a writer must know.
        bytes[18] ^= 64;
        Files.write(file, bytes);

        assertThatThrownBy(() -> new LedgerFile(folder))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "cannot use the ledger " + file + ": SQLite takes it for read-only, although it can be written;"
                                + " if this is so at each start, the disk has changed its header: restore a backup");
        assertThat(folder).isDirectoryNotContaining("glob:**damaged*");
    }

    @Test
    void a_file_of_0_bytes_begins_a_new_ledger_and_is_told() throws Exception {
        Files.write(file, new byte[0]);

        for (int life = 0; life < 2; life++) {
            try (LedgerFile opened = new LedgerFile(folder)) {
                assertThat(opened.wasEmpty()).isEqualTo(life == 0);
                assertThat(opened.setAside()).isNull();
            }
        }
    }

    @Test
    void one_bit_anywhere_in_the_file_changes_nothing_that_is_shown() throws Exception {
        byte[] bytes = Files.readAllBytes(file);
        Random random = new Random(1);
        int setAside = 0;
        for (int i = 0; i < POSITIONS; i++) {
            int at = random.nextInt(bytes.length);
            for (int tries = 0; i % 2 == 0 && bytes[at] == 0 && tries < 1000; tries++) {
                at = random.nextInt(bytes.length);
            }
            byte[] changed = bytes.clone();
            changed[at] ^= (byte) (1 << random.nextInt(8));
            Path here = Files.createDirectory(folder.resolve("position-" + i));
            Files.write(here.resolve("ledger.sqlite"), changed);
            try (KeptLedger kept = new KeptLedger(here, true)) {
                if (kept.file.setAside() == null) {
                    assertThat(Shown.of(kept)).as("byte %d", at).isEqualTo(sound);
                } else {
                    setAside++;
                }
            } catch (IOException refused) {
                assertThat(refused)
                        .as("byte %d", at)
                        .hasMessageMatching("cannot (use|read) the ledger \\Q" + here + "\\E/ledger\\.sqlite: .+");
            }
        }
        assertThat(setAside).isGreaterThan(POSITIONS / 4);
    }

    @Test
    void an_import_a_backup_a_restore_and_the_doctor_notice_it_and_set_nothing_aside() throws Exception {
        Path backup = Files.createDirectory(folder.resolve("backup"));
        LedgerBackup.write(folder, backup.resolve("ledger.sqlite"));
        sql("UPDATE watermark SET increments = increments + 1 WHERE stream = 1 AND counter = 0");
        String what = "row [1, 0] of table watermark does not match its check";

        try (LedgerFile opened = LedgerFile.existing(folder)) {
            assertThatThrownBy(() -> opened.load(new LedgerState(1, new SeededHash(new Random(1)))))
                    .isInstanceOf(IOException.class)
                    .hasMessage(
                            "cannot use the ledger " + file + ": it is damaged: " + what + "; restore a backup of it");
        }
        assertThat(LedgerInspection.of(folder).problem()).isEqualTo("it is damaged: " + what);
        assertThatThrownBy(() -> LedgerBackup.write(folder, folder.resolve("another.sqlite")))
                .hasMessageContaining("it is damaged: " + what
                        + "; a collector that runs still has the right values in its memory: do not restart it, save them"
                        + " first (curl http://127.0.0.1:11213/api/counters), and then restore an earlier backup");
        assertThat(LedgerBackup.check(backup).counters()).isEqualTo(205);
        Files.copy(file, Files.createDirectory(folder.resolve("bad")).resolve("ledger.sqlite"));
        assertThatThrownBy(() -> LedgerBackup.check(folder.resolve("bad")))
                .hasMessage("the backup in " + folder.resolve("bad") + " cannot be used: it is damaged: " + what);
        assertThat(folder).isDirectoryNotContaining("glob:**damaged*").isDirectoryNotContaining("glob:**another*");
        assertThat(requireDamage()).isEqualTo(what);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void a_ledger_that_forgets_and_fails_and_starts_again_has_the_rows_that_its_commits_state(long seed)
            throws Exception {
        Random random = new Random(seed);
        Path here = Files.createDirectory(folder.resolve("seed"));
        file = here.resolve("ledger.sqlite");
        long[] now = {1_000_000};
        Map<String, Long> values = Map.of();
        for (int life = 0; life < 4; life++) {
            try (LedgerFile opened = new LedgerFile(here)) {
                Ledger ledger = new Ledger(
                        new LedgerSettings(here, 1 << 20, 1 << 20, 6, 6, 60, 100_000),
                        false,
                        () -> now[0],
                        () -> now[0] / 1000,
                        opened.load(new LedgerState(1, new SeededHash(new Random(seed)))),
                        new Metrics());
                assertThat(opened.setAside()).as(opened.damage()).isNull();
                assertThat(committed(ledger)).isEqualTo(values);
                for (int step = 0; step < 30; step++) {
                    now[0] += random.nextInt(60_000);
                    step(ledger, random);
                    if (random.nextInt(3) == 0) {
                        commit(ledger, opened, random.nextInt(4) == 0);
                    }
                }
                ledger.noteAll();
                commit(ledger, opened, false);
                values = committed(ledger);
            }
        }
        assertThat(values).isNotEmpty();
    }

    static Stream<Long> seeds() {
        return Stream.iterate(1L, seed -> seed + 1).limit(20);
    }

    private static void step(Ledger ledger, Random random) {
        StringBuilder lines = new StringBuilder(
                "from " + "0".repeat(22) + (10 + random.nextInt(20)) + " " + random.nextInt(200_000) + " 5");
        for (int i = random.nextInt(20); i >= 0; i--) {
            lines.append("\nincrement c" + random.nextInt(300) + " 1 " + (1 + random.nextInt(50)));
        }
        new Feed(ledger).datagram(lines.toString());
        new Feed(ledger).datagram("c" + random.nextInt(300) + ":0.25|c");
        if (random.nextInt(5) == 0) {
            ledger.remove("c" + random.nextInt(300));
        }
        if (random.nextInt(5) == 0) {
            ledger.publishAt(1_700_000_000 + random.nextInt(1000), 60);
        }
    }

    private void commit(Ledger ledger, LedgerFile opened, boolean fails) throws Exception {
        Changes changes = ledger.changes(1);
        if (changes == null) {
            return;
        }
        if (fails) {
            sql("ALTER TABLE meta RENAME TO hidden");
            assertThatThrownBy(() -> opened.write(changes)).isInstanceOf(IOException.class);
            sql("ALTER TABLE hidden RENAME TO meta");
            ledger.putBack(changes);
        } else {
            opened.write(changes);
            ledger.committed(changes);
        }
    }

    private static Map<String, Long> committed(Ledger ledger) {
        Map<String, Long> values = new TreeMap<>();
        Snapshot snapshot = ledger.snapshot();
        for (int i = 0; i < snapshot.size(); i++) {
            values.put(snapshot.names()[i], snapshot.values()[i]);
        }
        return values;
    }
}
