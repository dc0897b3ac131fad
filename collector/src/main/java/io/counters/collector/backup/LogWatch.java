package io.counters.collector.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Bounds what a backup costs the collector. While a copy is made, SQLite's logs in the data folder cannot be emptied. If the
 * copy's target is slow or hangs, they would fill the data disk, and commits would fail. A copy that has begun cannot be
 * stopped, so this calls for the end of the process, which frees the logs.
 */
final class LogWatch {
    private static final long BYTES_MAX = 1L << 30;
    private static final List<String> LOGS = List.of("ledger.sqlite-wal", "history.db-wal");

    private final Path data;
    private final long bytesMax;
    private final Consumer<String> giveUp;

    /**
     * @param freeBytes of the data folder's disk; half of it is left to others
     * @param giveUp ends the process, with this message
     */
    LogWatch(Path data, long freeBytes, Consumer<String> giveUp) throws IOException {
        this.data = data;
        this.giveUp = giveUp;
        bytesMax = bytes() + Math.min(BYTES_MAX, freeBytes / 2);
    }

    /** Call it each second. */
    void look() {
        try {
            long bytes = bytes();
            if (bytes > bytesMax) {
                giveUp.accept(
                        "the backup takes too long: meanwhile SQLite's logs in " + data + " have grown to " + bytes
                                + " bytes, and at most " + bytesMax + " are allowed; give a faster disk, and delete the"
                                + " unfinished folder, whose name ends with .part-N");
            }
        } catch (IOException gone) {
            // A collector that has ended has deleted its log.
        }
    }

    private long bytes() throws IOException {
        long bytes = 0;
        for (String log : LOGS) {
            bytes += Files.exists(data.resolve(log)) ? Files.size(data.resolve(log)) : 0;
        }
        return bytes;
    }
}
