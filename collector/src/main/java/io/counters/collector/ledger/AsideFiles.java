package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Ledgers of a folder that were set aside for one reason, under unused names that show it. */
final class AsideFiles {
    /** Files that SQLite keeps beside a database. They are useless without it, and harmful beside another one. */
    static final List<String> PARTS = List.of("-wal", "-shm", "-journal");

    private final Path folder;
    private final String why;

    /** @param why what precedes the number in their names */
    AsideFiles(Path folder, String why) {
        this.folder = folder;
        this.why = why;
    }

    /** Renames the ledger, and then the files beside it; returns its new path. */
    Path move() throws IOException {
        int number = 1;
        while (Files.exists(path(number))) {
            number++;
        }
        Files.move(folder.resolve(LedgerFile.NAME), path(number));
        moveParts(path(number));
        return path(number);
    }

    /**
     * Completes {@link #move} if the process ended in the middle of it: the ledger was renamed, the files beside it were not.
     *
     * @return the new path of what was moved; null if there was nothing to complete
     */
    @Nullable
    Path finish() throws IOException {
        if (Files.exists(folder.resolve(LedgerFile.NAME)) || !Files.exists(path(1))) {
            return null;
        }
        int number = 1;
        while (Files.exists(path(number + 1))) {
            number++;
        }
        return moveParts(path(number)) ? path(number) : null;
    }

    private boolean moveParts(Path aside) throws IOException {
        boolean isMoved = false;
        for (String part : PARTS) {
            Path from = folder.resolve(LedgerFile.NAME + part);
            Path to = folder.resolve(aside.getFileName() + part);
            if (Files.exists(from) && !Files.exists(to)) {
                Files.move(from, to);
                isMoved = true;
            }
        }
        return isMoved;
    }

    private Path path(int number) {
        return folder.resolve("ledger." + why + "-" + number + ".sqlite");
    }
}
