package io.counters.collector.ledger;

import io.counters.collector.common.DiskFault;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteJDBCLoader;
import org.sqlite.util.LibraryLoaderUtil;
import org.sqlite.util.OSInfo;

/**
 * The ledger on disk: {@code ledger.sqlite} in the data folder, in WAL mode, every commit synced, with a lock file that
 * keeps a second collector out. For one thread at a time.
 *
 * <p>The disk always contains exactly one complete commit. A disk that fails can break this in three ways:
 *
 * <p>The state of a connection after an error is not known: SQLite may or may not have rolled back, and the next
 * statement may be committed on its own. So after any failure the connection is closed, and the next write opens
 * another.
 *
 * <p>A COMMIT that fails may have happened: its pages are in the log, only the sync failed, and the next reader of the
 * log finds a complete commit. So every attempt has a number, which is written with it. When the file is opened again,
 * that number shows whether this attempt is in it; if so, the write has succeeded. If the file cannot be opened either,
 * the outcome is not known, and the write fails. The next write then includes everything of this one, in its present
 * state. All rows contain states, never differences, so writing them twice has no further effect.
 *
 * <p>A sync that failed does not fail a second time, because the kernel forgets that the pages are not on disk. So a
 * connection that is opened after a failure first copies everything from the log into the database, with its own writes
 * and syncs.
 *
 * <p>A file is set aside only if it is damaged: SQLite finds the database broken, its rows contradict each other, or a row
 * does not match its check ({@link RowCheck}), which is noticed when the rows are loaded. A file that cannot be read or
 * written now is not damaged. SQLite may report it as damaged, so a file counts as damaged only if the damage is found
 * twice, with a full read of the file in between.
 */
public final class LedgerFile implements Journal, AutoCloseable {
    static final String NAME = "ledger.sqlite";

    /** A copy that is being restored here; while it is there, the folder has no ledger that can be used. */
    static final String RESTORING = "ledger.restoring";

    /** What to do with a ledger that {@link #isShared}. */
    public static final String WAY_OVER = "with the version that wrote it, let one collector take over all"
            + " names, and then start this version on that collector's ledger (docs/several-collectors.md)";

    /** Why a ledger that {@link #isShared} is refused. */
    public static final String SHARED = "it has shared names with peers, and this version has none; " + WAY_OVER;

    /** More than SQLite needs to start. */
    private static final int PROBE_BYTES = 128 * 1024;

    private final Path folder;
    private final Path file;

    /** Whether a new ledger begins if there is none, or a damaged one. */
    private final boolean begins;

    private final FolderLock lock;
    private final AsideFiles damaged;
    private @Nullable Path setAside;
    private @Nullable String damage;
    private @Nullable LedgerUpgrade upgrade;
    private final boolean wasEmpty;
    private final Consumer<String> progress;

    /** Null after a failure, until the next use. */
    private @Nullable LedgerConnection connection;

    private long attempt;
    private boolean closed;

    /** Whether this folder has a ledger. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(NAME));
    }

    /**
     * Opens the ledger of this folder, and creates it if it is missing. A damaged one is set aside under a name that
     * shows this, and a new one begins: see {@link #setAside}.
     *
     * @throws IOException if it cannot be used now, or another collector uses it; the message has the reason and the
     *     remedy
     */
    public LedgerFile(Path folder) throws IOException {
        this(folder, message -> {});
    }

    /** @param progress gets a message before an older ledger is converted, which may take minutes */
    public LedgerFile(Path folder, Consumer<String> progress) throws IOException {
        this(folder, true, progress);
    }

    /**
     * Opens the ledger of this folder, which must be there and whole.
     *
     * @throws IOException if it is not, or cannot be used now, or a collector uses it
     */
    public static LedgerFile existing(Path folder) throws IOException {
        if (Files.isRegularFile(folder)) {
            throw new IOException(folder + " is a file; give its folder");
        }
        if (!isIn(folder)) {
            throw new IOException("there is no ledger in " + folder + ": " + NAME + " is missing");
        }
        if (FolderLock.isHeld(folder)) {
            throw new IOException(
                    "the data folder " + folder + " is in use by a collector; stop it, and run the import again");
        }
        return new LedgerFile(folder, false, message -> {});
    }

