package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Counters;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.Lists;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Watermarks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The ledger on disk: {@code ledger.sqlite} in the data folder, in WAL mode, every commit synced, with a lock
 * beside it that keeps a second collector out. For one thread at a time.
 */
public final class LedgerFile implements Journal, AutoCloseable {
    private static final int FORMAT = 3;

    private static final String META =
            "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

    private static final String[] TABLES = {
        "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        // The values of counters id * 128 and on, 8 bytes each, the highest first; and the bits of those that are
        // claimed.
        "CREATE TABLE IF NOT EXISTS block (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL, claimed BLOB NOT NULL)",
        "CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE,"
                + " whole INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
                + " heard_listening INTEGER NOT NULL, seq_before INTEGER NOT NULL, seq_highest INTEGER NOT NULL,"
                + " received INTEGER NOT NULL, repeated INTEGER NOT NULL, seq_window INTEGER NOT NULL,"
                + " healed INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, PRIMARY KEY (stream, counter))"
                + " WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS published (first INTEGER NOT NULL, last INTEGER NOT NULL, step INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS list (place INTEGER PRIMARY KEY, number INTEGER NOT NULL, peers TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS peer_stream (stream INTEGER PRIMARY KEY, peer TEXT NOT NULL,"
                + " hands_over INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS held (counter INTEGER PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS relay (id INTEGER PRIMARY KEY, stream TEXT NOT NULL UNIQUE, peer TEXT NOT NULL,"
                + " hands_over INTEGER NOT NULL, born INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS relayed (relay INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, PRIMARY KEY (relay, counter))"
                + " WITHOUT ROWID",
    };

    /** The places of lists: the one gone by, and the last that was settled. */
    private static final int NOW = 0;

    private static final int SETTLED = 1;

    private static final String NAME = "ledger.sqlite";

    /** SQLite's numbers for a file that is no database, and one that is broken. */
    private static final List<Integer> DAMAGED = List.of(11, 26);

    private final Path file;
    private final FolderLock lock;
    private final @Nullable Path setAside;
    private final Connection connection;
    private final PreparedStatement putMeta;
    private final PreparedStatement putCounter;
    private final PreparedStatement putBlock;
    private final PreparedStatement putStream;
    private final PreparedStatement putWatermark;
    private final PreparedStatement dropStream;
    private final PreparedStatement dropWatermarks;
    private final PreparedStatement putPeerStream;
    private final PreparedStatement dropPeerStream;
    private final PreparedStatement dropPublished;
    private final PreparedStatement putPublished;
    private final PreparedStatement putList;
    private final PreparedStatement dropHeld;
    private final PreparedStatement putHeld;
    private final PreparedStatement putRelay;
    private final PreparedStatement putRelayed;
    private final PreparedStatement dropRelay;
    private final PreparedStatement dropRelayed;
    private final List<PreparedStatement> batches;

