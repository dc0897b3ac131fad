package io.counters.collector.ledger;

import io.counters.collector.common.DiskFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;

/**
 * A look at a ledger that changes nothing in it.
 *
 * @param file the database
 * @param isThere whether it exists
 * @param isInUse whether a collector has it open; then nothing else is known
 * @param isShared whether an earlier version has shared its names with other collectors, see {@link LedgerFile#WAY_OVER}
 * @param format its format; 0 if it is not known
 * @param counters rows of counters, also of removed ones
 * @param streams rows of senders with totals
 * @param problem why this version cannot use it; null if it can
 */
public record LedgerInspection(
        Path file,
        boolean isThere,
        boolean isInUse,
        boolean isShared,
        long format,
        long counters,
        long streams,
        @Nullable String problem) {
    /** Reads the whole file in this folder; a large one takes some seconds. Creates nothing. */
    public static LedgerInspection of(Path folder) {
        Path file = folder.resolve(LedgerFile.NAME);
        if (Files.exists(folder.resolve(LedgerFile.RESTORING))) {
            return new LedgerInspection(
                    file, true, false, false, 0, 0, 0, "restoring a backup there has not ended; run restore again");
        }
        if (!Files.exists(file)) {
            return new LedgerInspection(file, false, false, false, 0, 0, 0, null);
        }
        try {
            if (FolderLock.isHeld(folder)) {
                return new LedgerInspection(file, true, true, false, 0, 0, 0, null);
            }
            LedgerFile.unpackLibrary();
            return read(file);
        } catch (SQLException unreadable) {
            String what = LedgerTables.isDamage(unreadable.getErrorCode()) ? "it is damaged: " : "it cannot be read: ";
            return new LedgerInspection(file, true, false, false, 0, 0, 0, what + unreadable.getMessage());
        } catch (IOException unreadable) {
            return new LedgerInspection(
                    file, true, false, false, 0, 0, 0, "it cannot be read: " + DiskFault.text(unreadable));
        }
    }

    /** Whether the next start converts it. */
    public boolean isOlder() {
        return format >= LedgerTables.OLDEST && format < LedgerTables.FORMAT;
    }

    /** A connection to a database that no process uses, which changes nothing, and creates no file. */
    public static Connection reading(Path file) throws SQLException, IOException {
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        Path log = file.resolveSibling(file.getFileName() + "-wal");
        // Without a log SQLite would create one, even to read.
        boolean isComplete = !Files.exists(log) || Files.size(log) == 0;
        return config.createConnection("jdbc:sqlite:" + file.toUri().toString().replaceFirst("^file:/+", "file:/")
                + (isComplete ? "?immutable=1" : ""));
    }

    private static LedgerInspection read(Path file) throws SQLException, IOException {
        try (Connection connection = reading(file);
                Statement statement = connection.createStatement()) {
            long format = LedgerTables.format(statement);
            String problem = format >= LedgerTables.OLDEST && format <= LedgerTables.FORMAT
                    ? null
                    : "it has format " + format + ", which this version does not read";
            boolean isShared = problem == null && LedgerTables.isShared(statement);
            String damage = problem == null ? damage(statement, format) : null;
            return new LedgerInspection(
                    file,
                    true,
                    false,
                    isShared,
                    format,
                    number(statement, "SELECT count(*) FROM counter"),
                    number(statement, "SELECT count(*) FROM stream"),
                    damage == null ? problem : "it is damaged: " + damage);
        }
    }

    private static @Nullable String damage(Statement statement, long format) throws SQLException {
        if (format == LedgerTables.FORMAT) {
            return LedgerReader.damage(statement);
        }
        String check = LedgerTables.text(statement, "PRAGMA quick_check(1)");
        return "ok".equals(check) ? null : check;
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getLong(1) : 0;
        }
    }
}
