package io.counters.collector.ledger;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.Map;

/**
 * What a ledger's database contains, in a few numbers, by which a copy is compared with its source.
 *
 * @param format of the tables
 * @param commit the number of the last commit; 0 if nothing was ever counted
 * @param committedMillis the ledger's time of that commit, in milliseconds of Unix time
 * @param counters how many, also those that were removed
 * @param sum of all values
 * @param streams senders with totals
 * @param watermarks of all streams
 */
public record LedgerContent(
        long format, long commit, long committedMillis, long counters, BigInteger sum, long streams, long watermarks) {
    static LedgerContent of(Statement statement) throws SQLException {
        Map<String, Long> meta = LedgerMeta.read(statement);
        return new LedgerContent(
                meta.getOrDefault("format", 0L),
                meta.getOrDefault("commit", 0L),
                meta.getOrDefault("clock", 0L),
                number(statement, "SELECT count(*) FROM counter"),
                sum(statement),
                number(statement, "SELECT count(*) FROM stream"),
                number(statement, "SELECT count(*) FROM watermark"));
    }

    private static BigInteger sum(Statement statement) throws SQLException {
        BigInteger sum = BigInteger.ZERO;
        try (ResultSet block = statement.executeQuery("SELECT numbers, id FROM block")) {
            while (block.next()) {
                byte[] numbers = block.getBytes(1);
                if (numbers == null) {
                    throw LedgerTables.damaged("values of block " + block.getInt(2) + " are missing");
                }
                LongBuffer values = ByteBuffer.wrap(numbers).asLongBuffer();
                while (values.hasRemaining()) {
                    sum = sum.add(BigInteger.valueOf(values.get()));
                }
            }
        }
        return sum;
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() ? row.getLong(1) : 0;
        }
    }

    /** For a person. */
    @Override
    public String toString() {
        return "counters: " + counters + ", sum of their values: " + sum + ", senders with totals: " + streams
                + ", watermarks: " + watermarks + ", last commit: "
                + (commit == 0 ? "none" : "number " + commit + " at " + Instant.ofEpochMilli(committedMillis))
                + ", format: " + format;
    }
}