    /**
     * Opens the ledger of this folder, created where it is missing. One that is damaged is set aside under a name that
     * says so, and a new one begun: see {@link #setAside}.
     *
     * @throws IOException when the folder can't be written or another collector holds it; the message names the remedy
     */
    public LedgerFile(Path folder) throws IOException {
        lock = new FolderLock(folder);
        file = folder.resolve(NAME);
        Connection opened = null;
        try {
            setAside = Files.exists(file) && isDamaged(file) ? moveAway(folder) : null;
            opened = DriverManager.getConnection("jdbc:sqlite:" + file);
            connection = opened;
            try (Statement statement = connection.createStatement()) {
                statement.execute("PRAGMA journal_mode = WAL");
                statement.execute("PRAGMA synchronous = FULL");
                statement.execute(META);
                long format = meta().getOrDefault("format", (long) FORMAT);
                if (format != FORMAT) {
                    throw new SQLException("it has format " + format + ", this version writes " + FORMAT);
                }
                for (String table : TABLES) {
                    statement.execute(table);
                }
            }
            connection.setAutoCommit(false);
            putMeta = connection.prepareStatement("INSERT OR REPLACE INTO meta VALUES (?, ?)");
            putCounter = connection.prepareStatement("INSERT INTO counter VALUES (?, ?)");
            putBlock = connection.prepareStatement("INSERT OR REPLACE INTO block VALUES (?, ?, ?)");
            putStream = connection.prepareStatement(
                    "INSERT OR REPLACE INTO stream VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
            putWatermark = connection.prepareStatement("INSERT OR REPLACE INTO watermark VALUES (?, ?, ?, ?)");
            dropStream = connection.prepareStatement("DELETE FROM stream WHERE id = ?");
            dropWatermarks = connection.prepareStatement("DELETE FROM watermark WHERE stream = ?");
            putPeerStream = connection.prepareStatement("INSERT OR REPLACE INTO peer_stream VALUES (?, ?, ?)");
            dropPeerStream = connection.prepareStatement("DELETE FROM peer_stream WHERE stream = ?");
            dropPublished = connection.prepareStatement("DELETE FROM published");
            putPublished = connection.prepareStatement("INSERT INTO published VALUES (?, ?, ?)");
            putList = connection.prepareStatement("INSERT OR REPLACE INTO list VALUES (?, ?, ?)");
            dropHeld = connection.prepareStatement("DELETE FROM held");
            putHeld = connection.prepareStatement("INSERT OR REPLACE INTO held VALUES (?)");
            putRelay = connection.prepareStatement("INSERT OR REPLACE INTO relay VALUES (?, ?, ?, ?, ?)");
            putRelayed = connection.prepareStatement("INSERT OR REPLACE INTO relayed VALUES (?, ?, ?, ?)");
            dropRelay = connection.prepareStatement("DELETE FROM relay WHERE id = ?");
            dropRelayed = connection.prepareStatement("DELETE FROM relayed WHERE relay = ?");
            batches = List.of(
                    putMeta,
                    putCounter,
                    putBlock,
                    putStream,
                    putWatermark,
                    dropStream,
                    dropWatermarks,
                    putPeerStream,
                    dropPeerStream,
                    dropPublished,
                    putPublished,
                    putList,
                    dropHeld,
                    putHeld,
                    putRelay,
                    putRelayed,
                    dropRelay,
                    dropRelayed);
        } catch (SQLException | IOException unusable) {
            closeAfter(unusable, opened);
            throw new IOException(
                    "the ledger " + file + " can't be used: " + unusable.getMessage()
                            + "; move it away to begin anew, or give another folder with --data-dir",
                    unusable);
        }
    }

    private void closeAfter(Exception unusable, @Nullable Connection opened) throws IOException {
        try (lock) {
            if (opened != null) {
                opened.close();
            }
        } catch (SQLException alsoFailed) {
            unusable.addSuppressed(alsoFailed);
        }
    }

    private static boolean isDamaged(Path file) throws SQLException, IOException {
        if (Files.size(file) == 0) {
            return true;
        }
        try (Connection looking = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = looking.createStatement();
                ResultSet row = statement.executeQuery("PRAGMA quick_check(1)")) {
            return !row.next() || !"ok".equals(row.getString(1));
        } catch (SQLException failure) {
            if (DAMAGED.contains(failure.getErrorCode() & 0xff)) {
                return true;
            }
            throw failure;
        }
    }

    /** Gives the file, and what SQLite has beside it, a name that says what it is and that no other has. */
    private static Path moveAway(Path folder) throws IOException {
        int number = 1;
        while (Files.exists(folder.resolve("ledger.damaged-" + number + ".sqlite"))) {
            number++;
        }
        Path away = folder.resolve("ledger.damaged-" + number + ".sqlite");
        for (String part : List.of("-wal", "-shm", "")) {
            if (Files.exists(folder.resolve(NAME + part))) {
                Files.move(folder.resolve(NAME + part), folder.resolve(away.getFileName() + part));
            }
        }
        return away;
    }

    /** Where the damaged ledger went that was found here; null when there was none. */
    public @Nullable Path setAside() {
        return setAside;
    }

    /** The ledger's time at the last commit, in milliseconds; 0 for a new ledger. */
    public long committedMillis() throws IOException {
        try {
            return meta().getOrDefault("clock", 0L);
        } catch (SQLException unreadable) {
            throw failed("read", unreadable);
        }
    }

    @Override
    public void load(Ledger ledger) throws IOException {
        try (Statement statement = connection.createStatement()) {
            Map<String, Long> meta = meta();
            Head first = Head.first(0);
            ledger.restore(new Head(
                    meta.getOrDefault("id", first.id()),
                    meta.getOrDefault("commit", first.commit()),
                    meta.getOrDefault("clock", first.clockMillis()),
                    meta.getOrDefault("listened", first.listenedMillis()),
                    meta.getOrDefault("watch", first.watchMillis()),
                    meta.getOrDefault("adopts", 1L) != 0));
            loadCounters(statement, ledger);
            loadPublished(statement, ledger);
            loadStreams(statement, ledger);
            loadPeers(statement, ledger);
        } catch (SQLException | IllegalStateException | IllegalArgumentException unreadable) {
            throw failed("read", unreadable);
        }
    }

    private void loadCounters(Statement statement, Ledger ledger) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT id, name FROM counter ORDER BY id");
                Statement others = connection.createStatement();
                ResultSet block = others.executeQuery("SELECT id, numbers, claimed FROM block ORDER BY id")) {
            int loaded = -1;
            LongBuffer values = LongBuffer.allocate(Values.BLOCK);
            BitSet claimed = new BitSet();
            while (row.next()) {
                int id = row.getInt(1);
                if (Values.block(id) != loaded) {
                    if (!block.next() || block.getInt(1) != Values.block(id)) {
                        throw new IllegalStateException("the values of counter " + id + " are missing");
                    }
                    loaded = block.getInt(1);
                    values = ByteBuffer.wrap(block.getBytes(2)).asLongBuffer();
                    claimed = BitSet.valueOf(block.getBytes(3));
                }
                int place = Values.place(id);
                ledger.restore(new CounterRow(id, row.getString(2), values.get(place), claimed.get(place)));
            }
        }
    }

    private void loadPublished(Statement statement, Ledger ledger) throws SQLException {
        List<UsedSeconds.Run> runs = new ArrayList<>();
        try (ResultSet row = statement.executeQuery("SELECT first, last, step FROM published")) {
            while (row.next()) {
                runs.add(new UsedSeconds.Run(row.getLong(1), row.getLong(2), row.getLong(3)));
            }
        }
        ledger.restore(runs);
    }

    private void loadStreams(Statement statement, Ledger ledger) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT stream.*, peer, hands_over FROM stream"
                        + " LEFT JOIN peer_stream ON peer_stream.stream = stream.id ORDER BY id");
                PreparedStatement marksOf = connection.prepareStatement(
                        "SELECT counter, increments, decrements FROM watermark WHERE stream = ?")) {
            while (row.next()) {
                StreamRow stream = new StreamRow(
                        row.getInt(1),
                        row.getString(2),
                        row.getBoolean(3),
                        row.getBoolean(4),
                        row.getLong(5),
                        new Arrivals(row.getLong(6), row.getLong(7), row.getLong(8), row.getLong(9), row.getLong(10)),
                        row.getLong(11),
                        row.getString(12),
                        row.getBoolean(13));
                marksOf.setInt(1, stream.id());
                Totals marks = Totals.of(marksOf);
                ledger.restore(new Watermarks(stream, marks.counters, marks.increments, marks.decrements));
            }
        }
    }

    private void loadPeers(Statement statement, Ledger ledger) throws SQLException {
        PeerList now = null;
        PeerList settled = null;
        try (ResultSet row = statement.executeQuery("SELECT place, number, peers FROM list")) {
            while (row.next()) {
                PeerList list = PeerList.of(row.getLong(2), row.getString(3));
                if (row.getInt(1) == NOW) {
                    now = list;
                } else {
                    settled = list;
                }
            }
        }
        if (now != null) {
            ledger.restore(new Lists(now, settled, meta().getOrDefault("leapt", 0L) != 0));
        }
        try (ResultSet row = statement.executeQuery("SELECT counter FROM held")) {
            while (row.next()) {
                ledger.restoreHeld(row.getInt(1));
            }
        }
        try (ResultSet row = statement.executeQuery("SELECT id, stream, peer, hands_over, born FROM relay");
                PreparedStatement totalsOf = connection.prepareStatement(
                        "SELECT counter, increments, decrements FROM relayed WHERE relay = ?")) {
            while (row.next()) {
                totalsOf.setInt(1, row.getInt(1));
                Totals totals = Totals.of(totalsOf);
                ledger.restore(new Relayed(
                        row.getInt(1),
                        row.getString(2),
                        row.getString(3),
                        row.getBoolean(4),
                        row.getLong(5),
                        totals.counters,
                        totals.increments,
                        totals.decrements));
            }
        }
    }

    /** Counters and what is kept of each, side by side. */
    @SuppressWarnings("ArrayRecordComponent") // Handed on at once.
    private record Totals(int[] counters, long[] increments, long[] decrements) {
        static Totals of(PreparedStatement query) throws SQLException {
            int[] counters = new int[8];
            long[] increments = new long[8];
            long[] decrements = new long[8];
            int size = 0;
            try (ResultSet mark = query.executeQuery()) {
                for (; mark.next(); size++) {
                    if (size == counters.length) {
                        counters = Arrays.copyOf(counters, 2 * size);
                        increments = Arrays.copyOf(increments, 2 * size);
                        decrements = Arrays.copyOf(decrements, 2 * size);
                    }
                    counters[size] = mark.getInt(1);
                    increments[size] = mark.getLong(2);
                    decrements[size] = mark.getLong(3);
                }
            }
            return new Totals(
                    Arrays.copyOf(counters, size), Arrays.copyOf(increments, size), Arrays.copyOf(decrements, size));
        }
    }

    /** Writes the changes in one transaction and syncs it; on a failure nothing of them is there. */
    @Override
    public void write(Changes changes) throws IOException {
        try {
            put("format", FORMAT);
            put("id", changes.head().id());
            put("commit", changes.head().commit());
            put("clock", changes.head().clockMillis());
            put("listened", changes.head().listenedMillis());
            put("watch", changes.head().watchMillis());
            put("adopts", changes.head().adopts() ? 1 : 0);
            put(changes.counters());
            for (Watermarks marks : changes.streams()) {
                put(marks.stream());
                for (int i = 0; i < marks.counters().length; i++) {
                    putWatermark.setInt(1, marks.stream().id());
                    putWatermark.setInt(2, marks.counters()[i]);
                    putWatermark.setLong(3, marks.increments()[i]);
                    putWatermark.setLong(4, marks.decrements()[i]);
                    putWatermark.addBatch();
                }
            }
            for (int dropped : changes.dropped()) {
                dropStream.setInt(1, dropped);
                dropStream.addBatch();
                dropWatermarks.setInt(1, dropped);
                dropWatermarks.addBatch();
                dropPeerStream.setInt(1, dropped);
                dropPeerStream.addBatch();
            }
            putPeers(changes);
            List<UsedSeconds.Run> published = changes.published();
            if (published != null) {
                dropPublished.addBatch();
                for (UsedSeconds.Run run : published) {
                    putPublished.setLong(1, run.first());
                    putPublished.setLong(2, run.last());
                    putPublished.setLong(3, run.step());
                    putPublished.addBatch();
                }
            }
            for (PreparedStatement batch : batches) {
                batch.executeBatch();
            }
            connection.commit();
        } catch (SQLException failure) {
            try {
                for (PreparedStatement batch : batches) {
                    batch.clearBatch();
                }
                connection.rollback();
            } catch (SQLException alsoFailed) {
                failure.addSuppressed(alsoFailed);
            }
            throw failed("write", failure);
        }
    }

    private void put(Counters counters) throws SQLException {
        for (int id = counters.known(); id < counters.size(); id++) {
            putCounter.setInt(1, id);
            putCounter.setString(2, counters.names()[id]);
            putCounter.addBatch();
        }
        for (int i = 0; i < counters.blocks().length; i++) {
            int block = counters.blocks()[i];
            ByteBuffer numbers = ByteBuffer.allocate(Values.BLOCK * Long.BYTES);
            numbers.asLongBuffer().put(counters.values()[i]);
            int begin = block * Values.BLOCK;
            putBlock.setInt(1, block);
            putBlock.setBytes(2, numbers.array());
            putBlock.setBytes(
                    3, counters.claimed().get(begin, begin + Values.BLOCK).toByteArray());
            putBlock.addBatch();
        }
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
        putStream.addBatch();
        if (row.peer() != null) {
            putPeerStream.setInt(1, row.id());
            putPeerStream.setString(2, row.peer());
            putPeerStream.setBoolean(3, row.handsOver());
            putPeerStream.addBatch();
        }
    }

    private void putPeers(Changes changes) throws SQLException {
        Lists lists = changes.lists();
        if (lists != null) {
            put(NOW, lists.now());
            if (lists.settled() != null) {
                put(SETTLED, lists.settled());
            }
            put("leapt", lists.leapt() ? 1 : 0);
        }
        if (changes.held().isFresh()) {
            dropHeld.addBatch();
        }
        for (int held : changes.held().counters()) {
            putHeld.setInt(1, held);
            putHeld.addBatch();
        }
        for (Relayed relay : changes.relayed()) {
            putRelay.setInt(1, relay.id());
            putRelay.setString(2, relay.stream());
            putRelay.setString(3, relay.peer());
            putRelay.setBoolean(4, relay.handsOver());
            putRelay.setLong(5, relay.bornMillis());
            putRelay.addBatch();
            for (int i = 0; i < relay.counters().length; i++) {
                putRelayed.setInt(1, relay.id());
                putRelayed.setInt(2, relay.counters()[i]);
                putRelayed.setLong(3, relay.increments()[i]);
                putRelayed.setLong(4, relay.decrements()[i]);
                putRelayed.addBatch();
            }
        }
        for (int dropped : changes.droppedRelays()) {
            dropRelay.setInt(1, dropped);
            dropRelay.addBatch();
            dropRelayed.setInt(1, dropped);
            dropRelayed.addBatch();
        }
    }

    private void put(int place, PeerList list) throws SQLException {
        putList.setInt(1, place);
        putList.setLong(2, list.number());
        putList.setString(3, list.text());
        putList.addBatch();
    }

    private void put(String key, long number) throws SQLException {
        putMeta.setString(1, key);
        putMeta.setLong(2, number);
        putMeta.addBatch();
    }

    private Map<String, Long> meta() throws SQLException {
        Map<String, Long> meta = new HashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT key, number FROM meta")) {
            while (row.next()) {
                meta.put(row.getString(1), row.getLong(2));
            }
        }
        return meta;
    }

    private IOException failed(String what, Exception why) {
        return new IOException("can't " + what + " the ledger " + file + ": " + why.getMessage(), why);
    }

    /** Where it lies. */
    @Override
    public String toString() {
        return file.toString();
    }

    @Override
    public void close() throws IOException {
        try {
            connection.close();
        } catch (SQLException failure) {
            throw failed("close", failure);
        } finally {
            lock.close();
        }
    }
}
