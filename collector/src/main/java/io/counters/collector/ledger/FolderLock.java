package io.counters.collector.ledger;

import io.counters.collector.self.DiskFault;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The exclusive lock on a data folder, {@code ledger.lock}: held for life, given back by the kernel after any end. */
final class FolderLock implements AutoCloseable {
    private final FileChannel file;

    /**
     * Takes the lock; creates the folder where it is missing.
     *
     * @throws IOException when the folder can't be written or another collector holds it; the message names the reason
     *     and the remedy
     */
    FolderLock(Path folder) throws IOException {
        boolean isFree;
        try {
            Files.createDirectories(folder);
            file = FileChannel.open(folder.resolve("ledger.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            isFree = isFree(file);
        } catch (IOException cannot) {
            throw new IOException(
                    "the data folder " + folder + " can't be written: " + DiskFault.text(cannot)
                            + "; or give another folder with --data-dir",
                    cannot);
        }
        if (!isFree) {
            file.close();
            throw new IOException("the data folder " + folder
                    + " is in use by another collector; stop it, or give this one a folder of its own with --data-dir");
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
