package io.counters.collector.ledger;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The table {@code meta}: what a ledger's file says about itself, as numbers by their names. Since format 4, one of the numbers is the
 * check of all others, so that a row that is missing is noticed like one that differs.
 */
final class LedgerMeta {
    static final String FORMAT = "format";
    static final String CHECK = "check";

    private LedgerMeta() {}

    /**
     * Reads all rows.
     *
     * @throws SQLException if they do not match their check, as {@link LedgerTables#damaged}
     */
    static SortedMap<String, Long> read(Statement statement) throws SQLException {
        SortedMap<String, Long> meta = new TreeMap<>();
        try (ResultSet row = statement.executeQuery("SELECT key, number FROM meta")) {
            while (row.next()) {
                String key = row.getString(1);
                if (key == null) {
                    throw LedgerTables.damaged("a row of table meta has no key");
                }
                meta.put(key, row.getLong(2));
            }
        }
        Long format = meta.get(FORMAT);
        Long check = meta.get(CHECK);
        boolean isNewer = format != null && format > LedgerTables.FORMAT && !isPresent(meta);
        // If one of the two is there, the other one must be, too.
        boolean isOlder = check == null && (format == null || format < LedgerTables.FORMAT);
        if (!isNewer && !isOlder && (check == null || check != check(meta))) {
            throw LedgerTables.damaged("the rows of table meta do not match their check");
        }
        return meta;
    }

    /** Whether the rows match their check with the present format, so that only the format is not what was written. */
    private static boolean isPresent(SortedMap<String, Long> meta) {
        SortedMap<String, Long> present = new TreeMap<>(meta);
        present.put(FORMAT, (long) LedgerTables.FORMAT);
        return Objects.equals(meta.get(CHECK), check(present));
    }

    /** What the check of these rows must be. */
    static long check(SortedMap<String, Long> meta) {
        SortedMap<String, Long> others = new TreeMap<>(meta);
        others.remove(CHECK);
        return new RowCheck().meta(others);
    }

    /** Sets a number. */
    static void put(Statement statement, String key, long number) throws SQLException {
        SortedMap<String, Long> meta = read(statement);
        meta.put(key, number);
        write(statement, key, number);
        if (meta.getOrDefault(FORMAT, 0L) == LedgerTables.FORMAT) {
            write(statement, CHECK, check(meta));
        }
    }

    private static void write(Statement statement, String key, long number) throws SQLException {
        statement.execute("INSERT OR REPLACE INTO meta VALUES ('" + key + "', " + number + ")");
    }
}