    private LedgerFile(Path folder, boolean begins, Consumer<String> progress) throws IOException {
        this.folder = folder;
        this.begins = begins;
        this.progress = progress;
        file = folder.resolve(NAME);
        lock = new FolderLock(folder);
        damaged = new AsideFiles(file, "damaged");
        boolean isOpen = false;
        try {
            unpackLibrary();
            if (Files.exists(folder.resolve(RESTORING))) {
                throw new IOException("restoring a backup here has not ended; run the command restore again"
                        + (isIn(folder) ? ", or delete " + RESTORING + " to use the ledger that is here" : ""));
            }
            Path finished = begins ? damaged.finish() : null;
            if (finished != null) {
                damage = "an earlier start found it damaged";
                setAside = finished;
            }
            wasEmpty = Files.exists(file) && !isFilled(file);
            String found = open();
            if (found != null) {
                found = openAgain();
            }
            if (found != null) {
                beginAnew(found);
            }
            isOpen = true;
        } catch (SQLException unusable) {
            throw failed("use", unusable);
        } catch (IOException unusable) {
            throw new IOException("cannot use the ledger " + file + ": " + DiskFault.text(unusable), unusable);
        } finally {
            if (!isOpen) {
                lock.close();
            }
        }
    }

    /** SQLite is a native library, which its driver unpacks into a temporary folder at every start. */
    static void unpackLibrary() throws IOException {
        String place = System.getProperty("org.sqlite.tmpdir", System.getProperty("java.io.tmpdir"));
        String what = "SQLite's library cannot be unpacked into the temporary folder " + place + " (";
        String remedy =
                "); set a folder that is writable and not mounted noexec: java -Djava.io.tmpdir=FOLDER -jar ...";
        try {
            Files.delete(Files.createTempFile(Path.of(place), "sqlite", ""));
            SQLiteJDBCLoader.initialize();
        } catch (IOException cannot) {
            throw new IOException(what + DiskFault.text(cannot) + remedy, cannot);
        } catch (Exception | LinkageError cannot) {
            throw new IOException(
                    LibraryLoaderUtil.hasNativeLib(
                                    LibraryLoaderUtil.getNativeLibResourcePath(), LibraryLoaderUtil.getNativeLibName())
                            ? what + cannot.getMessage() + remedy
                            : otherPlatform(),
                    cannot);
        }
    }

    /** The jar has the library for the platforms in docs/compatibility.md only; its driver's jar has more. */
    private static String otherPlatform() {
        String platform = OSInfo.getNativeLibFolderPathForCurrentOS();
        return "collector.jar has no SQLite library for " + platform + "; take org/sqlite/native/" + platform + "/"
                + LibraryLoaderUtil.getNativeLibName() + " out of sqlite-jdbc-" + SQLiteJDBCLoader.getVersion()
                + ".jar, and set its folder: java -Dorg.sqlite.lib.path=FOLDER -jar ...";
    }

    /** Opens it once more, to see whether the damage that was found is found again; returns what is. */
    private @Nullable String openAgain() throws SQLException, IOException {
        disconnect(null);
        read(file);
        read(folder.resolve(NAME + "-wal"));
        return open();
    }

    /** Sets a damaged one aside, and begins a new one. */
    private void beginAnew(String found) throws SQLException, IOException {
        disconnect(null);
        if (!begins) {
            throw new IOException("it is damaged: " + found + "; restore a backup of it");
        }
        damage = found;
        setAside = damaged.move();
        String again = open();
        if (again != null) {
            throw new IOException("the new ledger cannot be read back: " + again);
        }
    }

    /** Opens it, unless it is damaged; returns the damage. */
    private @Nullable String open() throws SQLException, IOException {
        if (isFilled(folder.resolve(NAME + "-wal")) && Files.exists(file) && !isFilled(file)) {
            return "it is empty, but its log is not";
        }
        LedgerConnection opened = null;
        try {
            opened = LedgerConnection.first(file, progress);
            String found = opened.damage();
            if (found == null) {
                attempt = opened.attempt();
                // The second time, there is nothing left to convert.
                upgrade = upgrade == null ? opened.upgrade() : upgrade;
                connection = opened;
                opened = null;
            }
            return found;
        } catch (SQLException failure) {
            return LedgerTables.damage(failure);
        } finally {
            if (opened != null) {
                opened.close();
            }
        }
    }

