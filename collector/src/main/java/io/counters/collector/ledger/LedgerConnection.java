package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteOpenMode;

/**
 * One connection to the ledger's database: opens it, and begins and ends transactions. For one thread at a time.
 *
 * <p>After any failure it must be closed and not used again: SQLite may have rolled back by itself, and then the
 * driver's state of the transaction is wrong. For the same reason transactions are begun and committed here by
 * statements, not by the driver.
 */
final class LedgerConnection implements AutoCloseable {
    static final int LOG_BYTES = 8 << 20;

    private final Connection connection;
    private final Statement control;
    private final LedgerWriter writer;
    private final @Nullable LedgerUpgrade upgrade;

    /**
     * Opens the database of this file for the first time: creates the file and the tables if they are missing, and converts
     * an older format, of which it keeps a copy.
     *
     * @param progress see {@link LedgerUpgrade#prepare}
     * @throws IOException if it cannot be copied before it is converted
     */
    static LedgerConnection first(Path file, Consumer<String> progress) throws SQLException, IOException {
        return new LedgerConnection(file, progress);
    }

    /** Opens the database of this file, which must exist. */
    static LedgerConnection again(Path file) throws SQLException {
        try {
            return new LedgerConnection(file, null);
        } catch (IOException onlyOfTheFirst) {
            throw new IllegalStateException(onlyOfTheFirst);
        }
    }

    /** @param progress null if it was opened before */
    private LedgerConnection(Path file, @Nullable Consumer<String> progress) throws SQLException, IOException {
        SQLiteConfig config = new SQLiteConfig();
        if (progress == null) {
            config.resetOpenMode(SQLiteOpenMode.CREATE);
        }
        connection = config.createConnection("jdbc:sqlite:" + file);
        try {
            control = connection.createStatement();
            try {
                if (progress != null) {
                    // Before anything is written, because what is found must be found again.
                    LedgerTables.requireTables(control, Files.size(file));
                }
                prepare(control);
                upgrade = progress == null ? null : LedgerUpgrade.prepare(file, control, progress);
                if (progress != null) {
                    LedgerTables.create(control);
                }
                writer = new LedgerWriter(connection);
            } catch (SQLException failure) {
                throw LedgerTables.meaning(failure, control);
            }
        } catch (SQLException | IOException | RuntimeException | Error unusable) {
            closeAfter(unusable);
            throw unusable;
        }
    }

    private static void prepare(Statement control) throws SQLException {
        String mode = LedgerTables.text(control, "PRAGMA journal_mode = WAL");
        if (!"wal".equals(mode)) {
            throw new SQLException(
                    "its file system does not support shared memory, which SQLite's WAL mode needs; put it"
                            + " on a local disk");
        }
        control.execute("PRAGMA synchronous = FULL");
        // A log that a backup has made large shrinks again once it has been copied into the database.
        control.execute("PRAGMA journal_size_limit = " + LOG_BYTES);
    }

    private void closeAfter(Throwable failure) {
        try {
            connection.close();
        } catch (SQLException alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
    }

    /** The conversion of an older format; null if there was none. */
    @Nullable
    LedgerUpgrade upgrade() {
        return upgrade;
    }

    /** See {@link LedgerTables#damage}. */
    @Nullable
    String damage() throws SQLException {
        try {
            return LedgerTables.damage(control);
        } catch (SQLException failure) {
            throw LedgerTables.meaning(failure, control);
        }
    }

    boolean isShared() throws SQLException {
        return LedgerTables.isShared(control);
    }

    /**
     * Copies everything that was committed from the log into the database, and syncs it.
     *
     * <p>For a connection that follows a failure. If a sync failed, readers still see its pages, but the kernel does
     * not write them again, and a second sync succeeds without writing them. Here they are written again, to another
     * file.
     */
    void secure() throws SQLException {
        LedgerTables.text(control, "PRAGMA wal_checkpoint(PASSIVE)");
    }

    /** The number of the last attempt at a commit that succeeded; 0 for a new ledger. */
    long attempt() throws SQLException {
        return LedgerMeta.read(control).getOrDefault("attempt", 0L);
    }

    long counters() throws SQLException {
        try (ResultSet row = control.executeQuery("SELECT count(*) FROM counter")) {
            return row.getLong(1);
        }
    }

    /** See {@link LedgerReader#load}. */
    @Nullable
    String load(@Nullable LedgerState state) throws SQLException {
        return LedgerReader.load(connection, state);
    }

    /**
     * Writes the changes in a transaction, which {@link #commit} then commits. Writing them twice has no further
     * effect.
     *
     * @param attempt the number of this attempt, which no other attempt at a commit of this ledger has
     */
    void write(Changes changes, long attempt) throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        writer.write(changes, attempt);
    }

    /**
     * Commits what was written, and returns when it is synced. If it throws, the transaction may still be committed.
     */
    void commit() throws SQLException {
        control.execute("COMMIT");
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
