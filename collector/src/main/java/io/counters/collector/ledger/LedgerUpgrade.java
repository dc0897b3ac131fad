package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A ledger that was converted from an older format. It is copied first; then one transaction converts it, so whenever the
 * process ends, the file has one format or the other. A copy adopts nothing, like a backup. If the conversion fails, the next start
 * uses the copy that is there.
 *
 * @param from its format before
 * @param copy the ledger as it was
 */
record LedgerUpgrade(long from, Path copy) {
    private static final String DELETE =
            "Delete this copy once you are sure that you will not go back to the earlier version";

    /**
     * Copies a ledger that has an older format.
     *
     * @param control of a connection to this file, without a transaction
     * @param progress gets a message before the ledger is copied and converted, which may take minutes
     * @return null if there is nothing to convert
     * @throws IOException if there is not enough room on the disk; with the numbers
     */
    static @Nullable LedgerUpgrade prepare(Path file, Statement control, Consumer<String> progress)
            throws SQLException, IOException {
        long format = LedgerTables.format(control);
        LedgerTables.requireKnown(format);
        if (format == LedgerTables.FORMAT) {
            return null;
        }
        Path copy = copy(file, format);
        try {
            if (LedgerTables.isShared(control)) {
                throw new IOException(LedgerFile.SHARED);
            }
            LedgerContent content = LedgerContent.of(control);
            progress.accept("the ledger has format " + format + ", and is copied and converted to format "
                    + LedgerTables.FORMAT + ", which may take minutes if it is large; counters: " + content.counters()
                    + ", watermarks: " + content.watermarks());
            copy(file, control, content, copy);
        } catch (SQLException failure) {
            throw unreadable(failure);
        }
        return new LedgerUpgrade(format, copy);
    }

    /** What to throw for a failure before the conversion: an earlier version may have had other tables, which is no damage. */
    static SQLException unreadable(SQLException failure) {
        return LedgerTables.isOfSchema(failure)
                ? new SQLException("it cannot be read for the conversion: " + failure.getMessage(), failure)
                : failure;
    }

    private static Path copy(Path file, long format) {
        return file.resolveSibling("ledger.format-" + format + ".sqlite");
    }

    private static void copy(Path file, Statement control, LedgerContent content, Path copy)
            throws SQLException, IOException {
        // For the conversion, which makes the ledger larger: its log may have every page.
        long roomBytes = 2 * OnlineCopy.bytes(control);
        try {
            if (isCopyOf(control, content, copy)) {
                // An earlier start made it, and could not convert the ledger.
                OnlineCopy.requireRoom(copy, 0, roomBytes);
            } else {
                OnlineCopy.write(file, copy, roomBytes, LedgerContent::of, LedgerBackup::adoptNothing);
            }
        } catch (IOException cannot) {
            throw new IOException(
                    "it has format " + content.format() + ", and is copied before it is converted to format "
                            + LedgerTables.FORMAT + ": " + cannot.getMessage(),
                    cannot);
        }
    }

    private static boolean isCopyOf(Statement ledger, LedgerContent content, Path copy)
            throws SQLException, IOException {
        if (!Files.exists(copy)) {
            return false;
        }
        try (Connection connection = LedgerInspection.reading(copy);
                Statement statement = connection.createStatement()) {
            return "ok".equals(LedgerTables.text(statement, "PRAGMA integrity_check(1)"))
                    && LedgerContent.of(statement).equals(content)
                    && identity(statement).equals(identity(ledger));
        } catch (SQLException unreadable) {
            return false;
        }
    }

    /** What no two commits of any ledgers have in common. */
    private static Map<String, Long> identity(Statement statement) throws SQLException {
        Map<String, Long> meta = new HashMap<>(LedgerMeta.read(statement));
        meta.remove("adopts");
        return meta;
    }

    /** What to log if the copy of an earlier conversion is still there; null if there is none. */
    static @Nullable String kept(Path file) {
        for (long format = LedgerTables.FORMAT - 1; format >= LedgerTables.OLDEST; format--) {
            Path copy = copy(file, format);
            if (Files.exists(copy)) {
                return "the copy of the ledger from before it was converted to format " + LedgerTables.FORMAT
                        + " is still there: " + copy + ". " + DELETE;
            }
        }
        return null;
    }

    /** For the log. */
    @Override
    public String toString() {
        return "the ledger was converted from format " + from + " to format " + LedgerTables.FORMAT
                + "; as it was before, it is kept as " + copy + ". " + DELETE;
    }
}
