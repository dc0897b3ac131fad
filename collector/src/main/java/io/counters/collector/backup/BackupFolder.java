package io.counters.collector.backup;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.DiskFault;
import io.counters.collector.history.HistoryBackup;
import io.counters.collector.ledger.FolderLock;
import io.counters.collector.ledger.LedgerBackup;
import io.counters.collector.ledger.LedgerContent;
import io.counters.collector.ledger.OnlineCopy;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.UserPrincipal;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
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
    private static final String UNFINISHED = ".part";

    private final Path folder;

    BackupFolder(Path folder) {
        this.folder = folder.toAbsolutePath().normalize();
    }

    /**
     * What a backup, or a restored data folder, has.
     *
     * @param bytes of its files
     * @param hasHistory whether it has a history
     * @param aside the ledger that was there before; null if there was none
     */
    record Written(
            LedgerContent ledger,
            long bytes,
            boolean hasHistory,
            @Nullable Path aside) {}

    /**
     * Writes the backup of a data folder, which a collector may be using.
     *
     * @throws IOException if there is no backup, with the reason; then nothing of it is left, unless the process was killed
     */
    Written write(Path data) throws IOException {
        if (Files.exists(folder)) {
            throw new IOException(folder + " exists already; a backup is a new folder, such as one with the date");
        }
        Path unfinished = folder.resolveSibling(folder.getFileName() + UNFINISHED);
        boolean isComplete = false;
        try {
            delete(unfinished);
            Files.createDirectories(unfinished);
            LedgerContent ledger = LedgerBackup.write(data, unfinished.resolve(LedgerBackup.NAME));
            boolean hasHistory = HistoryBackup.write(data, unfinished.resolve(HistoryBackup.NAME));
            List<String> sums = new ArrayList<>();
            long bytes = 0;
            for (String name : names(hasHistory)) {
                Path file = unfinished.resolve(name);
                sums.add(sum(file) + "  " + name);
                bytes += Files.size(file);
            }
            Path listed = Files.write(unfinished.resolve(SUMS), sums, UTF_8);
            OnlineCopy.sync(listed);
            OnlineCopy.sync(unfinished);
            Files.move(unfinished, folder);
            isComplete = true;
            OnlineCopy.sync(Objects.requireNonNull(folder.getParent()));
            return new Written(ledger, bytes, hasHistory, null);
        } catch (FileSystemException cannot) {
            throw new IOException("the backup " + folder + " cannot be written: " + DiskFault.text(cannot), cannot);
        } finally {
            if (!isComplete) {
                delete(unfinished);
            }
        }
    }

    private static List<String> names(boolean hasHistory) {
        return hasHistory ? List.of(LedgerBackup.NAME, HistoryBackup.NAME) : List.of(LedgerBackup.NAME);
    }

    /** Deletes what an earlier run left, which contains nothing but files. */
    private static void delete(Path unfinished) throws IOException {
        if (Files.isDirectory(unfinished)) {
            try (Stream<Path> files = Files.list(unfinished)) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.delete(file);
                }
            }
            Files.delete(unfinished);
        }
    }

    /**
     * Puts the backup into a data folder that no collector uses. A ledger that is there is set aside; a history that is there
     * stays, because it has everything that this one has.
     *
     * @throws IOException if it is damaged, or cannot be restored, with the reason and the remedy
     */
    Written restore(Path data) throws IOException {
        check();
        LedgerContent ledger = LedgerBackup.check(folder);
        try (FolderLock lock = new FolderLock(data)) {
            Path history = data.resolve(HistoryBackup.NAME);
            boolean takesHistory = Files.exists(folder.resolve(HistoryBackup.NAME)) && !Files.exists(history);
            if (takesHistory) {
                Path unfinished = data.resolve(HistoryBackup.NAME + UNFINISHED);
                Files.copy(folder.resolve(HistoryBackup.NAME), unfinished, StandardCopyOption.REPLACE_EXISTING);
                OnlineCopy.sync(unfinished);
                Files.move(unfinished, history, StandardCopyOption.ATOMIC_MOVE);
            }
            Path aside = LedgerBackup.restore(folder, lock);
            giveToOwner(data);
            return new Written(ledger, Files.size(folder.resolve(LedgerBackup.NAME)), takesHistory, aside);
        }
    }

    /** Lets the collector's user use what root has restored: the folder's owner owns the files. */
    private static void giveToOwner(Path data) throws IOException {
        UserPrincipal owner = Files.getOwner(data);
        try (Stream<Path> files = Files.list(data)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (!Files.getOwner(file).equals(owner)) {
                    Files.setOwner(file, owner);
                }
            }
        }
    }

    /** Compares the files with their sums. */
    private void check() throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is not a backup: there is no such folder");
        }
        Path sums = folder.resolve(SUMS);
        if (!Files.exists(sums)) {
            throw new IOException(folder + " is not a backup: " + SUMS + " is missing in it, which the command backup"
                    + " writes last; give another backup");
        }
        for (String line : Files.readAllLines(sums, UTF_8)) {
            Matcher sum = SUM.matcher(line);
            if (!sum.matches() || !Files.exists(folder.resolve(sum.group(2)))) {
                throw new IOException("the backup " + folder + " is not complete: " + SUMS + " has the line \"" + line
                        + "\"; give another backup");
            }
            if (!sum(folder.resolve(sum.group(2))).equals(sum.group(1))) {
                throw new IOException("the backup " + folder + " is damaged: " + sum.group(2)
                        + " is not what was written; give another backup");
            }
        }
    }

    private static String sum(Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                in.transferTo(OutputStream.nullOutputStream());
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException everyJdkHasIt) {
            throw new IllegalStateException(everyJdkHasIt);
        }
    }

    @Override
    public String toString() {
        return folder.toString();
    }
}
