package io.counters.collector.history;

import io.counters.collector.ledger.AsideFiles;
import io.counters.collector.ledger.LedgerInspection;
import io.counters.collector.ledger.OnlineCopy;
import io.counters.collector.ledger.RestoredFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
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

    /**
     * Puts a backup's history into a data folder that no collector uses. One that is there stays if it has what the backup has;
     * otherwise it is set aside. If it is interrupted, it can be run again.
     *
     * @param from the folder of the backup
     * @param sum the SHA-256 of the backup's history
     * @return what was done, for a person
     * @throws IOException if it could not be restored, with the reason
     */
    public static String restore(Path from, Path data, String sum) throws IOException {
        Path there = data.resolve(NAME);
        Path unfinished = data.resolve(NAME + ".part");
        AsideFiles replaced = new AsideFiles(there, "replaced");
        boolean isSettingAside = false;
        try {
            if (Files.exists(there) && goesOn(there, from.resolve(NAME))) {
                return "; the history that was there stays, it has what the backup's has";
            }
            if (!Files.exists(unfinished)) {
                // Without a restore that was interrupted, a log without a history belongs to none of those set aside.
                replaced.moveOrphans();
            }
            RestoredFile.requireRoom(from.resolve(NAME), data);
            RestoredFile.copy(from.resolve(NAME), unfinished, sum);
            isSettingAside = true;
            Path aside = replaced.finish();
            if (Files.exists(there)) {
                aside = replaced.move();
            }
            replaced.moveOrphans();
            Files.move(unfinished, there, StandardCopyOption.ATOMIC_MOVE);
            OnlineCopy.sync(data);
            isSettingAside = false;
            return "; with its history"
                    + (aside == null
                            ? ""
                            : "; the one that was there lacks what the backup has, and is kept as " + aside);
        } finally {
            if (!isSettingAside) {
                Files.deleteIfExists(unfinished);
            }
        }
    }

    /** Whether a history has seconds up to the last one of the backup's, and after it. */
    private static boolean goesOn(Path there, Path backup) throws IOException {
        Seconds backedUp;
        try {
            backedUp = seconds(backup);
        } catch (SQLException unreadable) {
            throw new IOException(backup + " cannot be read: " + unreadable.getMessage(), unreadable);
        }
        try {
            Seconds kept = seconds(there);
            return backedUp.last == 0 || (kept.first <= backedUp.last && kept.last >= backedUp.last);
        } catch (SQLException unreadable) {
            return false;
        }
    }

    /** The first and the last second of which a history has values; 0 if it has none. */
    private record Seconds(long first, long last) {}

    private static Seconds seconds(Path file) throws SQLException, IOException {
        List<String> kept = new ArrayList<>();
        for (Resolution resolution : Resolution.values()) {
            kept.add("SELECT second AS first, second AS last FROM " + resolution.table("tick"));
            kept.add("SELECT first, last FROM " + resolution.table("run"));
        }
        String all = " FROM (" + String.join(" UNION ALL ", kept) + ")";
        try (Connection connection = LedgerInspection.reading(file);
                Statement statement = connection.createStatement()) {
            return new Seconds(
                    number(statement, "SELECT min(first)" + all), number(statement, "SELECT max(last)" + all));
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
