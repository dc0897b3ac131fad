package io.counters.collector.ledger;

import io.counters.collector.self.DiskFault;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteJDBCLoader;

/**
 * The ledger on disk: {@code ledger.sqlite} in the data folder, in WAL mode, every commit synced, with a lock
 * beside it that keeps a second collector out. For one thread at a time.
 *
 * <p>What is on disk is always what one commit left there, as a whole. A disk that fails has three ways to break that:
 *
 * <p>The state of a connection after an error is not known: SQLite may have rolled back or not, and a statement that
 * comes next may be committed by itself. So after any failure the connection is closed, and the next write opens another.
 *
 * <p>A COMMIT that fails may have happened: its pages are in the log, only the sync failed, and whoever reads the log next
 * finds them whole. So every attempt has a number, written with it. Opened again, the file tells by that number whether
 * this very attempt is in it; if so, the write has succeeded. If the file can't be opened either, nobody knows, and the
 * write fails. The next one then writes everything of this one, in its present state: all rows hold what is, never what was
 * added, so writing them twice changes nothing.
 *
 * <p>A sync that failed once does not fail again: the kernel forgets that the pages are not on disk. So a connection that
 * is opened after a failure first brings everything from the log into the database, by writes and syncs of its own.
 *
 * <p>Only damage sets a file aside: a database that SQLite finds broken, or rows that contradict each other. That it can't be
 * read or written now is no damage; but SQLite may call it so, so damage is believed when it is found twice, with a file in
 * between that the system reads from end to end.
 */
public final class LedgerFile implements Journal, AutoCloseable {
    private static final String NAME = "ledger.sqlite";
    private static final String AWAY = "ledger.damaged-";

    /** What SQLite keeps beside a database; of no use without it, and harmful to another. */
    private static final List<String> PARTS = List.of("-wal", "-shm", "-journal");

    /** More than SQLite needs to begin. */
    private static final int PROBE_BYTES = 128 * 1024;

    private final Path folder;
    private final Path file;
    private final FolderLock lock;
    private @Nullable Path setAside;
    private @Nullable String damage;

    /** Null after a failure, until the next use. */
    private @Nullable LedgerConnection connection;

    private long attempt;
    private boolean closed;

    /**
     * Opens the ledger of this folder, created where it is missing. One that is damaged is set aside under a name that
     * says so, and a new one begun: see {@link #setAside}.
     *
     * @throws IOException when it can't be used now, or another collector has it; the message names the reason and the
     *     remedy
     */
    public LedgerFile(Path folder) throws IOException {
        this.folder = folder;
        file = folder.resolve(NAME);
        lock = new FolderLock(folder);
        boolean isOpen = false;
        try {
            unpackLibrary();
            finishMovingAway();
            String found = open();
            if (found != null) {
                read(file);
                read(folder.resolve(NAME + "-wal"));
                found = open();
            }
            if (found != null) {
                damage = found;
                setAside = moveAway();
                found = open();
            }
            if (found != null) {
                throw new IOException("a new one can't be read back: " + found);
            }
            isOpen = true;
        } catch (SQLException unusable) {
            throw failed("use", unusable);
        } catch (IOException unusable) {
            throw new IOException("can't use the ledger " + file + ": " + DiskFault.text(unusable), unusable);
        } finally {
            if (!isOpen) {
                lock.close();
            }
        }
    }

    /** SQLite is a native library, which its driver unpacks into a temporary folder at every start. */
    private static void unpackLibrary() throws IOException {
        String place = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir"));
        String what = "SQLite's library can't be unpacked into the temporary folder " + place + " (";
        String remedy =
                "); give a folder that is writable and not mounted noexec: java -Djava.io.tmpdir=FOLDER -jar ...";
        try {
            Files.delete(Files.createTempFile(Path.of(place), "sqlite", ""));
            SQLiteJDBCLoader.initialize();
        } catch (IOException cannot) {
            throw new IOException(what + DiskFault.text(cannot) + remedy, cannot);
        } catch (Exception | LinkageError cannot) {
            throw new IOException(what + cannot.getMessage() + remedy, cannot);
        }
    }

    /** Opens it, unless it is damaged; returns what is damaged. */
    private @Nullable String open() throws SQLException, IOException {
        if (isFilled(folder.resolve(NAME + "-wal")) && Files.exists(file) && !isFilled(file)) {
            return "it is empty, and its log is not";
        }
        LedgerConnection opened = null;
        try {
            opened = new LedgerConnection(file, true);
            String found = opened.damage();
            if (found == null) {
                attempt = opened.attempt();
                connection = opened;
                opened = null;
            }
            return found;
        } catch (SQLException failure) {
            if (LedgerConnection.isDamage(failure.getErrorCode())) {
                return String.valueOf(failure.getMessage());
            }
            throw failure;
        } finally {
            if (opened != null) {
                opened.close();
            }
        }
    }

