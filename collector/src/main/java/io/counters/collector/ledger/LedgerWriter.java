package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.Counters;
import io.counters.collector.ledger.Changes.Dropped;
import io.counters.collector.ledger.Changes.Facts;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.Moves;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Watermarks;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;

/**
 * Writes changes to the ledger's tables, in a transaction of its connection. After a transaction that failed, it must not be
 * used again: it knows what is in the tables.
 */
final class LedgerWriter {
    /** The most rows that are buffered before SQLite gets them, so that memory does not grow with the commit. */
    private static final int ROWS_MAX = 1000;

    private final Connection connection;
    private final PreparedStatement putMeta;
    private final PreparedStatement putCounter;
    private final PreparedStatement putBlock;
    private final PreparedStatement putRest;
    private final PreparedStatement putFact;
    private final PreparedStatement putMoved;
    private final PreparedStatement putStream;
    private final PreparedStatement putWatermark;
    private final PreparedStatement putUncounted;
    private final PreparedStatement dropStream;
    private final PreparedStatement dropWatermarks;
    private final PreparedStatement dropUncounted;
    private final PreparedStatement dropPublished;
    private final PreparedStatement putPublished;
    private final List<PreparedStatement> batches = new ArrayList<>();
    private final RowCheck check = new RowCheck();

    /** The rows of the table meta. */
    private final SortedMap<String, Long> meta;

    /** The blocks that have a row in these tables. */
    private final Set<Integer> rests;

    private final Set<Integer> facts;
    private final Set<Integer> moves;
    private int rows;

    LedgerWriter(Connection connection) throws SQLException {
        this.connection = connection;
        putMeta = batch("INSERT OR REPLACE INTO meta VALUES (?, ?)");
        putCounter = batch("INSERT OR REPLACE INTO counter VALUES (?, ?, ?)");
        putBlock = batch("INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?)");
        putRest = batch("INSERT OR REPLACE INTO rest VALUES (?, ?, ?)");
        putFact = batch("INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?, ?, ?)");
        putMoved = batch("INSERT OR REPLACE INTO moved VALUES (?, ?, ?)");
        putStream = batch("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        putWatermark = batch("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?, ?)");
        putUncounted = batch("INSERT OR REPLACE INTO uncounted VALUES (?, ?, ?, ?)");
        dropStream = batch("DELETE FROM stream WHERE id = ?");
        dropWatermarks = batch("DELETE FROM watermark WHERE stream = ?");
        dropUncounted = batch("DELETE FROM uncounted WHERE stream = ?");
        dropPublished = batch("DELETE FROM published");
        putPublished = batch("INSERT INTO published VALUES (?, ?, ?, ?)");
        try (Statement statement = connection.createStatement()) {
            meta = LedgerMeta.read(statement);
            rests = blocks(statement, CheckedTable.REST);
            facts = blocks(statement, CheckedTable.FACT);
            moves = blocks(statement, CheckedTable.MOVED);
        }
    }

    private static Set<Integer> blocks(Statement statement, CheckedTable table) throws SQLException {
        Set<Integer> blocks = new HashSet<>();
        try (ResultSet row = statement.executeQuery("SELECT block FROM " + table)) {
            while (row.next()) {
                blocks.add(row.getInt(1));
            }
        }
        return blocks;
    }

    private PreparedStatement batch(String sql) throws SQLException {
        PreparedStatement batch = connection.prepareStatement(sql);
        batches.add(batch);
        return batch;
    }

    /**
     * Writes the changes. Writing them twice has no further effect.
     *
     * @param attempt the number of this attempt, which no other attempt at a commit of this ledger has
     */
    void write(Changes changes, long attempt) throws SQLException {
        put("attempt", attempt);
        put(LedgerMeta.FORMAT, LedgerTables.FORMAT);
        put(changes.head());
        put(changes.counters());
        put(changes.counters().facts());
        put(changes.moves());
        for (Watermarks of : changes.streams()) {
            put(of);
        }
        for (Dropped dropped : changes.dropped()) {
            put(dropped);
        }
        flush();
        List<UsedSeconds.Run> published = changes.published();
        if (published != null) {
            add(dropPublished);
            flush();
            for (UsedSeconds.Run run : published) {
                putPublished.setLong(1, run.first());
                putPublished.setLong(2, run.last());
                putPublished.setLong(3, run.step());
                putPublished.setInt(4, check.published(run));
                add(putPublished);
            }
            put(CheckedTable.PUBLISHED.rows(), published.size());
        }
        put(CheckedTable.COUNTER.rows(), changes.counters().size());
        put(CheckedTable.REST.rows(), rests.size());
        put(CheckedTable.FACT.rows(), facts.size());
        put(CheckedTable.MOVED.rows(), moves.size());
        put(CheckedTable.STREAM.rows(), changes.remembered());
        put(LedgerMeta.CHECK, LedgerMeta.check(meta));
        flush();
    }

    private void put(Head head) throws SQLException {
        put("id", head.id());
        put("commit", head.commit());
        put("clock", head.clockMillis());
        put("listened", head.listenedMillis());
        put("watch", head.watchMillis());
        put("adopts", head.adopts() ? 1 : 0);
    }

