package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Watermarks;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ledger on disk: {@code ledger.sqlite} in the data folder, in WAL mode, every commit synced. The lock beside it,
 * {@code ledger.lock}, is held for life, so that no second collector writes to it. For one thread at a time.
 */
public final class LedgerFile implements AutoCloseable {
    private static final int FORMAT = 1;

    private static final String[] TABLES = {
        "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, value INTEGER NOT NULL,"
                + " projected INTEGER NOT NULL, pushed INTEGER NOT NULL, goal INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE,"
                + " whole INTEGER NOT NULL, quarantined INTEGER NOT NULL, heard INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, PRIMARY KEY (stream, counter))"
                + " WITHOUT ROWID",
    };

    private final Path file;
    private final FileChannel lockFile;
    private final FileLock lock;
    private final Connection connection;
    private final PreparedStatement putMeta;
    private final PreparedStatement putCounter;
    private final PreparedStatement putStream;
    private final PreparedStatement putWatermark;

    /**
     * Opens the ledger of this folder, created where it is missing.
     *
     * @throws IOException when the folder can't be written or another collector holds it; the message names the remedy
     */
    public LedgerFile(Path folder) throws IOException {
        file = folder.resolve("ledger.sqlite");
        try {
            Files.createDirectories(folder);
            lockFile = FileChannel.open(
                    folder.resolve("ledger.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException cannot) {
            throw new IOException(
                    "the data folder " + folder + " can't be written (" + cannot + "); give another with --data-dir",
                    cannot);
        }
        FileLock held = null;
        try {
            held = lockFile.tryLock();
        } catch (OverlappingFileLockException inThisJvm) {
            // Told below, like one that another process holds.
        }
        if (held == null) {
            lockFile.close();
            throw new IOException("the data folder " + folder
                    + " is in use by another collector; stop it, or give this one a folder of its own with --data-dir");
        }
        lock = held;
        Connection opened = null;
        try {
            opened = DriverManager.getConnection("jdbc:sqlite:" + file);
            connection = opened;
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA journal_mode = WAL");
                statement.execute("PRAGMA synchronous = FULL");
                for (String table : TABLES) {
                    statement.execute(table);
                }
            }
            connection.setAutoCommit(false);
            putMeta = connection.prepareStatement("INSERT OR REPLACE INTO meta VALUES (?, ?)");
            putCounter = connection.prepareStatement("INSERT INTO counter VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id)"
                    + " DO UPDATE SET value = excluded.value, projected = excluded.projected,"
                    + " pushed = excluded.pushed, goal = excluded.goal");
            putStream = connection.prepareStatement("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?)");
            putWatermark = connection.prepareStatement("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)");
            long format = meta().getOrDefault("format", (long) FORMAT);
            if (format != FORMAT) {
                throw new SQLException("it has format " + format + ", this version writes " + FORMAT);
            }
        } catch (SQLException unusable) {
            closeAfter(unusable, opened);
            throw new IOException(
                    "the ledger " + file + " can't be used: " + unusable.getMessage()
                            + "; move it away to begin anew, or give another folder with --data-dir",
                    unusable);
        }
    }

    private void closeAfter(SQLException unusable, @Nullable Connection opened) throws IOException {
        try (lockFile) {
            if (opened != null) {
                opened.close();
            }
        } catch (SQLException alsoFailed) {
            unusable.addSuppressed(alsoFailed);
        }
    }

    /** The ledger's time at the last commit, in milliseconds; 0 for a new ledger. */
    public long committedMillis() throws IOException {
        try {
            return meta().getOrDefault("clock", 0L);
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        }
    }

    /** Gives an empty ledger all that was committed here. */
    public void load(Ledger ledger) throws IOException {
        try (Statement statement = connection.createStatement()) {
            Map<String, Long> meta = meta();
            ledger.restore(
                    meta.getOrDefault("commit", 0L),
                    meta.getOrDefault("watch", Ledger.FOR_EVER),
                    meta.getOrDefault("published", 0L));
            try (ResultSet row = statement.executeQuery(
                    "SELECT id, name, value, projected, pushed, goal FROM counter ORDER BY id")) {
                while (row.next()) {
                    ledger.restore(new CounterRow(
                            row.getInt(1),
                            row.getString(2),
                            row.getLong(3),
                            Projected.of(row.getInt(4)),
                            row.getLong(5),
                            row.getLong(6)));
                }
            }
            try (ResultSet row = statement.executeQuery("SELECT s.id, s.sender, s.whole, s.quarantined, s.heard,"
                    + " w.counter, w.increments, w.decrements"
                    + " FROM stream s LEFT JOIN watermark w ON w.stream = s.id ORDER BY s.id")) {
                loadStreams(row, ledger);
            }
        } catch (SQLException | IllegalStateException | IllegalArgumentException unreadable) {
            throw failed("read", unreadable);
        }
    }

    private static void loadStreams(ResultSet row, Ledger ledger) throws SQLException {
        Watermarks stream = null;
        int size = 0;
        while (row.next()) {
            if (stream == null || stream.stream() != row.getInt(1)) {
                finish(stream, size, ledger);
                stream = new Watermarks(
                        row.getInt(1),
                        row.getString(2),
                        row.getBoolean(3),
                        row.getBoolean(4),
                        row.getLong(5),
                        new int[8],
                        new long[8],
                        new long[8]);
                size = 0;
            }
            int counter = row.getInt(6);
            if (row.wasNull()) {
                continue;
            }
            if (size == stream.counters().length) {
                stream = resized(stream, 2 * size);
            }
            stream.counters()[size] = counter;
            stream.increments()[size] = row.getLong(7);
            stream.decrements()[size] = row.getLong(8);
            size++;
        }
        finish(stream, size, ledger);
    }

    private static void finish(@Nullable Watermarks stream, int size, Ledger ledger) {
        if (stream != null) {
            ledger.restore(resized(stream, size));
        }
    }

    private static Watermarks resized(Watermarks stream, int size) {
        return new Watermarks(
                stream.stream(),
                stream.sender(),
                stream.whole(),
                stream.quarantined(),
                stream.heardMillis(),
                Arrays.copyOf(stream.counters(), size),
                Arrays.copyOf(stream.increments(), size),
                Arrays.copyOf(stream.decrements(), size));
    }

    /** Writes the changes in one transaction and syncs it; on a failure nothing of them is there. */
    void write(Changes changes) throws IOException {
        try {
            put("format", FORMAT);
            put("commit", changes.number());
            put("clock", changes.clockMillis());
            put("watch", changes.watchMillis());
            put("published", changes.publishedSecond());
            putMeta.executeBatch();
            for (CounterRow row : changes.counters()) {
                putCounter.setInt(1, row.id());
                putCounter.setString(2, row.name());
                putCounter.setLong(3, row.value());
                putCounter.setInt(4, row.projected().number);
                putCounter.setLong(5, row.pushed());
                putCounter.setLong(6, row.goal());
                putCounter.addBatch();
            }
            putCounter.executeBatch();
            for (Watermarks stream : changes.streams()) {
                putStream.setInt(1, stream.stream());
                putStream.setString(2, stream.sender());
                putStream.setBoolean(3, stream.whole());
                putStream.setBoolean(4, stream.quarantined());
                putStream.setLong(5, stream.heardMillis());
                putStream.addBatch();
                for (int i = 0; i < stream.counters().length; i++) {
                    putWatermark.setInt(1, stream.stream());
                    putWatermark.setInt(2, stream.counters()[i]);
                    putWatermark.setLong(3, stream.increments()[i]);
                    putWatermark.setLong(4, stream.decrements()[i]);
                    putWatermark.addBatch();
                }
            }
            putStream.executeBatch();
            putWatermark.executeBatch();
            connection.commit();
        } catch (SQLException failure) {
            try {
                for (PreparedStatement put : List.of(putMeta, putCounter, putStream, putWatermark)) {
                    put.clearBatch();
                }
                connection.rollback();
            } catch (SQLException alsoFailed) {
                failure.addSuppressed(alsoFailed);
            }
            throw failed("write", failure);
        }
    }

    private void put(String key, long number) throws SQLException {
        putMeta.setString(1, key);
        putMeta.setLong(2, number);
        putMeta.addBatch();
    }

    private Map<String, Long> meta() throws SQLException {
        Map<String, Long> meta = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT key, number FROM meta")) {
            while (row.next()) {
                meta.put(row.getString(1), row.getLong(2));
            }
        }
        return meta;
    }

    private IOException failed(String what, Exception why) {
        return new IOException("can't " + what + " the ledger " + file + ": " + why.getMessage(), why);
    }

    /** Where it lies. */
    @Override
    public String toString() {
        return file.toString();
    }

    @Override
    public void close() throws IOException {
        try {
            connection.close();
        } catch (SQLException failure) {
            throw failed("close", failure);
        } finally {
            lock.close();
            lockFile.close();
        }
    }
}
