package io.counters.collector.ledger;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;

/** The tables of the ledger's database: how they are created, converted and checked. */
final class LedgerTables {
    static final int FORMAT = 4;

    /** The oldest format that this version reads and converts. */
    static final int OLDEST = 2;

    /**
     * The tables of which the table meta has the number of rows. The blocks are as many as the counters need; streams have the
     * numbers of their rows in other tables.
     */
    static final List<CheckedTable> COUNTED = List.of(
            CheckedTable.COUNTER,
            CheckedTable.REST,
            CheckedTable.FACT,
            CheckedTable.MOVED,
            CheckedTable.STREAM,
            CheckedTable.PUBLISHED);

    private static final String META =
            "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

    /** Without an index of the senders, which only commits would read, so that they would fail if it is damaged. */
    static final String STREAMS = "CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL,"
            + " whole INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
            + " heard_listening INTEGER NOT NULL, seq_before INTEGER NOT NULL, seq_highest INTEGER NOT NULL,"
            + " received INTEGER NOT NULL, repeated INTEGER NOT NULL, seq_window INTEGER NOT NULL,"
            + " healed INTEGER NOT NULL, watermarks INTEGER NOT NULL, uncounted INTEGER NOT NULL,"
            + " crc INTEGER NOT NULL)";

    /** In each, {@code crc} is the check of the row, see {@link RowCheck}. */
    private static final String[] TABLES = {
        "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL, crc INTEGER NOT NULL)",
        // The values of counters id * 128 and up, 8 bytes each, big-endian; and one bit for each counter that is
        // claimed.
        "CREATE TABLE IF NOT EXISTS block (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL, claimed BLOB NOT NULL,"
                + " crc INTEGER NOT NULL)",
        // The rests of the same counters; a block without rests has no row.
        "CREATE TABLE IF NOT EXISTS rest (block INTEGER PRIMARY KEY, numbers BLOB NOT NULL, crc INTEGER NOT NULL)",
        // What else is known about the same counters, see CounterFacts: 4 bytes each for the second in which they were
        // created, one bit each if decremented or removed, 8 bytes each if one of them has adopted something. And 4
        // bytes each for the second in which they last moved.
        "CREATE TABLE IF NOT EXISTS fact (block INTEGER PRIMARY KEY, created BLOB NOT NULL,"
                + " decremented BLOB NOT NULL, removed BLOB NOT NULL, adopted BLOB, crc INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS moved (block INTEGER PRIMARY KEY, seconds BLOB NOT NULL, crc INTEGER NOT NULL)",
        // With the number of its rows in the two tables that follow; of the second one, only those that are not 0.
        STREAMS,
        "CREATE TABLE IF NOT EXISTS watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, crc INTEGER NOT NULL,"
                + " PRIMARY KEY (stream, counter)) WITHOUT ROWID",
        // The part of totals that is not in their counter's value.
        "CREATE TABLE IF NOT EXISTS uncounted (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " amount INTEGER NOT NULL, crc INTEGER NOT NULL, PRIMARY KEY (stream, counter)) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS published (first INTEGER NOT NULL, last INTEGER NOT NULL, step INTEGER NOT NULL,"
                + " crc INTEGER NOT NULL)",
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

    private static final int PAGE_BYTES = 4096;

    /**
     * SQLite's errors for tables that are not the expected ones: a bit of their description may have changed. But a statement
     * that this version of SQLite does not know causes them, too.
     */
    private static final Set<Integer> OF_SCHEMA = Set.of(
            SQLiteErrorCode.SQLITE_ERROR.code,
            SQLiteErrorCode.SQLITE_SCHEMA.code,
            SQLiteErrorCode.SQLITE_CONSTRAINT.code,
            SQLiteErrorCode.SQLITE_MISMATCH.code,
            SQLiteErrorCode.SQLITE_TOOBIG.code,
            SQLiteErrorCode.SQLITE_FORMAT.code);

    /** What a ledger's tables are like, without how they came to be: those of a converted one have other texts. */
    private static final String COLUMNS =
            "SELECT group_concat(name || ' ' || columns, '; ') FROM (SELECT tables.name, (SELECT group_concat("
                    + "c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' ' || c.pk) FROM pragma_table_info(tables.name) c)"
                    + " AS columns FROM sqlite_master tables WHERE type = 'table' AND name IN ('meta', 'counter',"
                    + " 'block', 'rest', 'fact', 'moved', 'stream', 'watermark', 'uncounted', 'published') ORDER BY name)";

    /** How quick_check reports a page that it could not read, which may have other causes than damage. */
    private static final Pattern UNREAD = Pattern.compile("error code=(\\d+)");

    private LedgerTables() {}

    /** Creates what is missing, and converts an older format. */
    static void create(Statement control) throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        control.execute(META);
        long format = format(control);
        requireKnown(format);
        createAll(control);
        if (format < FORMAT) {
            LedgerConversion.run(control, format);
        }
        // Written even if it is there: a file whose header says that it is read-only must fail now, not at each commit.
        LedgerMeta.put(control, LedgerMeta.FORMAT, FORMAT);
        control.execute("COMMIT");
    }

