package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteOpenMode;

/**
 * A copy of a database while others, even other processes, write to it: by SQLite's online backup.
 *
 * <p>The copy is one commit of the source. SQLite would begin again whenever somebody else commits meanwhile, which a ledger
 * does ten times a second. So the source is read in one transaction, which in WAL mode delays nobody; only its log cannot
 * be emptied until then. What the source contains is read in the same transaction, and compared with the copy.
 *
 * <p>The copy is written under another name, checked, synced, and then renamed. It is one file without a log, so that it can
 * be moved and read anywhere.
 */
public final class OnlineCopy {
    /** Beyond the copy itself: for the ledger that goes on meanwhile. */
    private static final long SPARE_BYTES = 16 << 20;

    private static final String UNFINISHED = ".part";
    private static final int ALL_PAGES = -1;
    private static final int BUSY_MILLIS = 5_000;
    private static final int TRIES = 50;

    private OnlineCopy() {}

    /**
     * Describes what a database contains.
     *
     * @param <T> with a useful equals
     */
    @FunctionalInterface
    public interface Reading<T> {
        /** Reads it by a statement of the database's connection, which has nothing else open. */
        T of(Statement statement) throws SQLException;
    }

    /** Changes a copy before it is checked. */
    @FunctionalInterface
    interface Finishing {
        void finish(Statement copy) throws SQLException;
    }

    /**
     * Writes the copy and returns what it contains. If this throws, there is no file of that name, or the one that was there.
     *
     * @param from a database, which must exist
     * @param to the copy, which replaces a file of that name
     * @param roomBytes what must be free for other purposes than the copy
     * @throws IOException if the disk has no room, or the copy is not the same; with the numbers
     */
    public static <T> T write(Path from, Path to, long roomBytes, Reading<T> reading) throws SQLException, IOException {
        return write(from, to, roomBytes, reading, copy -> {});
    }

    static <T> T write(Path from, Path to, long roomBytes, Reading<T> reading, Finishing finishing)
            throws SQLException, IOException {
        Path unfinished = to.resolveSibling(to.getFileName() + UNFINISHED);
        boolean isComplete = false;
        try {
            delete(unfinished);
            T content = copied(from, unfinished, roomBytes, reading);
            check(from, unfinished, content, reading, finishing);
            sync(unfinished);
            Files.move(unfinished, to, StandardCopyOption.ATOMIC_MOVE);
            isComplete = true;
            sync(folder(to));
            return content;
        } finally {
            if (!isComplete) {
                delete(unfinished);
            }
        }
    }

    private static <T> T copied(Path from, Path to, long roomBytes, Reading<T> reading)
            throws SQLException, IOException {
        try (Connection source = open(from);
                Statement statement = source.createStatement()) {
            statement.execute("BEGIN");
            T content = reading.of(statement);
            requireRoom(to, bytes(statement), roomBytes);
            int code = source.unwrap(SQLiteConnection.class)
                    .getDatabase()
                    .backup("main", to.toString(), null, BUSY_MILLIS / TRIES, TRIES, ALL_PAGES);
            if (code != SQLiteErrorCode.SQLITE_OK.code) {
                throw new SQLException(
                        "it cannot be copied to " + to + ": " + SQLiteErrorCode.getErrorCode(code).message, null, code);
            }
            statement.execute("COMMIT");
            return content;
        }
    }

    /** How large a database is with its log. */
    static long bytes(Statement statement) throws SQLException {
        return number(statement, "PRAGMA page_count") * number(statement, "PRAGMA page_size");
    }

    /**
     * Requires room on the disk.
     *
     * @param to where the copy will be, or is
     * @param copyBytes 0 if it is there
     * @param roomBytes for other purposes
     */
    static void requireRoom(Path to, long copyBytes, long roomBytes) throws IOException {
        Path folder = folder(to);
        long needed = copyBytes + roomBytes + SPARE_BYTES;
        long free = Files.getFileStore(folder).getUsableSpace();
        if (free < needed) {
            throw new IOException("a copy in " + folder + " needs " + needed + " bytes of disk (" + copyBytes
                    + " for itself), and " + free + " are free; free some space");
        }
    }

    private static <T> void check(Path from, Path copy, T expected, Reading<T> reading, Finishing finishing)
            throws SQLException, IOException {
        try (Connection connection = open(copy);
                Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA synchronous = FULL");
            LedgerTables.text(statement, "PRAGMA journal_mode = DELETE");
            String found = LedgerTables.text(statement, "PRAGMA integrity_check(1)");
            if (!"ok".equals(found)) {
                throw new SQLException(
                        from + " or its copy is damaged: " + found, null, SQLiteErrorCode.SQLITE_CORRUPT.code);
            }
            T copied = reading.of(statement);
            if (!copied.equals(expected)) {
                throw new IOException("the copy of " + from + " has " + copied + " where the source has " + expected
                        + "; check the disk, and try it again");
            }
            finishing.finish(statement);
        }
    }

    private static Path folder(Path file) {
        return Objects.requireNonNull(file.toAbsolutePath().getParent());
    }

    private static Connection open(Path file) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.resetOpenMode(SQLiteOpenMode.CREATE);
        config.setBusyTimeout(BUSY_MILLIS);
        return config.createConnection("jdbc:sqlite:" + file);
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getLong(1) : 0;
        }
    }

    /** Syncs a file, or the names in a folder. */
    public static void sync(Path some) throws IOException {
        try (FileChannel channel = FileChannel.open(some, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static void delete(Path database) throws IOException {
        Files.deleteIfExists(database);
        for (String part : AsideFiles.PARTS) {
            Files.deleteIfExists(database.resolveSibling(database.getFileName() + part));
        }
    }
}
