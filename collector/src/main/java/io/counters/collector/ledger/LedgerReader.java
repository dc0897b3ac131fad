package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Uncounted;
import io.counters.collector.ledger.Changes.Watermarks;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ledger's tables, and compares each row with its check. Damage that this finds is thrown, as {@link
 * LedgerTables#damaged}, before anything of the row is used; what was read until then must be forgotten.
 */
final class LedgerReader {
    private static final LongBuffer NO_NUMBERS = LongBuffer.allocate(Values.BLOCK);
    private static final IntBuffer NO_SECONDS = IntBuffer.allocate(Values.BLOCK);

    private final Connection connection;

    /** Null if the rows are only compared. */
    private final @Nullable LedgerState state;

    private final RowCheck check = new RowCheck();

    /** How many rows were read, by the numbers of their tables. */
    private final long[] rows = new long[CheckedTable.values().length + 1];

    private LedgerReader(Connection connection, @Nullable LedgerState state) {
        this.connection = connection;
        this.state = state;
    }

    /**
     * Fills the state of a new ledger with everything that was committed, unless a row is damaged.
     *
     * @param state null to only compare the rows with their checks
     * @return the damage
     */
    static @Nullable String load(Connection connection, @Nullable LedgerState state) throws SQLException {
        try {
            new LedgerReader(connection, state).read();
            return null;
        } catch (SQLException failure) {
            try (Statement control = connection.createStatement()) {
                return LedgerTables.damage(LedgerTables.meaning(failure, control));
            }
        } catch (IllegalStateException | IllegalArgumentException contradiction) {
            return String.valueOf(contradiction.getMessage());
        }
    }

    /** See {@link LedgerTables#damage}; also compares all rows with their checks. For ledgers of the present format. */
    static @Nullable String damage(Statement statement) throws SQLException {
        try {
            String found = LedgerTables.damage(statement);
            return found != null ? found : load(statement.getConnection(), null);
        } catch (SQLException failure) {
            return LedgerTables.damage(LedgerTables.meaning(failure, statement));
        }
    }

    private void read() throws SQLException {
        try (Statement statement = connection.createStatement()) {
            Map<String, Long> meta = LedgerMeta.read(statement);
            List<UsedSeconds.Run> published = published(statement);
            if (state != null) {
                state.set(head(meta));
                state.set(published);
            }
            readCounters(statement);
            readStreams(statement);
            for (CheckedTable table : LedgerTables.COUNTED) {
                requireRows(table, meta.getOrDefault(table.rows(), 0L));
            }
            for (CheckedTable table : List.of(CheckedTable.WATERMARK, CheckedTable.UNCOUNTED)) {
                requireRows(table, count(statement, table));
            }
        }
    }

    private static Head head(Map<String, Long> meta) {
        Head first = Head.first(0);
        return new Head(
                meta.getOrDefault("id", first.id()),
                meta.getOrDefault("commit", first.commit()),
                meta.getOrDefault("clock", first.clockMillis()),
                meta.getOrDefault("listened", first.listenedMillis()),
                meta.getOrDefault("watch", first.watchMillis()),
                meta.getOrDefault("adopts", 1L) != 0);
    }

    /**
     * Compares a row with its check, and counts it.
     *
     * @param computed what the check of its columns is
     * @param written the check that it has
     * @param key of the row
     */
    private void verify(CheckedTable table, int computed, int written, int... key) throws SQLException {
        if (computed != written) {
            throw LedgerTables.damaged(
                    "row " + Arrays.toString(key) + " of table " + table + " does not match its check");
        }
        rows[table.number]++;
    }