    /** Reads a whole file if it exists; throws if the disk does not allow it. */
    private static void read(Path some) throws IOException {
        if (Files.exists(some)) {
            Files.copy(some, OutputStream.nullOutputStream());
        }
    }

    private static boolean isFilled(Path some) throws IOException {
        return Files.exists(some) && Files.size(some) > 0;
    }

    /** The path to which a damaged ledger was moved; null if there was none. Damage may also be found by {@link #load}. */
    public @Nullable Path setAside() {
        return setAside;
    }

    /** What was damaged; null if nothing was. */
    public @Nullable String damage() {
        return damage;
    }

    /** Whether there was a file of 0 bytes, and no log: a start that was interrupted leaves one, as may a disk that failed. */
    public boolean wasEmpty() {
        return wasEmpty && setAside == null;
    }

    /** What to log if the copy of a conversion is there, by this start or an earlier one; null if it is not. */
    public @Nullable String upgrade() {
        return upgrade == null ? LedgerUpgrade.kept(file) : upgrade.toString();
    }

    /** Whether an earlier version has shared the names with other collectors, so that values are in several ledgers. */
    public boolean isShared() throws IOException {
        try {
            return connected().isShared();
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        }
    }

    /** How many counters were committed, also those that were removed. */
    public long counters() throws IOException {
        try {
            return connected().counters();
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        }
    }

    /**
     * Fills the state of a new ledger with everything that was written. Must be called once, before anything is written. If a row
     * does not match its check, the file is damaged, and treated like one whose damage was found when it was opened.
     *
     * @return the state; another one if this one was filled from a damaged file
     */
    public LedgerState load(LedgerState state) throws IOException {
        try {
            LedgerState loaded = state;
            String found = connected().load(loaded);
            if (found != null) {
                found = openAgain();
                // Only compared, because there may be no memory for a second state.
                found = found == null ? connected().load(null) : found;
                if (found == null) {
                    loaded = state.anew();
                    found = connected().load(loaded);
                }
            }
            if (found != null) {
                beginAnew(found);
                loaded = state.anew();
                connected().load(loaded);
            }
            return loaded;
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        } catch (IOException unusable) {
            throw new IOException("cannot use the ledger " + file + ": " + DiskFault.text(unusable), unusable);
        }
    }

    /** @param changes of one ledger */
    @Override
    public void write(Map<Ledger, Changes> changes) throws IOException {
        for (Changes of : changes.values()) {
            write(of);
        }
    }

    /** Writes the changes in one transaction and syncs it. If this throws, the next call must write them again. */
    void write(Changes changes) throws IOException {
        if (closed) {
            throw new IOException("cannot write the ledger " + file + ": it is closed");
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
        } catch (SQLException notKnown) {
            disconnect(failure);
            failure.addSuppressed(notKnown);
            return false;
        }
    }

    /** The connection; after a failure, a new one. */
    private LedgerConnection connected() throws SQLException {
        LedgerConnection open = connection;
        if (open == null) {
            open = LedgerConnection.again(file);
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
        return new IOException("cannot " + what + " the ledger " + file + ": " + reason(why), why);
    }

    /** SQLite's message often lacks the reason; the file system gives it. To be called while there is no connection. */
    private String reason(SQLException failure) {
        try {
            if (failure.getErrorCode() != 0) {
                probe();
            }
        } catch (IOException why) {
            return DiskFault.text(why);
        }
        if (failure.getErrorCode() == SQLiteErrorCode.SQLITE_READONLY.code) {
            return "SQLite takes it for read-only, although it can be written; if this is so at each start, the disk has changed"
                    + " its header: restore a backup";
        }
        return (failure.getErrorCode() & 0xff) == SQLiteErrorCode.SQLITE_FULL.code
                ? "the disk is full; free some space"
                : String.valueOf(failure.getMessage());
    }

    /** Does what SQLite must do: opens the file, and writes another one beside it. */
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

    /** The path of the file. */
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
