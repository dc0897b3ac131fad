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

/** Reads the ledger's tables. */
final class LedgerReader {
    private static final LongBuffer NO_NUMBERS = LongBuffer.allocate(Values.BLOCK);
    private static final IntBuffer NO_SECONDS = IntBuffer.allocate(Values.BLOCK);

    private final Connection connection;
    private final LedgerState state;

    private LedgerReader(Connection connection, LedgerState state) {
        this.connection = connection;
        this.state = state;
    }

    /** Fills the state of a new ledger with everything that was committed. */
    static void load(Connection connection, LedgerState state) throws SQLException {
        LedgerReader reader = new LedgerReader(connection, state);
        try (Statement statement = connection.createStatement()) {
            state.set(head(LedgerTables.meta(statement)));
            state.set(published(statement));
            reader.loadCounters(statement);
            reader.loadStreams(statement);
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

    private void loadCounters(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT id, name FROM counter ORDER BY id");
                Statement others = connection.createStatement();
                ResultSet blocks =
                        others.executeQuery("SELECT id, block.numbers, claimed, rest.numbers, created, seconds,"
                                + " decremented, removed, adopted FROM block LEFT JOIN rest ON rest.block = block.id"
                                + " LEFT JOIN fact ON fact.block = block.id LEFT JOIN moved ON moved.block = block.id"
                                + " ORDER BY id")) {
            Block block = Block.NONE;
            while (row.next()) {
                int id = row.getInt(1);
                if (Values.block(id) != block.number) {
                    if (!blocks.next() || blocks.getInt(1) != Values.block(id)) {
                        throw new IllegalStateException("the values of counter " + id + " are missing");
                    }
                    block = Block.of(blocks);
                }
                state.add(block.counter(id, row.getString(2)));
            }
        }
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

        static Block of(ResultSet row) throws SQLException {
            return new Block(
                    row.getInt(1),
                    numbers(row.getBytes(2)),
                    bits(row.getBytes(3)),
                    numbers(row.getBytes(4)),
                    seconds(row.getBytes(5)),
                    seconds(row.getBytes(6)),
                    bits(row.getBytes(7)),
                    bits(row.getBytes(8)),
                    numbers(row.getBytes(9)));
        }

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

    private static List<UsedSeconds.Run> published(Statement statement) throws SQLException {
        List<UsedSeconds.Run> runs = new ArrayList<>();
        try (ResultSet row = statement.executeQuery("SELECT first, last, step FROM published")) {
            while (row.next()) {
                runs.add(new UsedSeconds.Run(row.getLong(1), row.getLong(2), row.getLong(3)));
            }
        }
        return runs;
    }

    private void loadStreams(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT * FROM stream ORDER BY id");
                PreparedStatement watermarksOf = connection.prepareStatement(
                        "SELECT counter, increments, decrements FROM watermark WHERE stream = ?");
                PreparedStatement uncountedOf =
                        connection.prepareStatement("SELECT counter, amount FROM uncounted WHERE stream = ?")) {
            while (row.next()) {
                StreamRow stream = new StreamRow(
                        row.getInt(1),
                        row.getString(2),
                        row.getBoolean(3),
                        row.getBoolean(4),
                        row.getLong(5),
                        row.getLong(8),
                        new Arrivals(row.getLong(6), row.getLong(7), row.getLong(8), row.getLong(9), row.getLong(10)),
                        row.getLong(11));
                watermarksOf.setInt(1, stream.id());
                Totals watermarks = Totals.of(watermarksOf);
                uncountedOf.setInt(1, stream.id());
                state.add(Watermarks.restored(
                        stream,
                        watermarks.counters,
                        watermarks.increments,
                        watermarks.decrements,
                        uncounted(uncountedOf)));
            }
        }
    }

    private static Uncounted uncounted(PreparedStatement query) throws SQLException {
        List<Integer> counters = new ArrayList<>();
        List<Long> amounts = new ArrayList<>();
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                counters.add(row.getInt(1));
                amounts.add(row.getLong(2));
            }
        }
        return new Uncounted(
                counters.stream().mapToInt(Integer::intValue).toArray(),
                amounts.stream().mapToLong(Long::longValue).toArray());
    }

    /** Counters and their totals, in parallel arrays. */
    @SuppressWarnings("ArrayRecordComponent") // Used immediately.
    private record Totals(int[] counters, long[] increments, long[] decrements) {
        static Totals of(PreparedStatement query) throws SQLException {
            int[] counters = new int[8];
            long[] increments = new long[8];
            long[] decrements = new long[8];
            int size = 0;
            try (ResultSet watermark = query.executeQuery()) {
                for (; watermark.next(); size++) {
                    if (size == counters.length) {
                        counters = Arrays.copyOf(counters, 2 * size);
                        increments = Arrays.copyOf(increments, 2 * size);
                        decrements = Arrays.copyOf(decrements, 2 * size);
                    }
                    counters[size] = watermark.getInt(1);
                    increments[size] = watermark.getLong(2);
                    decrements[size] = watermark.getLong(3);
                }
            }
            return new Totals(
                    Arrays.copyOf(counters, size), Arrays.copyOf(increments, size), Arrays.copyOf(decrements, size));
        }
    }
}