    private static void createAll(Statement control) throws SQLException {
        control.execute(META);
        for (String table : TABLES) {
            control.execute(table);
        }
    }

    /**
     * Without tables a ledger is new, and its file is empty or has one page. Otherwise the file was cut off, or the page is
     * damaged that lists them, and its counts must not be taken for none.
     *
     * @param bytes of the file
     * @throws SQLException if it is damaged
     */
    static void requireTables(Statement control, long bytes) throws SQLException {
        if (bytes != 0 && bytes != PAGE_BYTES && !hasColumn(control, "meta", "number")) {
            throw damaged("it has " + bytes + " bytes, but not the ledger's tables");
        }
    }

    /**
     * The format of its tables; that of a new ledger if there are none.
     *
     * @throws SQLException also if it is damaged
     */
    static long format(Statement control) throws SQLException {
        if (!hasColumn(control, "meta", "number")) {
            return FORMAT;
        }
        Long format = LedgerMeta.read(control).get(LedgerMeta.FORMAT);
        if (format != null) {
            return format;
        }
        // An earlier version has created its tables, and committed nothing.
        boolean isEarlier = hasColumn(control, "counter", "id") && !hasColumn(control, "counter", "crc");
        return !isEarlier ? FORMAT : hasColumn(control, "stream", "heard") ? OLDEST : FORMAT - 1;
    }

    /** Whether there is a table of this name, and this column in it. */
    static boolean hasColumn(Statement control, String table, String column) throws SQLException {
        return isTrue(
                control,
                "SELECT EXISTS (SELECT 1 FROM pragma_table_info('" + table + "') WHERE name = '" + column + "')");
    }

    /** @throws SQLException with the remedy, if this version does not know this format */
    static void requireKnown(long format) throws SQLException {
        if (format > FORMAT) {
            throw new SQLException("it has format " + format + ", which a newer version of the collector has written,"
                    + " but this version reads formats " + OLDEST + " to " + FORMAT
                    + ", and changes nothing; start the newer version again, or restore a backup that was made before"
                    + " the upgrade");
        }
        if (format < OLDEST) {
            throw new SQLException("it has format " + format + ", but this version reads formats " + OLDEST + " to "
                    + FORMAT + "; run the version that wrote it, or set another folder with --data-dir");
        }
    }

    /**
     * Reads the whole file and returns what is damaged: pages, or rows that contradict each other; null if nothing is. Rows are
     * compared with their checks by {@link LedgerReader}, which has to read them anyway.
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

    /** What is thrown for rows that are not as they were written; its error code is that of damage. */
    static SQLException damaged(String what) {
        return new SQLException(what, null, SQLiteErrorCode.SQLITE_CORRUPT.code);
    }

    /** The message of a failure that means damage; any other one is thrown again. */
    static String damage(SQLException failure) throws SQLException {
        if (isDamage(failure.getErrorCode())) {
            return String.valueOf(failure.getMessage());
        }
        throw failure;
    }

    /**
     * What a failure means, if it happened while a ledger of the present format was opened or read. SQLite's errors for tables
     * that are not the expected ones are damage only if they are not: a sound ledger must not be set aside.
     *
     * @return what to throw instead, which may be the failure itself
     */
    static SQLException meaning(SQLException failure, Statement control) throws SQLException {
        if (!isOfSchema(failure)) {
            return failure;
        }
        // A value that is too large is the length in its row.
        boolean isOfRow = (failure.getErrorCode() & 0xff) == SQLiteErrorCode.SQLITE_TOOBIG.code;
        return isOfRow || !areAsCreated(control)
                ? damaged(String.valueOf(failure.getMessage()))
                : new SQLException(
                        "SQLite refuses a statement, although the tables are as they should be: " + failure.getMessage()
                                + "; the ledger is unchanged; start the version that you used before, and report this",
                        failure);
    }

    /** Whether the tables have the columns with which this version creates or converts them. */
    static boolean areAsCreated(Statement control) throws SQLException {
        String expected;
        try (Connection memory = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement fresh = memory.createStatement()) {
            createAll(fresh);
            expected = text(fresh, COLUMNS);
        }
        try {
            return Objects.equals(text(control, COLUMNS), expected);
        } catch (SQLException unreadable) {
            if (isDamage(unreadable.getErrorCode()) || isOfSchema(unreadable)) {
                return false;
            }
            throw unreadable;
        }
    }

    /** Whether it is not as it would be for tables with the columns and types that are expected. */
    static boolean isOfSchema(SQLException failure) {
        return OF_SCHEMA.contains(failure.getErrorCode() & 0xff);
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
