package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Counters;
import io.counters.collector.ledger.Changes.Dropped;
import io.counters.collector.ledger.Changes.Facts;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.Moves;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Uncounted;
import io.counters.collector.ledger.Changes.Watermarks;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.sql.Connection;
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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteOpenMode;

/**
 * One connection to the ledger's database, with its tables and statements. For one thread at a time.
 *
 * <p>After any failure it must be closed and not used again: SQLite may have rolled back by itself, and then the
 * driver's state of the transaction is wrong. For the same reason transactions are begun and committed here by
 * statements, not by the driver.
 */
final class LedgerConnection implements AutoCloseable {
    static final int FORMAT = 3;

    /** An older format that this version reads and converts. */
    static final int FORMAT_BEFORE = 2;

    /** The most rows that are buffered before SQLite gets them, so that memory does not grow with the commit. */
    private static final int ROWS_MAX = 1000;

    private static final String META =
            "CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID";

    private static final String[] TABLES = {
        "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        // The values of counters id * 128 and up, 8 bytes each, big-endian; and one bit for each counter that is
        // claimed.
        "CREATE TABLE IF NOT EXISTS block (id INTEGER PRIMARY KEY, numbers BLOB NOT NULL, claimed BLOB NOT NULL)",
        // The rests of the same counters; a block without rests has no row. An earlier version does not know this table
        // and leaves it unchanged, which stays correct, because it rounds each line.
        "CREATE TABLE IF NOT EXISTS rest (block INTEGER PRIMARY KEY, numbers BLOB NOT NULL)",
        // What else is known about the same counters, see CounterFacts: 4 bytes each for the second in which they were
        // created, one bit each if decremented or removed, 8 bytes each if one of them has adopted something. And 4
        // bytes
        // each for the second in which they last moved. An earlier version leaves these tables unchanged. Then the
        // times of
        // what it changes are not known, and a counter that it moves is no longer removed.
        "CREATE TABLE IF NOT EXISTS fact (block INTEGER PRIMARY KEY, created BLOB NOT NULL,"
                + " decremented BLOB NOT NULL, removed BLOB NOT NULL, adopted BLOB)",
        "CREATE TABLE IF NOT EXISTS moved (block INTEGER PRIMARY KEY, seconds BLOB NOT NULL)",
        "CREATE TABLE IF NOT EXISTS stream (id INTEGER PRIMARY KEY, sender TEXT NOT NULL UNIQUE,"
                + " whole INTEGER NOT NULL, quarantined INTEGER NOT NULL,"
                + " heard_listening INTEGER NOT NULL, seq_before INTEGER NOT NULL, seq_highest INTEGER NOT NULL,"
                + " received INTEGER NOT NULL, repeated INTEGER NOT NULL, seq_window INTEGER NOT NULL,"
                + " healed INTEGER NOT NULL)",
        "CREATE TABLE IF NOT EXISTS watermark (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " increments INTEGER NOT NULL, decrements INTEGER NOT NULL, PRIMARY KEY (stream, counter))"
                + " WITHOUT ROWID",
        // The part of totals that is not in their counter's value. An earlier version forgets streams without this.
        "CREATE TABLE IF NOT EXISTS uncounted (stream INTEGER NOT NULL, counter INTEGER NOT NULL,"
                + " amount INTEGER NOT NULL, PRIMARY KEY (stream, counter)) WITHOUT ROWID",
        "DELETE FROM uncounted WHERE stream NOT IN (SELECT id FROM stream)",
        "CREATE TABLE IF NOT EXISTS published (first INTEGER NOT NULL, last INTEGER NOT NULL, step INTEGER NOT NULL)",
    };

    /**
     * Format 2 stored the times of streams and the watch by the wall clock, and only the last second that points were
     * published for; all seconds before it count as used. If the clock was wrong then, that second may be far ahead: in
     * this case only it and the seconds up to now count as used.
     */
    private static final String[] FROM_FORMAT_BEFORE = {
        "ALTER TABLE stream DROP COLUMN heard",
        "UPDATE meta SET number = (SELECT number FROM meta WHERE key = 'listened')"
                + " - ((SELECT number FROM meta WHERE key = 'clock') - number)"
                + " WHERE key = 'watch' AND number <> " + Head.FOR_EVER,
        "INSERT INTO published SELECT 0, min(number, strftime('%s', 'now') + 0), 1 FROM meta"
                + " WHERE key = 'published' AND number > 0",
        "INSERT INTO published SELECT number, number, 1 FROM meta"
                + " WHERE key = 'published' AND number > strftime('%s', 'now') + 0",
        "DELETE FROM meta WHERE key = 'published'",
        "INSERT OR REPLACE INTO meta VALUES ('format', " + FORMAT + ")",
    };

    /**
     * A query that returns 1 if rows contradict each other.
     *
     * @param what the contradiction, for the log
     */
    private record Contradiction(String what, String query) {
        /** For a table whose rows belong to counters. */
        static Contradiction unknownCounters(String table) {
            return new Contradiction(
                    "table " + table + " has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM " + table
                            + " WHERE counter NOT BETWEEN 0 AND (SELECT ifnull(max(id), -1) FROM counter))");
        }
    }

    private static final List<Contradiction> CONTRADICTIONS = List.of(
            new Contradiction(
                    "names of counters are missing",
                    "SELECT count(*) <> ifnull(max(id) + 1, 0) OR ifnull(min(id), 0) <> 0 FROM counter"),
            new Contradiction(
                    "values of counters are missing",
                    "SELECT count(*) <> ifnull(max(id) + 1, 0) OR ifnull(min(id), 0) <> 0 OR count(*) <>"
                            + " (SELECT ifnull(max(id) / " + Values.BLOCK + " + 1, 0) FROM counter) FROM block"),
            new Contradiction(
                    "values of counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM block WHERE length(numbers) <> " + Values.BLOCK * Long.BYTES + ")"),
            new Contradiction(
                    "rests of counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM rest WHERE length(numbers) <> " + Values.BLOCK * Long.BYTES + ")"),
            new Contradiction(
                    "table rest has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM rest WHERE block NOT IN (SELECT id FROM block))"),
            new Contradiction(
                    "facts about counters are truncated",
                    "SELECT EXISTS (SELECT 1 FROM fact WHERE length(created) <> " + Values.BLOCK * Integer.BYTES
                            + " OR length(adopted) <> " + Values.BLOCK * Long.BYTES + ")"
                            + " OR EXISTS (SELECT 1 FROM moved WHERE length(seconds) <> " + Values.BLOCK * Integer.BYTES
                            + ")"),
            new Contradiction(
                    "table fact or moved has counters without a name",
                    "SELECT EXISTS (SELECT 1 FROM fact WHERE block NOT IN (SELECT id FROM block))"
                            + " OR EXISTS (SELECT 1 FROM moved WHERE block NOT IN (SELECT id FROM block))"),
            new Contradiction(
                    "the number of the last commit is missing",
                    "SELECT EXISTS (SELECT 1 FROM counter)"
                            + " AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'commit')"),
            Contradiction.unknownCounters("watermark"),
            Contradiction.unknownCounters("uncounted"));

    /** How quick_check reports a page that it could not read, which may have other causes than damage. */
    private static final Pattern UNREAD = Pattern.compile("error code=(\\d+)");

    private static final LongBuffer NO_NUMBERS = LongBuffer.allocate(Values.BLOCK);
    private static final IntBuffer NO_SECONDS = IntBuffer.allocate(Values.BLOCK);

    private final Connection connection;
    private final Statement control;
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

    /**
     * Opens the database of this file.
     *
     * @param isNew whether to create the file and the tables if they are missing
     */
    LedgerConnection(Path file, boolean isNew) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        if (!isNew) {
            config.resetOpenMode(SQLiteOpenMode.CREATE);
        }
        connection = config.createConnection("jdbc:sqlite:" + file);
        try {
            control = connection.createStatement();
            String mode = text("PRAGMA journal_mode = WAL");
            if (!"wal".equals(mode)) {
                throw new SQLException(
                        "its file system does not support shared memory, which SQLite's WAL mode needs; put it"
                                + " on a local disk");
            }
            control.execute("PRAGMA synchronous = FULL");
            if (isNew) {
                create();
            }
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
        } catch (SQLException | RuntimeException | Error unusable) {
            closeAfter(unusable);
            throw unusable;
        }
    }

    private void closeAfter(Throwable failure) {
        try {
            connection.close();
        } catch (SQLException alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
    }

    private void create() throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        control.execute(META);
        long format = meta().getOrDefault("format", (long) FORMAT);
        if (format != FORMAT && format != FORMAT_BEFORE) {
            throw new SQLException("it has format " + format + ", but this version reads formats " + FORMAT_BEFORE
                    + " and " + FORMAT + "; run the version that wrote it, or set another folder with --data-dir");
        }
        for (String table : TABLES) {
            control.execute(table);
        }
        if (format == FORMAT_BEFORE) {
            for (String step : FROM_FORMAT_BEFORE) {
                control.execute(step);
            }
        }
        control.execute("COMMIT");
    }

    private PreparedStatement batch(String sql) throws SQLException {
        PreparedStatement batch = connection.prepareStatement(sql);
        batches.add(batch);
        return batch;
    }

    private @Nullable String text(String query) throws SQLException {
        try (ResultSet row = control.executeQuery(query)) {
            return row.next() ? row.getString(1) : null;
        }
    }

    /**
     * Reads the whole file and returns what is damaged: pages, or rows that contradict each other; null if nothing is.
     *
     * @throws SQLException if it cannot be read now, which is no sign of damage
     */
    @Nullable
    String damage() throws SQLException {
        String found = text("PRAGMA quick_check(1)");
        if (!"ok".equals(found)) {
            Matcher unread = UNREAD.matcher(String.valueOf(found));
            if (unread.find() && !isDamage(Integer.parseInt(unread.group(1)))) {
                throw new SQLException("a page cannot be read: " + found, null, Integer.parseInt(unread.group(1)));
            }
            return String.valueOf(found);
        }
        for (Contradiction contradiction : CONTRADICTIONS) {
            if (!"0".equals(text(contradiction.query()))) {
                return contradiction.what();
            }
        }
        return null;
    }

    /**
     * Whether an earlier version shared the names with other collectors: the list in use, in the table that only that
     * version writes, contains others. Part of each value may be in their ledgers.
     */
    static boolean isShared(Statement statement) throws SQLException {
        return isTrue(statement, "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'list')")
                && isTrue(statement, "SELECT EXISTS (SELECT 1 FROM list WHERE place = 0 AND peers LIKE '%;%')");
    }

    private static boolean isTrue(Statement statement, String query) throws SQLException {
        try (ResultSet row = statement.executeQuery(query)) {
            return row.next() && row.getBoolean(1);
        }
    }

    boolean isShared() throws SQLException {
        return isShared(control);
    }

    /** Whether SQLite's error code means that the file is not a database, or is a damaged one. */
    static boolean isDamage(int errorCode) {
        int kind = errorCode & 0xff;
        return kind == SQLiteErrorCode.SQLITE_CORRUPT.code || kind == SQLiteErrorCode.SQLITE_NOTADB.code;
    }

    /**
     * Copies everything that was committed from the log into the database, and syncs it.
     *
     * <p>For a connection that follows a failure. If a sync failed, readers still see its pages, but the kernel does
     * not write them again, and a second sync succeeds without writing them. Here they are written again, to another
     * file.
     */
    void secure() throws SQLException {
        text("PRAGMA wal_checkpoint(PASSIVE)");
    }

    /** The number of the last attempt at a commit that succeeded; 0 for a new ledger. */
    long attempt() throws SQLException {
        return meta().getOrDefault("attempt", 0L);
    }

    long counters() throws SQLException {
        try (ResultSet row = control.executeQuery("SELECT count(*) FROM counter")) {
            return row.getLong(1);
        }
    }

    /** Fills an empty ledger with everything that was committed. */
    void load(LedgerState ledger) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            Map<String, Long> meta = meta();
            Head first = Head.first(0);
            ledger.set(new Head(
                    meta.getOrDefault("id", first.id()),
                    meta.getOrDefault("commit", first.commit()),
                    meta.getOrDefault("clock", first.clockMillis()),
                    meta.getOrDefault("listened", first.listenedMillis()),
                    meta.getOrDefault("watch", first.watchMillis()),
                    meta.getOrDefault("adopts", 1L) != 0));
            loadCounters(statement, ledger);
            loadPublished(statement, ledger);
            loadStreams(statement, ledger);
        }
    }

    private void loadCounters(Statement statement, LedgerState ledger) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT id, name FROM counter ORDER BY id");
                Statement others = connection.createStatement();
                ResultSet block =
                        others.executeQuery("SELECT id, block.numbers, claimed, rest.numbers, created, seconds,"
                                + " decremented, removed, adopted FROM block LEFT JOIN rest ON rest.block = block.id"
                                + " LEFT JOIN fact ON fact.block = block.id LEFT JOIN moved ON moved.block = block.id"
                                + " ORDER BY id")) {
            int loaded = -1;
            LongBuffer values = NO_NUMBERS;
            LongBuffer rests = NO_NUMBERS;
            LongBuffer adopted = NO_NUMBERS;
            IntBuffer created = NO_SECONDS;
            IntBuffer moved = NO_SECONDS;
            BitSet claimed = new BitSet();
            BitSet decremented = claimed;
            BitSet removed = claimed;
            while (row.next()) {
                int id = row.getInt(1);
                if (Values.block(id) != loaded) {
                    if (!block.next() || block.getInt(1) != Values.block(id)) {
                        throw new IllegalStateException("the values of counter " + id + " are missing");
                    }
                    loaded = block.getInt(1);
                    values = numbers(block.getBytes(2));
                    claimed = bits(block.getBytes(3));
                    rests = numbers(block.getBytes(4));
                    created = seconds(block.getBytes(5));
                    moved = seconds(block.getBytes(6));
                    decremented = bits(block.getBytes(7));
                    removed = bits(block.getBytes(8));
                    adopted = numbers(block.getBytes(9));
                }
                int place = Values.place(id);
                ledger.add(new CounterRow(
                        id,
                        row.getString(2),
                        values.get(place),
                        rests.get(place),
                        claimed.get(place),
                        created.get(place),
                        moved.get(place),
                        decremented.get(place),
                        removed.get(place),
                        adopted.get(place)));
            }
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

    private void loadPublished(Statement statement, LedgerState ledger) throws SQLException {
        List<UsedSeconds.Run> runs = new ArrayList<>();
        try (ResultSet row = statement.executeQuery("SELECT first, last, step FROM published")) {
            while (row.next()) {
                runs.add(new UsedSeconds.Run(row.getLong(1), row.getLong(2), row.getLong(3)));
            }
        }
        ledger.set(runs);
    }

    private void loadStreams(Statement statement, LedgerState ledger) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT * FROM stream ORDER BY id");
                PreparedStatement marksOf = connection.prepareStatement(
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
                marksOf.setInt(1, stream.id());
                Totals marks = Totals.of(marksOf);
                uncountedOf.setInt(1, stream.id());
                ledger.add(Watermarks.restored(
                        stream, marks.counters, marks.increments, marks.decrements, uncounted(uncountedOf)));
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

    /**
     * Writes the changes in a transaction, which {@link #commit} then commits. Writing them twice has no further
     * effect.
     *
     * @param attempt the number of this attempt, which no other attempt at a commit of this ledger has
     */
    void write(Changes changes, long attempt) throws SQLException {
        control.execute("BEGIN IMMEDIATE");
        put("attempt", attempt);
        put("format", FORMAT);
        put("id", changes.head().id());
        put("commit", changes.head().commit());
        put("clock", changes.head().clockMillis());
        put("listened", changes.head().listenedMillis());
        put("watch", changes.head().watchMillis());
        put("adopts", changes.head().adopts() ? 1 : 0);
        put(changes.counters());
        put(changes.counters().facts());
        put(changes.moves());
        for (Watermarks marks : changes.streams()) {
            put(marks.stream());
            for (int i = 0; i < marks.counters().length; i++) {
                putWatermark.setInt(1, marks.stream().id());
                putWatermark.setInt(2, marks.counters()[i]);
                putWatermark.setLong(3, marks.increments()[i]);
                putWatermark.setLong(4, marks.decrements()[i]);
                add(putWatermark);
            }
            for (int i = 0; i < marks.uncounted().counters().length; i++) {
                putUncounted.setInt(1, marks.stream().id());
                putUncounted.setInt(2, marks.uncounted().counters()[i]);
                putUncounted.setLong(3, marks.uncounted().amounts()[i]);
                add(putUncounted);
            }
        }
        for (Dropped dropped : changes.dropped()) {
            dropStream.setInt(1, dropped.stream());
            add(dropStream);
            dropWatermarks.setInt(1, dropped.stream());
            add(dropWatermarks);
            dropUncounted.setInt(1, dropped.stream());
            add(dropUncounted);
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

    /**
     * Commits what was written, and returns when it is synced. If it throws, the transaction may still be committed.
     */
    void commit() throws SQLException {
        control.execute("COMMIT");
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

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
