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
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** Writes changes to the ledger's tables, in a transaction of its connection. */
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
    private int rows;

    LedgerWriter(Connection connection) throws SQLException {
        this.connection = connection;
        putMeta = batch("INSERT OR REPLACE INTO meta VALUES (?, ?)");
        putCounter = batch("INSERT OR REPLACE INTO counter VALUES (?, ?)");
        putBlock = batch("INSERT OR REPLACE INTO block VALUES (?, ?, ?)");
        putRest = batch("INSERT OR REPLACE INTO rest VALUES (?, ?)");
        putFact = batch("INSERT OR REPLACE INTO fact VALUES (?, ?, ?, ?, ?)");
        putMoved = batch("INSERT OR REPLACE INTO moved VALUES (?, ?)");
        putStream = batch("INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        putWatermark = batch("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)");
        putUncounted = batch("INSERT OR REPLACE INTO uncounted VALUES (?, ?, ?)");
        dropStream = batch("DELETE FROM stream WHERE id = ?");
        dropWatermarks = batch("DELETE FROM watermark WHERE stream = ?");
        dropUncounted = batch("DELETE FROM uncounted WHERE stream = ?");
        dropPublished = batch("DELETE FROM published");
        putPublished = batch("INSERT INTO published VALUES (?, ?, ?)");
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
        put("format", LedgerTables.FORMAT);
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
                add(putPublished);
            }
            flush();
        }
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
        put(of.stream());
        for (int i = 0; i < of.counters().length; i++) {
            putWatermark.setInt(1, of.stream().id());
            putWatermark.setInt(2, of.counters()[i]);
            putWatermark.setLong(3, of.increments()[i]);
            putWatermark.setLong(4, of.decrements()[i]);
            add(putWatermark);
        }
        for (int i = 0; i < of.uncounted().counters().length; i++) {
            putUncounted.setInt(1, of.stream().id());
            putUncounted.setInt(2, of.uncounted().counters()[i]);
            putUncounted.setLong(3, of.uncounted().amounts()[i]);
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
            putCounter.setInt(1, id);
            putCounter.setString(2, counters.names()[id]);
            add(putCounter);
        }
        for (int i = 0; i < counters.blocks().length; i++) {
            int block = counters.blocks()[i];
            int begin = block * Values.BLOCK;
            putBlock.setInt(1, block);
            putBlock.setBytes(2, bytes(counters.values()[i]));
            putBlock.setBytes(
                    3, counters.claimed().get(begin, begin + Values.BLOCK).toByteArray());
            add(putBlock);
            long[] rests = counters.rests()[i];
            if (rests != null) {
                putRest.setInt(1, block);
                putRest.setBytes(2, bytes(rests));
                add(putRest);
            }
        }
    }

    private void put(Facts facts) throws SQLException {
        for (int i = 0; i < facts.blocks().length; i++) {
            long[] adopted = facts.adopted()[i];
            putFact.setInt(1, facts.blocks()[i]);
            putFact.setBytes(2, bytes(facts.created()[i]));
            putFact.setBytes(3, facts.decremented()[i]);
            putFact.setBytes(4, facts.removed()[i]);
            putFact.setBytes(5, adopted == null ? null : bytes(adopted));
            add(putFact);
        }
    }

    private void put(Moves moves) throws SQLException {
        for (int i = 0; i < moves.blocks().length; i++) {
            putMoved.setInt(1, moves.blocks()[i]);
            putMoved.setBytes(2, bytes(moves.seconds()[i]));
            add(putMoved);
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

    private void put(StreamRow row) throws SQLException {
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
        add(putStream);
    }

    private void put(String key, long number) throws SQLException {
        putMeta.setString(1, key);
        putMeta.setLong(2, number);
        add(putMeta);
    }
}
