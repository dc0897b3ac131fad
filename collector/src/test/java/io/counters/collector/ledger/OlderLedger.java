package io.counters.collector.ledger;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;

/** Turns ledgers of this version into those of an earlier one. */
final class OlderLedger {
    private OlderLedger() {}

    /** Takes away what format 4 added: the checks of the rows and the numbers of rows. */
    static void toFormat3(Path folder) throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("ledger.sqlite"));
                Statement statement = connection.createStatement()) {
            for (CheckedTable table : CheckedTable.values()) {
                statement.execute("ALTER TABLE " + table + " DROP COLUMN crc");
            }
            statement.execute("ALTER TABLE stream DROP COLUMN watermarks");
            statement.execute("ALTER TABLE stream DROP COLUMN uncounted");
            statement.execute("DELETE FROM meta WHERE key = 'check' OR key LIKE 'rows.%'");
            statement.execute("UPDATE meta SET number = 3 WHERE key = 'format'");
        }
    }
}