    private static long count(Statement statement, CheckedTable table) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
            return row.getLong(1);
        }
    }

    private void requireRows(CheckedTable table, long written) throws SQLException {
        if (rows[table.number] != written) {
            throw LedgerTables.damaged(
                    "table " + table + " has " + rows[table.number] + " rows, and " + written + " were written");
        }
    }

    private void readCounters(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT id, name, crc FROM counter ORDER BY id");
                Statement others = connection.createStatement();
                ResultSet blocks =
                        others.executeQuery("SELECT id, block.numbers, claimed, block.crc, rest.numbers, rest.crc,"
                                + " created, decremented, removed, adopted, fact.crc, seconds, moved.crc"
                                + " FROM block LEFT JOIN rest ON rest.block = block.id"
                                + " LEFT JOIN fact ON fact.block = block.id LEFT JOIN moved ON moved.block = block.id"
                                + " ORDER BY id")) {
            Block block = Block.NONE;
            while (row.next()) {
                int id = row.getInt(1);
                String name = text(row, 2);
                verify(CheckedTable.COUNTER, check.counter(id, name), row.getInt(3), id);
                if (Values.block(id) != block.number) {
                    if (!blocks.next() || blocks.getInt(1) != Values.block(id)) {
                        throw LedgerTables.damaged("the values of counter " + id + " are missing");
                    }
                    block = block(blocks);
                }
                if (state != null) {
                    state.add(block.counter(id, name));
                }
            }
        }
    }

    private static String text(ResultSet row, int column) throws SQLException {
        String text = row.getString(column);
        return text == null ? "" : text;
    }

    private Block block(ResultSet row) throws SQLException {
        int id = row.getInt(1);
        byte[] numbers = row.getBytes(2);
        byte[] claimed = row.getBytes(3);
        verify(CheckedTable.BLOCK, check.block(id, numbers, claimed), row.getInt(4), id);
        byte[] rests = row.getBytes(5);
        if (rests != null) {
            verify(CheckedTable.REST, check.rest(id, rests), row.getInt(6), id);
        }
        byte[] created = row.getBytes(7);
        byte[] decremented = row.getBytes(8);
        byte[] removed = row.getBytes(9);
        byte[] adopted = row.getBytes(10);
        if (created != null) {
            int computed = check.fact(id, created, decremented, removed, adopted);
            verify(CheckedTable.FACT, computed, row.getInt(11), id);
        }
        byte[] moved = row.getBytes(12);
        if (moved != null) {
            verify(CheckedTable.MOVED, check.moved(id, moved), row.getInt(13), id);
        }
        return new Block(
                id,
                numbers(numbers),
                bits(claimed),
                numbers(rests),
                seconds(created),
                seconds(moved),
                bits(decremented),
                bits(removed),
                numbers(adopted));
    }

    /** What is known of the counters of one block. */
    private record Block(
            int number,
            LongBuffer values,
            BitSet claimed,
            LongBuffer rests,
            IntBuffer created,
            IntBuffer moved,
            BitSet decremented,
            BitSet removed,
            LongBuffer adopted) {
        /** Of no counter. */
        static final Block NONE = new Block(
                -1,
                NO_NUMBERS,
                new BitSet(),
                NO_NUMBERS,
                NO_SECONDS,
                NO_SECONDS,
                new BitSet(),
                new BitSet(),
                NO_NUMBERS);

        CounterRow counter(int id, String name) {
            int place = Values.place(id);
            return new CounterRow(
                    id,
                    name,
                    values.get(place),
                    rests.get(place),
                    claimed.get(place),
                    created.get(place),
                    moved.get(place),
                    decremented.get(place),
                    removed.get(place),
                    adopted.get(place));
        }
    }

    private static LongBuffer numbers(byte @Nullable [] bytes) {
        return bytes == null ? NO_NUMBERS : ByteBuffer.wrap(bytes).asLongBuffer();
    }

    private static IntBuffer seconds(byte @Nullable [] bytes) {
        return bytes == null ? NO_SECONDS : ByteBuffer.wrap(bytes).asIntBuffer();
    }

    private static BitSet bits(byte @Nullable [] bytes) {
        return bytes == null ? new BitSet() : BitSet.valueOf(bytes);
    }

    private List<UsedSeconds.Run> published(Statement statement) throws SQLException {
        List<UsedSeconds.Run> runs = new ArrayList<>();
        try (ResultSet row = statement.executeQuery("SELECT first, last, step, crc FROM published")) {
            while (row.next()) {
                UsedSeconds.Run run = new UsedSeconds.Run(row.getLong(1), row.getLong(2), row.getLong(3));
                verify(CheckedTable.PUBLISHED, check.published(run), row.getInt(4), runs.size());
                runs.add(run);
            }
        }
        return runs;
    }

    private void readStreams(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery(
                        "SELECT " + CheckedTable.STREAM.columns + ", crc FROM stream ORDER BY id");
                PreparedStatement watermarksOf = connection.prepareStatement(
                        "SELECT counter, increments, decrements, crc FROM watermark WHERE stream = ?");
                PreparedStatement uncountedOf =
                        connection.prepareStatement("SELECT counter, amount, crc FROM uncounted WHERE stream = ?")) {
            while (row.next()) {
                StreamRow stream = new StreamRow(
                        row.getInt(1),
                        text(row, 2),
                        row.getBoolean(3),
                        row.getBoolean(4),
                        row.getLong(5),
                        row.getLong(8),
                        new Arrivals(row.getLong(6), row.getLong(7), row.getLong(8), row.getLong(9), row.getLong(10)),
                        row.getLong(11));
                int watermarks = row.getInt(12);
                int uncounted = row.getInt(13);
                verify(CheckedTable.STREAM, check.stream(stream, watermarks, uncounted), row.getInt(14), stream.id());
                watermarksOf.setInt(1, stream.id());
                Totals totals = totals(stream.id(), watermarksOf);
                requireRows(CheckedTable.WATERMARK, stream.id(), totals.counters.length, watermarks);
                uncountedOf.setInt(1, stream.id());
                Uncounted parts = uncounted(stream.id(), uncountedOf);
                int count = (int) Arrays.stream(parts.amounts())
                        .filter(amount -> amount != 0)
                        .count();
                requireRows(CheckedTable.UNCOUNTED, stream.id(), count, uncounted);
                if (state != null) {
                    state.add(
                            Watermarks.restored(stream, totals.counters, totals.increments, totals.decrements, parts));
                }
            }
        }
    }

    private static void requireRows(CheckedTable table, int stream, int found, int written) throws SQLException {
        if (found != written) {
            throw LedgerTables.damaged("stream " + stream + " has " + found + " rows of table " + table + ", and "
                    + written + " were written");
        }
    }

    private Uncounted uncounted(int stream, PreparedStatement query) throws SQLException {
        List<Integer> counters = new ArrayList<>();
        List<Long> amounts = new ArrayList<>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                int counter = row.getInt(1);
                long amount = row.getLong(2);
                verify(
                        CheckedTable.UNCOUNTED,
                        check.uncounted(stream, counter, amount),
                        row.getInt(3),
                        stream,
                        counter);
                counters.add(counter);
                amounts.add(amount);
            }
        }
        return new Uncounted(
                counters.stream().mapToInt(Integer::intValue).toArray(),
                amounts.stream().mapToLong(Long::longValue).toArray());
    }

    /** Counters and their totals, in parallel arrays. */
    @SuppressWarnings("ArrayRecordComponent") // Used immediately.
    private record Totals(int[] counters, long[] increments, long[] decrements) {}

    private Totals totals(int stream, PreparedStatement query) throws SQLException {
        int[] counters = new int[8];
        long[] increments = new long[8];
        long[] decrements = new long[8];
        int size = 0;
        try (ResultSet row = query.executeQuery()) {
            for (; row.next(); size++) {
                if (size == counters.length) {
                    counters = Arrays.copyOf(counters, 2 * size);
                    increments = Arrays.copyOf(increments, 2 * size);
                    decrements = Arrays.copyOf(decrements, 2 * size);
                }
                counters[size] = row.getInt(1);
                increments[size] = row.getLong(2);
                decrements[size] = row.getLong(3);
                int computed = check.watermark(stream, counters[size], increments[size], decrements[size]);
                verify(CheckedTable.WATERMARK, computed, row.getInt(4), stream, counters[size]);
            }
        }
        return new Totals(
                Arrays.copyOf(counters, size), Arrays.copyOf(increments, size), Arrays.copyOf(decrements, size));
    }
}
