package io.counters.collector.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.DiskFault;
import io.counters.collector.history.HistoryBackup;
import io.counters.collector.ledger.FolderLock;
import io.counters.collector.ledger.LedgerBackup;
import io.counters.collector.ledger.LedgerContent;
import io.counters.collector.ledger.OnlineCopy;
import io.counters.collector.ledger.RestoredFile;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A backup: a folder with the files {@code ledger.sqlite}, {@code history.db} if there was a history, and {@code SHA256SUMS}, which
 * {@code sha256sum -c} reads, too. It has its name only when all of it is written, checked and synced.
 */
final class BackupFolder {
    private static final String SUMS = "SHA256SUMS";
    private static final Pattern SUM = Pattern.compile("([0-9a-f]{64})  (\\S+)");
    private static final String UNFINISHED = ".part-";

    private final Path folder;

    BackupFolder(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /**
     * A backup that was written.
     *
     * @param bytes of its files
     * @param hasHistory whether it has a history
     * @param problem why it lacks the history that there is; null if it lacks none
     */
    record Written(
            LedgerContent ledger,
            long bytes,
            boolean hasHistory,
            @Nullable String problem) {}

    /**
     * A data folder that was restored.
     *
     * @param history what became of the history, for a person
     * @param problem why the backup's history is not there; null if it is, or need not be
     * @param aside the ledger that was there before; null if there was none
     */
    record Restored(
            LedgerContent ledger,
            String history,
            @Nullable String problem,
            @Nullable Path aside) {}

    /**
     * Writes the backup of a data folder, which a collector may be using. If only the history cannot be copied, the backup has
     * the ledger.
     *
     * @throws IOException if there is no backup, with the reason; then nothing of it is left, unless the process was killed
     */
    Written write(Path data) throws IOException {
        if (Files.exists(folder)) {
            throw new IOException(folder + " exists already; a backup is a new folder, such as one with the date");
        }
        Path unfinished = null;
        Written written;
        try {
            unfinished = unfinished();
            written = write(data, unfinished);
            Files.move(unfinished, folder);
            unfinished = null;
        } catch (FileSystemException cannot) {
            throw new IOException("the backup " + folder + " cannot be written: " + DiskFault.text(cannot), cannot);
        } catch (IOException cannot) {
            throw new IOException("there is no backup " + folder + ": " + DiskFault.text(cannot), cannot);
        } finally {
            if (unfinished != null) {
                delete(unfinished);
            }
        }
        try {
            OnlineCopy.sync(Objects.requireNonNull(folder.getParent()));
        } catch (IOException cannot) {
            throw new IOException(
                    "the backup " + folder + " is complete, but its name may not be on disk: " + DiskFault.text(cannot),
                    cannot);
        }
        return written;
    }

    private static Written write(Path data, Path unfinished) throws IOException {
        LedgerContent ledger = LedgerBackup.write(data, unfinished.resolve(LedgerBackup.NAME));
        boolean hasHistory = false;
        String problem = null;
        try {
            hasHistory = HistoryBackup.write(data, unfinished.resolve(HistoryBackup.NAME));
        } catch (IOException cannot) {
            problem = DiskFault.text(cannot);
        }
        List<String> sums = new ArrayList<>();
        long bytes = 0;
        for (String name : hasHistory ? List.of(LedgerBackup.NAME, HistoryBackup.NAME) : List.of(LedgerBackup.NAME)) {
            Path file = unfinished.resolve(name);
            sums.add(RestoredFile.sum(file) + "  " + name);
            bytes += Files.size(file);
        }
        OnlineCopy.sync(Files.write(unfinished.resolve(SUMS), sums, UTF_8));
        OnlineCopy.sync(unfinished);
        return new Written(ledger, bytes, hasHistory, problem);
    }

    /** Creates a folder that no other run uses, that nobody has put something into, and that only its owner can read. */
    private Path unfinished() throws IOException {
        FileAttribute<?>[] ofOwner =
                folder.getFileSystem().supportedFileAttributeViews().contains("posix")
                        ? new FileAttribute<?>[] {
                            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
                        }
                        : new FileAttribute<?>[0];
        Files.createDirectories(Objects.requireNonNull(folder.getParent()));
        for (int number = 1; ; number++) {
            try {
                return Files.createDirectory(
                        folder.resolveSibling(folder.getFileName() + UNFINISHED + number), ofOwner);
            } catch (FileAlreadyExistsException ofAnother) {
                // It runs, or was killed; the next number.
            }
        }
    }

    /** Deletes what this run wrote, which contains nothing but files. */
    private static void delete(Path unfinished) throws IOException {
        try (Stream<Path> files = Files.list(unfinished)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.delete(file);
            }
        }
        Files.delete(unfinished);
    }

    /**
     * Puts the backup into a data folder that no collector uses. A ledger that is there is set aside; a history that is there
     * stays if it has what this one has. If only the history cannot be restored, the ledger is.
     *
     * @throws IOException if it is damaged, or cannot be restored, with the reason and the remedy
     */
    Restored restore(Path data) throws IOException {
        Map<String, String> sums = check();
        LedgerContent ledger = LedgerBackup.check(folder);
        try (FolderLock lock = new FolderLock(data)) {
            HistoryPart history = new HistoryPart(data, sums.get(HistoryBackup.NAME));
            Path aside = LedgerBackup.restore(folder, lock, sum(sums, LedgerBackup.NAME), history);
            return new Restored(ledger, history.done, history.problem, aside);
        }
    }

    /** Restores the history, whose faults do not prevent the ledger's restore. */
    private final class HistoryPart implements Runnable {
        private final Path data;
        private final @Nullable String sum;
        private String done = "; the backup has no history";
        private @Nullable String problem;

        HistoryPart(Path data, @Nullable String sum) {
            this.data = data;
            this.sum = sum;
        }

        @Override
        public void run() {
            if (sum != null) {
                try {
                    done = HistoryBackup.restore(folder, data, sum);
                } catch (IOException cannot) {
                    done = "; without its history";
                    problem = DiskFault.text(cannot);
                }
            }
        }
    }

    /** Compares the files with their sums, and returns these by the names of the files. */
    private Map<String, String> check() throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a backup: there is no such folder");
        }
        Path listed = folder.resolve(SUMS);
        if (!Files.exists(listed)) {
            throw new IOException(folder + " is not a backup: " + SUMS + " is missing in it, which the command backup"
                    + " writes last; give another backup");
        }
        Map<String, String> sums = new HashMap<>();
        for (String line : Files.readAllLines(listed, UTF_8)) {
            Matcher sum = SUM.matcher(line);
            if (!sum.matches() || !Files.exists(folder.resolve(sum.group(2)))) {
                throw incomplete("has the line \"" + line + "\"");
            }
            if (!RestoredFile.sum(folder.resolve(sum.group(2))).equals(sum.group(1))) {
                throw new IOException("the backup " + folder + " is damaged: " + sum.group(2)
                        + " is not what was written; give another backup");
            }
            sums.put(sum.group(2), sum.group(1));
        }
        sum(sums, LedgerBackup.NAME);
        if (Files.exists(folder.resolve(HistoryBackup.NAME))) {
            sum(sums, HistoryBackup.NAME);
        }
        return sums;
    }

    private String sum(Map<String, String> sums, String name) throws IOException {
        String sum = sums.get(name);
        if (sum == null) {
            throw incomplete("has no line for " + name);
        }
        return sum;
    }

    private IOException incomplete(String why) {
        return new IOException(
                "the backup " + folder + " is not complete: " + SUMS + " " + why + "; give another backup");
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
