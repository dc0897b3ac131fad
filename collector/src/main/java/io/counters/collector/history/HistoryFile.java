package io.counters.collector.history;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;

/**
 * The connection that writes, with its tables and statements. For one thread at a time. After any failure, close it and open
 * another one, which finds what was committed.
 */
final class HistoryFile implements AutoCloseable {
    private static final int FORMAT = 1;
    private static final int PAGES_FREED_AT_ONCE = 512;

    /** The maximum number of blocks of a resolution that one tick deletes, so that no tick takes long. */
    private static final int EXPIRED_AT_ONCE = 4_000;

    /** SQLite's errors that a sound file does not cause: in a damaged one a table, a column or a number may be another. */
    private static final Set<Integer> OF_DAMAGE = Set.of(
            SQLiteErrorCode.SQLITE_CORRUPT.code,
            SQLiteErrorCode.SQLITE_NOTADB.code,
            SQLiteErrorCode.SQLITE_ERROR.code,
            SQLiteErrorCode.SQLITE_SCHEMA.code,
            SQLiteErrorCode.SQLITE_TOOBIG.code,
            SQLiteErrorCode.SQLITE_CONSTRAINT.code,
            SQLiteErrorCode.SQLITE_MISMATCH.code,
            SQLiteErrorCode.SQLITE_FORMAT.code);

    private static final String[] TABLES = {
        // A counter that left and came back is another series, so what the file has of the first one is complete.
        "CREATE TABLE series (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, since INTEGER NOT NULL,"
                + " kept INTEGER NOT NULL)",
        "CREATE INDEX series_name ON series (name)",
    };

    /** The tables of each resolution; their names begin with the resolution's. */
    private static final String[] TABLES_OF_RESOLUTION = {
        "CREATE TABLE %s (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, era INTEGER NOT NULL,"
                + " first INTEGER NOT NULL, last INTEGER NOT NULL, data BLOB NOT NULL)",
        "CREATE TABLE %s (id INTEGER PRIMARY KEY, second INTEGER NOT NULL, data BLOB NOT NULL)",
        "CREATE TABLE %s (id INTEGER PRIMARY KEY, era INTEGER NOT NULL, first INTEGER NOT NULL,"
                + " last INTEGER NOT NULL, step INTEGER NOT NULL)",
        "CREATE TABLE %s (id INTEGER PRIMARY KEY, era INTEGER NOT NULL, edge INTEGER NOT NULL, tick INTEGER NOT NULL,"
                + " data BLOB NOT NULL)",
    };

    private static final String[] KINDS = {"block", "tick", "run", "state"};
    private static final String FORGET = forgetting();

    private final Connection connection;
    private final Statement control;
    private final long pageBytes;
    private final PreparedStatement add;
    private final PreparedStatement leave;
    private final PreparedStatement forget;
    private final Map<Resolution, Statements> statements = new EnumMap<>(Resolution.class);

    /** The statements of one resolution. */
    private record Statements(
            PreparedStatement putBlock,
            PreparedStatement putTick,
            PreparedStatement putRun,
            PreparedStatement putState,
            PreparedStatement dropTicks,
            PreparedStatement dropRun,
            PreparedStatement oldest,
            PreparedStatement dropBlocks) {}

    /**
     * Blocks that were deleted.
     *
     * @param lastSecond the newest second in them
     */
    record Dropped(int points, long lastSecond, Set<Long> series) {}

    /**
     * Opens the file, and creates it if it is missing.
     *
     * @param isSynced whether what is committed must survive a crash of the machine
     */
    HistoryFile(Path file, boolean isSynced) throws SQLException {
        connection = new SQLiteConfig().createConnection("jdbc:sqlite:" + file);
        try {
            control = connection.createStatement();
            control.execute("PRAGMA synchronous = " + (isSynced ? "FULL" : "OFF"));
            control.execute("PRAGMA auto_vacuum = INCREMENTAL");
            control.execute("PRAGMA journal_mode = WAL");
            control.execute("PRAGMA journal_size_limit = 8388608");
            create();
            // What a failed sync left in the log is written again and synced, as in the ledger.
            control.execute("PRAGMA wal_checkpoint(PASSIVE)");
            pageBytes = number("PRAGMA page_size");
            add = connection.prepareStatement("INSERT INTO series (name, since, kept) VALUES (?, ?, 1) RETURNING id");
            leave = connection.prepareStatement("UPDATE series SET kept = 0 WHERE id = ?");
            forget = connection.prepareStatement(FORGET + " AND id = ?");
            for (Resolution resolution : Resolution.values()) {
                statements.put(resolution, statements(resolution));
            }
        } catch (SQLException | RuntimeException unusable) {
            try {
                connection.close();
            } catch (SQLException alsoFailed) {
                unusable.addSuppressed(alsoFailed);
            }
            throw unusable;
        }
    }

