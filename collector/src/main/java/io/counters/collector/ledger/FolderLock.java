package io.counters.collector.ledger;

import io.counters.collector.common.DiskFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The exclusive lock on a data folder, {@code ledger.lock}: held as long as the process lives, and released by the
 * kernel after any end.
 */
public final class FolderLock implements AutoCloseable {
    private static final String NAME = "ledger.lock";

    private final Path folder;
    private final FileChannel file;

    /**
     * Takes the lock; creates the folder if it is missing.
     *
     * @throws IOException if the folder cannot be written or another collector holds the lock; the message has the
     *     reason and the remedy
     */
    public FolderLock(Path folder) throws IOException {
        this.folder = folder;
        boolean isFree;
        try {
            Files.createDirectories(folder);
            Path lock = folder.resolve(NAME);
            boolean isThere = Files.exists(lock, LinkOption.NOFOLLOW_LINKS);
            file = FileChannel.open(
                    lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
            if (!isThere) {
                RestoredFile.give(lock);
            }
            isFree = isFree(file);
        } catch (IOException cannot) {
            throw new IOException(
                    "the data folder " + folder + " cannot be written: " + DiskFault.text(cannot)
                            + "; or set another folder with --data-dir",
                    cannot);
        }
        if (!isFree) {
            file.close();
            throw new IOException("the data folder " + folder
                    + " is in use by another collector; stop it, or set another folder for this one with --data-dir");
        }
    }

    /** The folder. */
    Path folder() {
        return folder;
    }

    /** Whether a collector holds the lock of this folder. Creates nothing. */
    static boolean isHeld(Path folder) throws IOException {
        Path lock = folder.resolve(NAME);
        if (!Files.exists(lock)) {
            return false;
        }
        try (FileChannel file = FileChannel.open(lock, StandardOpenOption.WRITE)) {
            return !isFree(file);
        }
    }

    private static boolean isFree(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException inThisJvm) {
            return false;
        }
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
