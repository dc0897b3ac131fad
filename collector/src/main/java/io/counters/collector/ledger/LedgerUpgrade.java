package io.counters.collector.ledger;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
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
    /**
     * Copies a ledger that has an older format.
     *
     * @param control of a connection to this file, without a transaction
     * @return null if there is nothing to convert
     * @throws IOException if there is not enough room on the disk; with the numbers
     */
    static @Nullable LedgerUpgrade prepare(Path file, Statement control) throws SQLException, IOException {
        long format = LedgerTables.format(control);
        LedgerTables.requireKnown(format);
        if (format == LedgerTables.FORMAT) {
            return null;
        }
        if (LedgerTables.isShared(control)) {
            throw new IOException(LedgerFile.SHARED);
        }
        Path copy = file.resolveSibling("ledger.format-" + format + ".sqlite");
        if (isCopyOf(control, copy)) {
            // An earlier start made it, and could not convert the ledger.
            return new LedgerUpgrade(format, copy);
        }
        try {
            // Twice as much for the conversion, which makes the ledger larger: its log may have every page.
            OnlineCopy.write(file, copy, 2 * Files.size(file), LedgerContent::of, LedgerBackup::adoptNothing);
        } catch (IOException cannot) {
            throw new IOException(
                    "it has format " + format + ", and is copied before it is converted to format "
                            + LedgerTables.FORMAT + ": " + cannot.getMessage(),
                    cannot);
        }
        return new LedgerUpgrade(format, copy);
    }

    private static boolean isCopyOf(Statement ledger, Path copy) throws SQLException, IOException {
        if (!Files.exists(copy)) {
            return false;
        }
        try (Connection connection = LedgerInspection.reading(copy);
                Statement statement = connection.createStatement()) {
            return LedgerContent.of(statement).equals(LedgerContent.of(ledger))
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

    /** For the log. */
    @Override
    public String toString() {
        return "the ledger was converted from format " + from + " to format " + LedgerTables.FORMAT
                + "; as it was before, it is kept as " + copy
                + ". Delete this copy once you are sure that you will not go back to the earlier version";
    }
}