    private void create() throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        long format = number("PRAGMA user_version");
        if (format != 0 && format != FORMAT) {
            throw new SQLException("it has format " + format
                    + ", which a newer version of the collector has written, and"
                    + " this version writes " + FORMAT + "; run that version, or move the file away, and graphs begin"
                    + " anew");
        }
        if (format == 0) {
            for (String table : TABLES) {
                control.execute(table);
            }
            for (Resolution resolution : Resolution.values()) {
                for (int i = 0; i < KINDS.length; i++) {
                    control.execute(String.format(TABLES_OF_RESOLUTION[i], resolution.table(KINDS[i])));
                }
                String blocks = resolution.table("block");
                control.execute("CREATE INDEX " + blocks + "_series ON " + blocks + " (series, era, last)");
            }
            control.execute("PRAGMA user_version = " + FORMAT);
        }
        control.execute("COMMIT");
    }

    /** Deletes names of which nothing is left. */
    private static String forgetting() {
        StringBuilder sql = new StringBuilder("DELETE FROM series WHERE kept = 0");
        for (Resolution resolution : Resolution.values()) {
            String blocks = resolution.table("block");
            sql.append(" AND NOT EXISTS (SELECT 1 FROM " + blocks + " WHERE " + blocks + ".series = series.id)");
        }
        return sql.toString();
    }

    private Statements statements(Resolution resolution) throws SQLException {
        String block = resolution.table("block");
        String tick = resolution.table("tick");
        String run = resolution.table("run");
        String state = resolution.table("state");
        return new Statements(
                connection.prepareStatement(
                        "INSERT INTO " + block + " (series, era, first, last, data) VALUES (?, ?, ?, ?, ?)"),
                connection.prepareStatement("INSERT INTO " + tick + " VALUES (?, ?, ?)"),
                connection.prepareStatement("INSERT OR REPLACE INTO " + run + " VALUES (?, ?, ?, ?, ?)"),
                connection.prepareStatement("INSERT OR REPLACE INTO " + state + " VALUES (0, ?, ?, ?, ?)"),
                connection.prepareStatement("DELETE FROM " + tick + " WHERE id <= ?"),
                connection.prepareStatement("DELETE FROM " + run + " WHERE id = ?"),
                connection.prepareStatement("SELECT id, series, first, last, data FROM " + block + " ORDER BY id"),
                connection.prepareStatement("DELETE FROM " + block + " WHERE id <= ?"));
    }

    private Statements of(Level level) {
        Statements all = statements.get(level.resolution);
        if (all == null) {
            throw new IllegalStateException(level.resolution.name());
        }
        return all;
    }

    private long number(String query) throws SQLException {
        try (ResultSet row = control.executeQuery(query)) {
            return row.next() ? row.getLong(1) : 0;
        }
    }

    // What an earlier run wrote

    /** The names of the series that are kept. */
    Map<Long, String> kept() throws SQLException {
        Map<Long, String> kept = new LinkedHashMap<>();
        try (ResultSet row = control.executeQuery("SELECT id, name FROM series WHERE kept = 1 ORDER BY id")) {
            while (row.next()) {
                kept.put(row.getLong(1), DamagedHistory.required(row.getString(2)));
            }
        }
        return kept;
    }

    /** Restores a new level from the file. */
    void load(Level level, KeptCounters counters, Map<Long, Integer> slots) throws SQLException {
        List<TickRuns.Run> runs = new ArrayList<>();
        String run = "SELECT id, era, first, last, step FROM " + level.resolution.table("run") + " ORDER BY id";
        try (ResultSet row = control.executeQuery(run)) {
            while (row.next()) {
                runs.add(new TickRuns.Run(
                        row.getLong(1), row.getInt(2), row.getLong(3), row.getLong(4), row.getLong(5)));
            }
        }
        Level.Loading loading = level.new Loading(counters, slots, runs);
        String state = "SELECT era, edge, tick, data FROM " + level.resolution.table("state");
        try (ResultSet row = control.executeQuery(state)) {
            if (row.next()) {
                loading.state(row.getInt(1), row.getLong(2), row.getLong(3), DamagedHistory.required(row.getBytes(4)));
            }
        }
        String ticks = "SELECT id, second, data FROM " + level.resolution.table("tick") + " ORDER BY id";
        try (ResultSet row = control.executeQuery(ticks)) {
            while (row.next()) {
                loading.row(row.getLong(1), row.getLong(2), DamagedHistory.required(row.getBytes(3)));
            }
        }
    }

    /** Deletes everything of a resolution that is no longer kept. */
    void clear(Resolution resolution) throws SQLException {
        if (number("SELECT EXISTS (SELECT 1 FROM " + resolution.table("run") + ")") != 0) {
            begin();
            for (String kind : KINDS) {
                control.execute("DELETE FROM " + resolution.table(kind));
            }
            control.execute(FORGET);
            commit();
        }
    }

    // A tick

    void begin() throws SQLException {
        control.execute("BEGIN IMMEDIATE");
    }

    void commit() throws SQLException {
        control.execute("COMMIT");
    }

    /** A new series, for a name that is kept from now on. */
    long enter(String name, long second) throws SQLException {
        add.setString(1, name);
        add.setLong(2, second);
        try (ResultSet row = add.executeQuery()) {
            return row.getLong(1);
        }
    }

    void leave(long series) throws SQLException {
        leave.setLong(1, series);
        leave.executeUpdate();
    }

    /** Writes a tick of one resolution. */
    void write(Level level) throws SQLException {
        Statements put = of(level);
        byte[] state = level.newState();
        if (state != null) {
            put.dropTicks.setLong(1, level.edge());
            put.dropTicks.executeUpdate();
            put.putState.setInt(1, level.era());
            put.putState.setLong(2, level.edge());
            put.putState.setLong(3, level.tick());
            put.putState.setBytes(4, state);
            put.putState.executeUpdate();
        }
        byte[] row = level.row();
        if (row.length > 0) {
            put.putTick.setLong(1, level.tick());
            put.putTick.setLong(2, level.lastSecond());
            put.putTick.setBytes(3, row);
            put.putTick.executeUpdate();
        }
        for (TickRuns.Run run : level.runs.changed()) {
            writeRun(level, run);
        }
    }

    void writeRun(Level level, TickRuns.Run run) throws SQLException {
        PreparedStatement put = of(level).putRun;
        put.setLong(1, run.id());
        put.setInt(2, run.era());
        put.setLong(3, run.first());
        put.setLong(4, run.last());
        put.setLong(5, run.step());
        put.executeUpdate();
    }

    /** Writes the blocks that ended. */
    void writeBlocks(Level level) throws SQLException {
        PreparedStatement put = of(level).putBlock;
        for (Level.Ended ended : level.ended()) {
            put.setLong(1, ended.series());
            put.setInt(2, ended.era());
            put.setLong(3, ended.block().first());
            put.setLong(4, ended.block().last());
            put.setBytes(5, ended.block().bytes());
            put.executeUpdate();
        }
    }

    void dropRuns(Level level, List<Long> runs) throws SQLException {
        PreparedStatement drop = of(level).dropRun;
        for (long run : runs) {
            drop.setLong(1, run);
            drop.executeUpdate();
        }
    }

    /** Deletes the oldest blocks that end before this second, or that a wrong clock left far ahead. */
    Dropped expire(Level level, long before) throws SQLException {
        return drop(level, EXPIRED_AT_ONCE, before, level.lastSecond() + level.keepSeconds);
    }

    /** Deletes this many of the oldest blocks. */
    Dropped drop(Level level, int blocks) throws SQLException {
        return drop(level, blocks, Long.MAX_VALUE, Long.MAX_VALUE);
    }

    private Dropped drop(Level level, int blocksMax, long before, long after) throws SQLException {
        Set<Long> series = new HashSet<>();
        int points = 0;
        long newest = Level.NEVER;
        long last = Level.NEVER;
        try (ResultSet row = of(level).oldest.executeQuery()) {
            for (int i = 0; i < blocksMax && row.next(); i++) {
                long end = row.getLong(4);
                if (end >= before && end <= after) {
                    break;
                }
                last = row.getLong(1);
                series.add(row.getLong(2));
                newest = end <= level.lastSecond() ? Math.max(newest, end) : newest;
                byte[] bytes = row.getBytes(5);
                points += bytes == null ? 0 : new Block(row.getLong(3), end, bytes).size();
            }
        }
        if (last != Level.NEVER) {
            PreparedStatement drop = of(level).dropBlocks;
            drop.setLong(1, last);
            drop.executeUpdate();
        }
        return new Dropped(points, newest, series);
    }

    /** About how many blocks there are. */
    long blocks(Level level) throws SQLException {
        String blocks = level.resolution.table("block");
        // In one query, SQLite would read all of them.
        return number("SELECT max(id) FROM " + blocks) - number("SELECT min(id) FROM " + blocks);
    }

    /** Deletes the names of those of these series of which nothing is left. */
    void forget(Set<Long> series) throws SQLException {
        for (long id : series) {
            forget.setLong(1, id);
            forget.executeUpdate();
        }
    }

    /** The bytes of the pages in use. */
    long usedBytes() throws SQLException {
        return (number("PRAGMA page_count") - number("PRAGMA freelist_count")) * pageBytes;
    }

    long bytes() throws SQLException {
        return number("PRAGMA page_count") * pageBytes;
    }

    /** Returns some free pages to the file system. */
    void shrink() throws SQLException {
        long pages = Math.min(PAGES_FREED_AT_ONCE, number("PRAGMA freelist_count"));
        for (long page = 0; page < pages; page++) {
            // To free several pages at once, this would have to be a query, but the driver does not run it as one.
            control.execute("PRAGMA incremental_vacuum(1)");
        }
    }

    /** Reads the whole file; throws if it is damaged. */
    void check() throws SQLException {
        try (ResultSet row = control.executeQuery("PRAGMA quick_check(1)")) {
            String found = row.next() ? row.getString(1) : "";
            if (!"ok".equals(found)) {
                throw new DamagedHistory(found);
            }
        }
    }

    /** Whether this failure means that the file is damaged, or is not a database: a disk that fails has other errors. */
    static boolean isDamage(Throwable failure) {
        return failure instanceof DamagedHistory
                || (failure instanceof SQLException sql && OF_DAMAGE.contains(sql.getErrorCode() & 0xff));
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
