package io.counters.collector.ledger;

import io.counters.collector.common.DiskFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Copies of a ledger's file: made while a collector uses it, checked, and put in the place of a ledger that is lost.
 *
 * <p>A ledger that begins again at an earlier commit is exact for senders with totals, because its watermarks are as old as
 * its values: the next totals bring what came after it. Two things outside the file are newer than it. The store has
 * later values, of keys, too, that this ledger has not claimed; if it adopted these, the totals would count them a second
 * time. So a copy adopts nothing. The stamp in the store cannot be relied on for that, because the store may be away when
 * the ledger begins, and have it only later, or may have lost it. And points were published for later seconds, which the
 * clock is past.
 *
 * <p>A copy keeps the ledger's ID, because it is that ledger: by the ID its stamp in the store is known, and a fleet
 * refuses to import it a second time.
 */
public final class LedgerBackup {
    /** The name of the file, in a data folder as in a backup. */
    public static final String NAME = LedgerFile.NAME;

    /** What to do if the file is damaged and a collector uses it. */
    private static final String RUNNING =
            "; a collector that runs still has the right values in its memory: do not restart"
                    + " it, save them first (curl http://127.0.0.1:11213/api/counters), and then restore an earlier backup";

    private LedgerBackup() {}

    /**
     * Copies the ledger of a data folder, which a collector may be using.
     *
     * @param to the copy's path
     * @return what the copy contains
     * @throws IOException if there is no copy, with the reason and the remedy
     */
    public static LedgerContent write(Path folder, Path to) throws IOException {
        if (!LedgerFile.isIn(folder)) {
            throw new IOException("there is no ledger in " + folder + ": " + NAME
                    + " is missing; give the collector's --data-dir or --config");
        }
        try {
            LedgerFile.unpackLibrary();
            return OnlineCopy.write(folder.resolve(NAME), to, 0, LedgerBackup::readable, LedgerBackup::finish);
        } catch (SQLException cannot) {
            throw new IOException(
                    "the ledger in " + folder + " cannot be copied to " + to + ": " + cannot.getMessage()
                            + (LedgerTables.isDamage(cannot.getErrorCode()) ? RUNNING : ""),
                    cannot);
        }
    }

    /** What is in it, if this version knows its format. */
    private static LedgerContent readable(Statement statement) throws SQLException {
        LedgerTables.requireKnown(LedgerTables.format(statement));
        return LedgerContent.of(statement);
    }

    private static void finish(Statement copy) throws SQLException {
        if (LedgerTables.format(copy) == LedgerTables.FORMAT) {
            // Adds tables that an earlier version with this format did not have.
            LedgerTables.create(copy);
            requireWhole(copy);
        }
        adoptNothing(copy);
    }

    private static void requireWhole(Statement copy) throws SQLException {
        String damage = LedgerReader.damage(copy);
        if (damage != null) {
            throw LedgerTables.damaged("it is damaged: " + damage);
        }
    }

    static void adoptNothing(Statement copy) throws SQLException {
        LedgerMeta.put(copy, "adopts", 0);
    }

    /**
     * Reads all of a copy, and returns what it contains. Creates nothing.
     *
     * @param folder in which it is
     * @throws IOException if it is not there, is damaged, or has a format that this version does not know
     */
    public static LedgerContent check(Path folder) throws IOException {
        if (!LedgerFile.isIn(folder)) {
            throw new IOException(folder + " is not a backup: " + NAME + " is missing in it");
        }
        LedgerFile.unpackLibrary();
        try (Connection connection = LedgerInspection.reading(folder.resolve(NAME));
                Statement statement = connection.createStatement()) {
            String found = LedgerTables.text(statement, "PRAGMA integrity_check(1)");
            if (!"ok".equals(found)) {
                throw new SQLException("it is damaged: " + found);
            }
            LedgerContent content = readable(statement);
            if (content.format() == LedgerTables.FORMAT) {
                requireWhole(statement);
            }
            return content;
        } catch (SQLException cannot) {
            throw new IOException("the backup in " + folder + " cannot be used: " + cannot.getMessage(), cannot);
        }
    }

    /**
     * Puts a checked copy in the place of a folder's ledger, which is set aside. From its first file on until it is complete,
     * no collector starts there. If it is interrupted, it can be run again.
     *
     * @param from the folder of the copy
     * @param lock of the data folder
     * @param sum the copy's SHA-256
     * @param others restores what else belongs to the folder, once the ledger's copy is on disk; throws nothing that prevents it
     * @return the path of the ledger that was there; null if there was none
     */
    public static @Nullable Path restore(Path from, FolderLock lock, String sum, Runnable others) throws IOException {
        Path folder = lock.folder();
        Path restoring = folder.resolve(LedgerFile.RESTORING);
        AsideFiles replaced = new AsideFiles(folder.resolve(NAME), "replaced");
        try {
            if (!Files.exists(restoring)) {
                // Without a restore that was interrupted, a log without a ledger belongs to none of those set aside.
                replaced.moveOrphans();
            }
            copy(from.resolve(NAME), folder, restoring, sum);
            others.run();
            Path aside = replaced.finish();
            if (LedgerFile.isIn(folder)) {
                aside = replaced.move();
            }
            replaced.moveOrphans();
            OnlineCopy.sync(folder);
            Files.move(restoring, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
            OnlineCopy.sync(folder);
            return aside;
        } catch (IOException cannot) {
            throw new IOException(
                    "the backup " + from + " could not be restored to " + folder + ": " + DiskFault.text(cannot)
                            + "; run the command again",
                    cannot);
        }
    }

    /** If it cannot be copied, the ledger that is there can be used again; if there is none, none may begin. */
    private static void copy(Path from, Path folder, Path restoring, String sum) throws IOException {
        Path unfinished = folder.resolve(LedgerFile.RESTORING + ".part");
        boolean isCopied = false;
        try {
            if (!Files.exists(restoring)) {
                Files.createFile(restoring);
                OnlineCopy.sync(folder);
            }
            RestoredFile.requireRoom(from, folder);
            RestoredFile.copy(from, unfinished, sum);
            Files.move(unfinished, restoring, StandardCopyOption.ATOMIC_MOVE);
            OnlineCopy.sync(folder);
            isCopied = true;
        } finally {
            Files.deleteIfExists(unfinished);
            if (!isCopied && LedgerFile.isIn(folder)) {
                Files.deleteIfExists(restoring);
            }
        }
    }
}
