package io.counters.collector.ledger;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import io.counters.collector.common.DiskFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

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
        Optional<FileChannel> locked;
        try {
            Files.createDirectories(folder);
            locked = locked(folder.resolve(NAME));
        } catch (IOException cannot) {
            throw new IOException(
                    "the data folder " + folder + " cannot be written: " + DiskFault.text(cannot)
                            + "; or set another folder with --data-dir",
                    cannot);
        }
        file = locked.orElseThrow(() -> new IOException("the data folder " + folder
                + " is in use by another collector; stop it, or set another folder for this one with --data-dir"));
    }

    /** The file with its lock; empty if it is taken. */
    private static Optional<FileChannel> locked(Path lock) throws IOException {
        FileChannel file = open(lock);
        boolean isFree = false;
        try {
            isFree = isFree(file);
            return isFree ? Optional.of(file) : Optional.empty();
        } finally {
            if (!isFree) {
                file.close();
            }
        }
    }

    private static FileChannel open(Path lock) throws IOException {
        try {
            return RestoredFile.create(lock);
        } catch (FileAlreadyExistsException isThere) {
            if (!isFile(lock)) {
                // To open a pipe may never end.
                throw new IOException(lock + " is not a regular file; remove it", isThere);
            }
            return FileChannel.open(lock, StandardOpenOption.WRITE, NOFOLLOW_LINKS);
        }
    }

    private static boolean isFile(Path lock) {
        return Files.isRegularFile(lock, NOFOLLOW_LINKS);
    }

    /** The folder. */
    Path folder() {
        return folder;
    }

    /** Whether a collector holds the lock of this folder. Creates nothing. */
    static boolean isHeld(Path folder) throws IOException {
        Path lock = folder.resolve(NAME);
        if (!isFile(lock)) {
            return false;
        }
        try (FileChannel file = FileChannel.open(lock, StandardOpenOption.WRITE, NOFOLLOW_LINKS)) {
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