    private void put(Watermarks of) throws SQLException {
        int stream = of.stream().id();
        put(of.stream(), of.all(), of.allUncounted());
        for (int i = 0; i < of.counters().length; i++) {
            int counter = of.counters()[i];
            long increments = of.increments()[i];
            long decrements = of.decrements()[i];
            putWatermark.setInt(1, stream);
            putWatermark.setInt(2, counter);
            putWatermark.setLong(3, increments);
            putWatermark.setLong(4, decrements);
            putWatermark.setInt(5, check.watermark(stream, counter, increments, decrements));
            add(putWatermark);
        }
        for (int i = 0; i < of.uncounted().counters().length; i++) {
            int counter = of.uncounted().counters()[i];
            long amount = of.uncounted().amounts()[i];
            putUncounted.setInt(1, stream);
            putUncounted.setInt(2, counter);
            putUncounted.setLong(3, amount);
            putUncounted.setInt(4, check.uncounted(stream, counter, amount));
            add(putUncounted);
        }
    }

    private void put(Dropped dropped) throws SQLException {
        dropStream.setInt(1, dropped.stream());
        add(dropStream);
        dropWatermarks.setInt(1, dropped.stream());
        add(dropWatermarks);
        dropUncounted.setInt(1, dropped.stream());
        add(dropUncounted);
    }

    private void add(PreparedStatement batch) throws SQLException {
        batch.addBatch();
        if (++rows == ROWS_MAX) {
            flush();
        }
    }

    private void flush() throws SQLException {
        for (PreparedStatement batch : batches) {
            batch.executeBatch();
        }
        rows = 0;
    }

    private void put(Counters counters) throws SQLException {
        for (int id = counters.known(); id < counters.size(); id++) {
            String name = counters.names()[id];
            putCounter.setInt(1, id);
            putCounter.setString(2, name);
            putCounter.setInt(3, check.counter(id, name));
            add(putCounter);
        }
        for (int i = 0; i < counters.blocks().length; i++) {
            int block = counters.blocks()[i];
            int begin = block * Values.BLOCK;
            byte[] numbers = bytes(counters.values()[i]);
            byte[] claimed = counters.claimed().get(begin, begin + Values.BLOCK).toByteArray();
            putBlock.setInt(1, block);
            putBlock.setBytes(2, numbers);
            putBlock.setBytes(3, claimed);
            putBlock.setInt(4, check.block(block, numbers, claimed));
            add(putBlock);
            long[] rest = counters.rests()[i];
            if (rest != null) {
                putRest(block, bytes(rest));
            }
        }
    }

    private void putRest(int block, byte[] numbers) throws SQLException {
        putRest.setInt(1, block);
        putRest.setBytes(2, numbers);
        putRest.setInt(3, check.rest(block, numbers));
        add(putRest);
        rests.add(block);
    }

    private void put(Facts changed) throws SQLException {
        for (int i = 0; i < changed.blocks().length; i++) {
            int block = changed.blocks()[i];
            byte[] created = bytes(changed.created()[i]);
            byte[] decremented = changed.decremented()[i];
            byte[] removed = changed.removed()[i];
            long[] numbers = changed.adopted()[i];
            byte[] adopted = numbers == null ? null : bytes(numbers);
            putFact.setInt(1, block);
            putFact.setBytes(2, created);
            putFact.setBytes(3, decremented);
            putFact.setBytes(4, removed);
            putFact.setBytes(5, adopted);
            putFact.setInt(6, check.fact(block, created, decremented, removed, adopted));
            add(putFact);
            facts.add(block);
        }
    }

    private void put(Moves changed) throws SQLException {
        for (int i = 0; i < changed.blocks().length; i++) {
            int block = changed.blocks()[i];
            byte[] seconds = bytes(changed.seconds()[i]);
            putMoved.setInt(1, block);
            putMoved.setBytes(2, seconds);
            putMoved.setInt(3, check.moved(block, seconds));
            add(putMoved);
            moves.add(block);
        }
    }

    private static byte[] bytes(int[] seconds) {
        ByteBuffer bytes = ByteBuffer.allocate(seconds.length * Integer.BYTES);
        bytes.asIntBuffer().put(seconds);
        return bytes.array();
    }

    private static byte[] bytes(long[] numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(numbers.length * Long.BYTES);
        bytes.asLongBuffer().put(numbers);
        return bytes.array();
    }

    private void put(StreamRow row, int watermarks, int uncounted) throws SQLException {
        putStream.setInt(1, row.id());
        putStream.setString(2, row.sender());
        putStream.setBoolean(3, row.whole());
        putStream.setBoolean(4, row.quarantined());
        putStream.setLong(5, row.heardMillis());
        putStream.setLong(6, row.arrivals().before());
        putStream.setLong(7, row.arrivals().highest());
        putStream.setLong(8, row.arrivals().received());
        putStream.setLong(9, row.arrivals().repeated());
        putStream.setLong(10, row.arrivals().window());
        putStream.setLong(11, row.healed());
        putStream.setInt(12, watermarks);
        putStream.setInt(13, uncounted);
        putStream.setInt(14, check.stream(row, watermarks, uncounted));
        add(putStream);
    }

    /** Writes the number, unless it is there. */
    private void put(String key, long number) throws SQLException {
        Long before = meta.put(key, number);
        if (before == null || before != number) {
            putMeta.setString(1, key);
            putMeta.setLong(2, number);
            add(putMeta);
        }
    }
}
