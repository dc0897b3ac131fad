package io.counters.collector.history;

import io.counters.collector.ledger.OnlineCopy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Copies of a history's file, made while a collector uses it. */
public final class HistoryBackup {
    /** The name of the file, in a data folder as in a backup. */
    public static final String NAME = HistorySettings.NAME;

    private HistoryBackup() {}

    /**
     * Copies the history of a data folder. It need not belong to the same moment as a copy of the ledger.
     *
     * @param to the copy's path
     * @return whether there is a history
     * @throws IOException if it could not be copied, with the reason
     */
    public static boolean write(Path folder, Path to) throws IOException {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) {
            return false;
        }
        try {
            OnlineCopy.write(file, to, 0, HistoryBackup::rows);
            return true;
        } catch (SQLException cannot) {
            throw new IOException(file + " cannot be copied to " + to + ": " + cannot.getMessage(), cannot);
        }
    }

    /** The number of rows of each table, and the format. */
    private static List<Long> rows(Statement statement) throws SQLException {
        List<String> tables = new ArrayList<>();
        try (ResultSet row =
                statement.executeQuery("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) {
            while (row.next()) {
                tables.add(row.getString(1));
            }
        }
        List<Long> rows = new ArrayList<>();
        rows.add(number(statement, "PRAGMA user_version"));
        for (String table : tables) {
            rows.add(number(statement, "SELECT count(*) FROM " + table));
        }
        return rows;
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getLong(1) : 0;
        }
    }
}