    /** Reads all of a file, where it exists; throws where the disk does not let it. */
    private static void read(Path some) throws IOException {
        if (Files.exists(some)) {
            try (InputStream in = Files.newInputStream(some)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
        }
    }

    private static boolean isFilled(Path some) throws IOException {
        return Files.exists(some) && Files.size(some) > 0;
    }

    /** Gives the file, and then what SQLite has beside it, a name that says what it is and that no other has. */
    private Path moveAway() throws IOException {
        int number = 1;
        while (Files.exists(away(number))) {
            number++;
        }
        Files.move(file, away(number));
        moveParts(away(number));
        return away(number);
    }

    /** An earlier start may have ended in the middle of {@link #moveAway}: then the database is gone, and its parts are not. */
    private void finishMovingAway() throws IOException {
        if (Files.exists(file) || !Files.exists(away(1))) {
            return;
        }
        int number = 1;
        while (Files.exists(away(number + 1))) {
            number++;
        }
        if (moveParts(away(number))) {
            damage = "an earlier start found it damaged";
            setAside = away(number);
        }
    }

    private boolean moveParts(Path away) throws IOException {
        boolean isMoved = false;
        for (String part : PARTS) {
            Path from = folder.resolve(NAME + part);
            Path to = folder.resolve(away.getFileName() + part);
            if (Files.exists(from) && !Files.exists(to)) {
                Files.move(from, to);
                isMoved = true;
            }
        }
        return isMoved;
    }

    private Path away(int number) {
        return folder.resolve(AWAY + number + ".sqlite");
    }

    /** Where the damaged ledger went that was found here; null when there was none. */
    public @Nullable Path setAside() {
        return setAside;
    }

    /** What was damaged about it; null when nothing was. */
    public @Nullable String damage() {
        return damage;
    }

    /** The ledger's time at the last commit, in milliseconds; 0 for a new ledger. */
    public long committedMillis() throws IOException {
        try {
            return connected().committedMillis();
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        }
    }

    @Override
    public void load(Ledger ledger) throws IOException {
        try {
            connected().load(ledger);
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        } catch (IllegalStateException | IllegalArgumentException unknown) {
            throw new IOException(
                    "can't read the ledger " + file + ": " + unknown.getMessage()
                            + "; keep it, it may be of another version",
                    unknown);
        }
    }

    /** Writes the changes in one transaction and syncs it; when this throws, the next call has to write them again. */
    @Override
    public void write(Changes changes) throws IOException {
        if (closed) {
            throw new IOException("can't write the ledger " + file + ": it is closed");
        }
        boolean isSettled = false;
        boolean isWritten = false;
        attempt++;
        try {
            LedgerConnection open = connected();
            open.write(changes, attempt);
            isWritten = true;
            open.commit();
            isSettled = true;
        } catch (SQLException failure) {
            disconnect(failure);
            isSettled = true;
            if (!isWritten || !isThere(attempt, failure)) {
                throw failed("write", failure);
            }
        } finally {
            if (!isSettled) {
                disconnect(null);
            }
        }
    }

    /** Whether this attempt is in the file, although its commit has failed. */
    private boolean isThere(long written, SQLException failure) {
        try {
            return connected().attempt() == written;
        } catch (SQLException nobodyKnows) {
            disconnect(failure);
            failure.addSuppressed(nobodyKnows);
            return false;
        }
    }

    /** The connection; after a failure, another one. */
    private LedgerConnection connected() throws SQLException {
        LedgerConnection open = connection;
        if (open == null) {
            open = new LedgerConnection(file, false);
            connection = open;
            open.secure();
        }
        return open;
    }

    private void disconnect(@Nullable Exception why) {
        LedgerConnection broken = connection;
        connection = null;
        if (broken != null) {
            try {
                broken.close();
            } catch (SQLException alsoFailed) {
                if (why != null) {
                    why.addSuppressed(alsoFailed);
                }
            }
        }
    }

    private IOException failed(String what, SQLException why) {
        disconnect(why);
        return new IOException("can't " + what + " the ledger " + file + ": " + reason(why), why);
    }

    /** SQLite's own words leave open why; the file system knows. To be asked while there is no connection. */
    private String reason(SQLException failure) {
        try {
            if (failure.getErrorCode() != 0) {
                probe();
            }
        } catch (IOException why) {
            return DiskFault.text(why);
        }
        return (failure.getErrorCode() & 0xff) == SQLiteErrorCode.SQLITE_FULL.code
                ? "the disk is full; free some space"
                : String.valueOf(failure.getMessage());
    }

    /** Does what SQLite has to: opens the file, and writes another beside it. */
    private void probe() throws IOException {
        for (String part : List.of("", "-wal")) {
            Path opened = folder.resolve(NAME + part);
            if (Files.exists(opened)) {
                FileChannel.open(opened, StandardOpenOption.READ, StandardOpenOption.WRITE)
                        .close();
            }
        }
        try (FileChannel probe = FileChannel.open(
                folder.resolve("ledger.probe"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE)) {
            probe.write(ByteBuffer.allocate(PROBE_BYTES));
        }
    }

    /** Where it lies. */
    @Override
    public String toString() {
        return file.toString();
    }

    @Override
    public void close() throws IOException {
        closed = true;
        LedgerConnection last = connection;
        connection = null;
        try (lock) {
            if (last != null) {
                last.close();
            }
        } catch (SQLException failure) {
            throw failed("close", failure);
        }
    }
}
