package io.counters.collector.history;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.sqlite.SQLiteConfig;

/** A connection that reads what is committed, independent of the one that writes. For one thread at a time. */
final class HistoryReader implements AutoCloseable {
    private static final int BUSY_MILLIS = 1_000;

    private final Connection connection;
    private final PreparedStatement series;
    private final PreparedStatement names;
    private final Map<Resolution, PreparedStatement> blocks = new EnumMap<>(Resolution.class);
    private final Map<Resolution, PreparedStatement> next = new EnumMap<>(Resolution.class);
    private final Map<Resolution, PreparedStatement> last = new EnumMap<>(Resolution.class);

    /** A time during which a counter was kept. */
    record Stay(long series, long since) {}

    HistoryReader(Path file) throws SQLException {
        SQLiteConfig config = new SQLiteConfig();
        config.setReadOnly(true);
        config.setBusyTimeout(BUSY_MILLIS);
        connection = config.createConnection("jdbc:sqlite:" + file);
        boolean isOpen = false;
        try {
            series = connection.prepareStatement("SELECT id, since FROM series WHERE name = ? ORDER BY id");
            names = connection.prepareStatement(
                    "SELECT DISTINCT name FROM series WHERE name >= ? AND name < ? ORDER BY name LIMIT ?");
            for (Resolution resolution : Resolution.values()) {
                String from = " FROM " + resolution.table("block") + " WHERE series = ? AND ";
                blocks.put(
                        resolution,
                        connection.prepareStatement(
                                "SELECT first, last, data" + from + "era = ? AND last >= ? ORDER BY last"));
                next.put(
                        resolution,
                        connection.prepareStatement(
                                "SELECT first, last, data" + from + "era > ? ORDER BY era, last LIMIT 1"));
                last.put(resolution, connection.prepareStatement("SELECT max(last)" + from + "1"));
            }
            isOpen = true;
        } finally {
            if (!isOpen) {
                connection.close();
            }
        }
    }

    private static PreparedStatement of(Map<Resolution, PreparedStatement> all, Resolution resolution) {
        PreparedStatement statement = all.get(resolution);
        if (statement == null) {
            throw new IllegalStateException(resolution.name());
        }
        return statement;
    }

    /** All stays of a counter of which something is left, in the order of time. */
    List<Stay> stays(String name) throws SQLException {
        List<Stay> stays = new ArrayList<>();
        series.setString(1, name);
        try (ResultSet row = series.executeQuery()) {
            while (row.next()) {
                stays.add(new Stay(row.getLong(1), row.getLong(2)));
            }
        }
        return stays;
    }

    /** Names from {@code from}, inclusive, to {@code before}, exclusive, sorted. */
    List<String> names(String from, String before, int max) throws SQLException {
        List<String> found = new ArrayList<>();
        names.setString(1, from);
        names.setString(2, before);
        names.setInt(3, max);
        try (ResultSet row = names.executeQuery()) {
            while (row.next()) {
                found.add(DamagedHistory.required(row.getString(1)));
            }
        }
        return found;
    }

    /** The blocks of a stay with values of this range, and the one after them, if any. */
    List<Block> blocks(Resolution resolution, long stay, int era, long from, long to) throws SQLException {
        List<Block> found = new ArrayList<>();
        PreparedStatement query = of(blocks, resolution);
        query.setLong(1, stay);
        query.setInt(2, era);
        query.setLong(3, from);
        try (ResultSet row = query.executeQuery()) {
            while (row.next()) {
                Block block = block(row);
                found.add(block);
                if (block.first() > to) {
                    break;
                }
            }
        }
        return found;
    }

    /** The first block of a stay in a later era; none or one. */
    List<Block> next(Resolution resolution, long stay, int era) throws SQLException {
        PreparedStatement query = of(next, resolution);
        query.setLong(1, stay);
        query.setInt(2, era);
        try (ResultSet row = query.executeQuery()) {
            return row.next() ? List.of(block(row)) : List.of();
        }
    }

    private static Block block(ResultSet row) throws SQLException {
        return new Block(row.getLong(1), row.getLong(2), DamagedHistory.required(row.getBytes(3)));
    }

    /** The newest second whose value a block of this stay has; {@link Level#NEVER} if there is none. */
    long lastSecond(Resolution resolution, long stay) throws SQLException {
        PreparedStatement query = of(last, resolution);
        query.setLong(1, stay);
        try (ResultSet row = query.executeQuery()) {
            long second = row.next() ? row.getLong(1) : 0;
            return row.wasNull() ? Level.NEVER : second;
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
