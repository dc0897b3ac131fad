package io.counters.collector.ledger;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.sqlite.Function;
import org.sqlite.core.Codes;

/** Converts the tables of older formats to the present one. */
final class LedgerConversion {
    /**
     * Format 2 stored the times of streams and the watch by the wall clock, and only the last second that points were
     * published for; all seconds before it count as used. If the clock was wrong then, that second may be far ahead: in
     * this case only it and the seconds up to now count as used.
     */
    private static final List<String> FROM_2 = List.of(
            "UPDATE meta SET number = (SELECT number FROM meta WHERE key = 'listened')"
                    + " - ((SELECT number FROM meta WHERE key = 'clock') - number)"
                    + " WHERE key = 'watch' AND number <> " + Changes.Head.FOR_EVER,
            "INSERT INTO published SELECT 0, min(number, strftime('%s', 'now') + 0), 1, 0 FROM meta"
                    + " WHERE key = 'published' AND number > 0",
            "INSERT INTO published SELECT number, number, 1, 0 FROM meta"
                    + " WHERE key = 'published' AND number > strftime('%s', 'now') + 0",
            "DELETE FROM meta WHERE key = 'published'");

    /** Rows of format 3 that no version ever used: of streams that were forgotten. Since format 4 they would be damage. */
    private static final List<String> FROM_3 = List.of(
            "DELETE FROM watermark WHERE stream NOT IN (SELECT id FROM stream)",
            "DELETE FROM uncounted WHERE NOT EXISTS (SELECT 1 FROM watermark"
                    + " WHERE watermark.stream = uncounted.stream AND watermark.counter = uncounted.counter)");

    /** Another table, because an index of the senders and columns that are no longer used cannot be left out of that one. */
    private static final List<String> STREAMS = List.of(
            "ALTER TABLE stream RENAME TO stream_before",
            LedgerTables.STREAMS,
            "INSERT INTO stream SELECT id, sender, whole, quarantined, heard_listening, seq_before, seq_highest, received,"
                    + " repeated, seq_window, healed,"
                    + " (SELECT count(*) FROM watermark WHERE watermark.stream = before.id),"
                    + " (SELECT count(*) FROM uncounted WHERE uncounted.stream = before.id AND amount <> 0), 0"
                    + " FROM stream_before AS before ORDER BY id",
            "DROP TABLE stream_before");

    /** How many streams have a sender that another one has: an index of the senders, which formats 2 and 3 had, forbade it. */
    private static final String REPEATED = "SELECT count(*) - count(DISTINCT sender) FROM stream";

    private LedgerConversion() {}

    /**
     * Converts them, and checks the result. The caller has begun a transaction in which it has created the tables that were
     * missing.
     *
     * @param format that of the tables, which this version must know
     * @throws SQLException if the ledger was damaged before, or if it cannot be converted; nothing may be committed then
     */
    static void run(Statement control, long format) throws SQLException {
        requireSound(control);
        String found;
        try {
            convert(control, format);
            LedgerMeta.put(control, LedgerMeta.FORMAT, LedgerTables.FORMAT);
            found = LedgerReader.damage(control);
            if (found == null && !"0".equals(LedgerTables.text(control, REPEATED))) {
                found = "table stream has a stream twice";
            }
        } catch (SQLException failure) {
            if (!LedgerTables.isDamage(failure.getErrorCode()) && !LedgerTables.isOfSchema(failure)) {
                throw failure;
            }
            found = String.valueOf(failure.getMessage());
        }
        if (found != null) {
            throw new SQLException(
                    "it could not be converted from format " + format + " to format " + LedgerTables.FORMAT + ": "
                            + found + "; the ledger is unchanged; start the earlier version, and report this");
        }
    }

    private static void requireSound(Statement control) throws SQLException {
        String found;
        try {
            found = LedgerTables.damage(control);
        } catch (SQLException failure) {
            throw LedgerUpgrade.unreadable(failure);
        }
        if (found != null) {
            throw LedgerTables.damaged(found);
        }
    }

    private static void convert(Statement control, long format) throws SQLException {
        if (format == LedgerTables.OLDEST) {
            run(control, FROM_2);
        }
        run(control, FROM_3);
        run(control, STREAMS);
        Function.create(control.getConnection(), "row_check", new CheckFunction());
        for (CheckedTable table : CheckedTable.values()) {
            addCheck(control, table);
            control.execute("UPDATE " + table + " SET crc = row_check(" + table.number + ", " + table.columns + ")");
        }
        for (CheckedTable table : LedgerTables.COUNTED) {
            control.execute("INSERT OR REPLACE INTO meta SELECT '" + table.rows() + "', count(*) FROM " + table);
        }
    }

    private static void run(Statement control, List<String> steps) throws SQLException {
        for (String step : steps) {
            control.execute(step);
        }
    }

    /** A table that was missing has all columns. */
    private static void addCheck(Statement control, CheckedTable table) throws SQLException {
        if (!LedgerTables.hasColumn(control, table.toString(), "crc")) {
            control.execute("ALTER TABLE " + table + " ADD COLUMN crc INTEGER NOT NULL DEFAULT 0");
        }
    }

    /** {@link RowCheck} in SQL: of the number of a table and the columns of a row. */
    private static final class CheckFunction extends Function {
        private final RowCheck check = new RowCheck();

        @Override
        protected void xFunc() throws SQLException {
            RowCheck row = check.of(value_int(0));
            for (int i = 1; i < args(); i++) {
                int type = value_type(i);
                if (type == Codes.SQLITE_INTEGER) {
                    row.add(value_long(i));
                } else if (type == Codes.SQLITE_TEXT) {
                    row.add(value_text(i));
                } else {
                    row.add(value_blob(i));
                }
            }
            result(row.value());
        }
    }
}
