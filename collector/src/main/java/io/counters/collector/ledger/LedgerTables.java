package io.counters.collector.ledger;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;

/** The tables of the ledger's database: how they are created, converted and checked. */
final class LedgerTables {
    static final int FORMAT = 3;

    /** An older format that this version reads and converts. */
    static final int FORMAT_BEFORE = 2;

    private static final String META =
            "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

    private static final String[] TABLES = {
        "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        // The values of counters id * 128 and up, 8 bytes each, big-endian; and one bit for each counter that is
        // claimed.
        "CREATE TABLE IF NOT EXISTS block (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL, claimed BLOB NOT NULL)",
        // The rests of the same counters; a block without rests has no row. An earlier version does not know this table
        // and leaves it unchanged, which stays correct, because it rounds each line.
        "CREATE TABLE IF NOT EXISTS rest (block INTEGER PRIMARY KEY, numbers BLOB NOT NULL)",
        // What else is known about the same counters, see CounterFacts: 4 bytes each for the second in which they were
        // created, one bit each if decremented or removed, 8 bytes each if one of them has adopted something. And 4
        // bytes each for the second in which they last moved. An earlier version leaves these tables unchanged. Then
        // the times of what it changes are not known, and a counter that it moves is no longer removed.
        "CREATE TABLE IF NOT EXISTS fact (block INTEGER PRIMARY KEY, created BLOB NOT NULL,"
                + " decremented BLOB NOT NULL, removed BLOB NOT NULL, adopted BLOB)",
        "CREATE TABLE IF NOT EXISTS moved (block INTEGER PRIMARY KEY, seconds BLOB NOT NULL)",
        "CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE,"
                + " whole INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
                + " heard_listening INTEGER NOT NULL, seq_before INTEGER NOT NULL, seq_highest INTEGER NOT NULL,"
                + " received INTEGER NOT NULL, repeated INTEGER NOT NULL, seq_window INTEGER NOT NULL,"
                + " healed INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, PRIMARY KEY (stream, counter))"
                + " WITHOUT ROWID",
        // The part of totals that is not in their counter's value. An earlier version forgets streams without this.
        "CREATE TABLE IF NOT EXISTS uncounted (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " amount INTEGER NOT NULL, PRIMARY KEY (stream, counter)) WITHOUT ROWID",
        "DELETE FROM uncounted WHERE stream NOT IN (SELECT id FROM stream)",
        "CREATE TABLE IF NOT EXISTS published (first INTEGER NOT NULL, last INTEGER NOT NULL, step INTEGER NOT NULL)",
    };

    /**
     * Format 2 stored the times of streams and the watch by the wall clock, and only the last second that points were
     * published for; all seconds before it count as used. If the clock was wrong then, that second may be far ahead: in
     * this case only it and the seconds up to now count as used.
     */
    private static final String[] FROM_FORMAT_BEFORE = {
        "ALTER TABLE stream DROP COLUMN heard",
        "UPDATE meta SET number = (SELECT number FROM meta WHERE key = 'listened')"
                + " - ((SELECT number FROM meta WHERE key = 'clock') - number)"
                + " WHERE key = 'watch' AND number <> " + Changes.Head.FOR_EVER,
        "INSERT INTO published SELECT 0, min(number, strftime('%s', 'now') + 0), 1 FROM meta"
                + " WHERE key = 'published' AND number > 0",
        "INSERT INTO published SELECT number, number, 1 FROM meta"
                + " WHERE key = 'published' AND number > strftime('%s', 'now') + 0",
        "DELETE FROM meta WHERE key = 'published'",
        "INSERT OR REPLACE INTO meta VALUES ('format', " + FORMAT + ")",
    };

    /**
     * A query that returns 1 if rows contradict each other.
     *
     * @param what the contradiction, for the log
     */
    private record Contradiction(String what, String query) {
        /** For a table whose rows belong to counters. */
        static Contradiction unknownCounters(String table) {
            return new Contradiction(
                    "table " + table + " has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM " + table
                            + " WHERE counter NOT BETWEEN 0 AND (SELECT ifnull(max(id), -1) FROM counter))");
        }
    }

    private static final List<Contradiction> CONTRADICTIONS = List.of(
            new Contradiction(
                    "names of counters are missing",
                    "SELECT count(*) <> ifnull(max(id) + 1, 0) OR ifnull(min(id), 0) <> 0 FROM counter"),
            new Contradiction(
                    "values of counters are missing",
                    "SELECT count(*) <> ifnull(max(id) + 1, 0) OR ifnull(min(id), 0) <> 0 OR count(*) <>"
                            + " (SELECT ifnull(max(id) / " + Values.BLOCK + " + 1, 0) FROM counter) FROM block"),
            new Contradiction(
                    "values of counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM block WHERE length(numbers) <> " + Values.BLOCK * Long.BYTES + ")"),
            new Contradiction(
                    "rests of counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM rest WHERE length(numbers) <> " + Values.BLOCK * Long.BYTES + ")"),
            new Contradiction(
                    "table rest has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM rest WHERE block NOT IN (SELECT id FROM block))"),
            new Contradiction(
                    "facts about counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM fact WHERE length(created) <> " + Values.BLOCK * Integer.BYTES
                            + " OR length(adopted) <> " + Values.BLOCK * Long.BYTES + ")"
                            + " OR EXISTS (SELECT 1 FROM moved WHERE length(seconds) <> " + Values.BLOCK * Integer.BYTES
                            + ")"),
            new Contradiction(
                    "table fact or moved has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM fact WHERE block NOT IN (SELECT id FROM block))"
                            + " OR EXISTS (SELECT 1 FROM moved WHERE block NOT IN (SELECT id FROM block))"),
            new Contradiction(
                    "the number of the last commit is missing",
                    "SELECT EXISTS (SELECT 1 FROM counter)"
                            + " AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'commit')"),
            Contradiction.unknownCounters("watermark"),
            Contradiction.unknownCounters("uncounted"));

    /** How quick_check reports a page that it could not read, which may have other causes than damage. */
    private static final Pattern UNREAD = Pattern.compile("error code=(\\d+)");

    private LedgerTables() {}

    /** Creates what is missing, and converts an older format. */
    static void create(Statement control) throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        control.execute(META);
        long format = format(control);
        requireKnown(format);
        for (String table : TABLES) {
            control.execute(table);
        }
        if (format == FORMAT_BEFORE) {
            for (String step : FROM_FORMAT_BEFORE) {
                control.execute(step);
            }
        }
        control.execute("COMMIT");
    }

    /** The format of its tables; that of a new ledger if there are none. */
    static long format(Statement control) throws SQLException {
        return isTrue(control, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'meta')")
                ? meta(control).getOrDefault("format", (long) FORMAT)
                : FORMAT;
    }

    /** @throws SQLException with the remedy, if this version does not know this format */
    static void requireKnown(long format) throws SQLException {
        if (format > FORMAT) {
            throw new SQLException("it has format " + format + ", which a newer version of the collector has written,"
                    + " but this version reads formats " + FORMAT_BEFORE + " and " + FORMAT
                    + ", and changes nothing; start the newer version again, or restore a backup that was made before"
                    + " the upgrade");
        }
        if (format < FORMAT_BEFORE) {
            throw new SQLException("it has format " + format + ", but this version reads formats " + FORMAT_BEFORE
                    + " and " + FORMAT + "; run the version that wrote it, or set another folder with --data-dir");
        }
    }

    /** The rows of the table of that name. */
    static Map<String, Long> meta(Statement control) throws SQLException {
        Map<String, Long> meta = new HashMap<>();
        try (ResultSet row = control.executeQuery("SELECT key, number FROM meta")) {
            while (row.next()) {
                meta.put(row.getString(1), row.getLong(2));
            }
        }
        return meta;
    }

    /**
     * Reads the whole file and returns what is damaged: pages, or rows that contradict each other; null if nothing is.
     *
     * @throws SQLException if it cannot be read now, which is no sign of damage
     */
    static @Nullable String damage(Statement control) throws SQLException {
        String found = text(control, "PRAGMA quick_check(1)");
        if (!"ok".equals(found)) {
            Matcher unread = UNREAD.matcher(String.valueOf(found));
            if (unread.find() && !isDamage(Integer.parseInt(unread.group(1)))) {
                throw new SQLException("a page cannot be read: " + found, null, Integer.parseInt(unread.group(1)));
            }
            return String.valueOf(found);
        }
        for (Contradiction contradiction : CONTRADICTIONS) {
            if (!"0".equals(text(control, contradiction.query()))) {
                return contradiction.what();
            }
        }
        return null;
    }

    /** Whether SQLite's error code means that the file is not a database, or is a damaged one. */
    static boolean isDamage(int errorCode) {
        int kind = errorCode & 0xff;
        return kind == SQLiteErrorCode.SQLITE_CORRUPT.code || kind == SQLiteErrorCode.SQLITE_NOTADB.code;
    }

    /**
     * Whether an earlier version shared the names with other collectors: the list in use, in the table that only that
     * version writes, contains others. Part of each value may be in their ledgers.
     */
    static boolean isShared(Statement statement) throws SQLException {
        return isTrue(statement, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'list')")
                && isTrue(statement, "SELECT EXISTS (SELECT 1 FROM list WHERE place = 0 AND peers LIKE '%;%')");
    }

    private static boolean isTrue(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getBoolean(1);
        }
    }

    /** The first column of the first row; null if there is none. */
    static @Nullable String text(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        }
    }
}
