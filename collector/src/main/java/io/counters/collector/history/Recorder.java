package io.counters.collector.history;

import io.counters.collector.ledger.Snapshot;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The history in an open file: what it contained when it was opened, and what was added since. A tick changes what is in
 * memory and then the file; after a failure the two may differ, so close this, and create another one from the file.
 *
 * <p>For one writer. Readers take the lock, {@code this}, which is never held during a wait for the disk.
 */
final class Recorder implements AutoCloseable {
    /** How many blocks one tick deletes if the file is too large. */
    private static final int DROPPED_AT_ONCE = 2_000;

    /** The rows of open blocks may take one part in this many of the file, but at most {@link #ROW_BYTES_MAX}. */
    private static final int ROWS_PART = 16;

    private static final long ROW_BYTES_MAX = 8 << 20;

    private final HistorySettings settings;
    private final HistoryFile file;
    private final KeptCounters counters;
    private final List<Level> levels = new ArrayList<>();
    private volatile long bytes;

    /** What a tick led to: how many counters were left out, and how many values were deleted. */
    record Written(long leftOut, long droppedPoints) {}

    /**
     * @param isSynced whether a tick must survive a crash of the machine
     * @throws DamagedHistory if the file contains something impossible
     */
    Recorder(HistorySettings settings, Path path, boolean isSynced) throws SQLException {
        this.settings = settings;
        file = new HistoryFile(path, isSynced);
        boolean isOpen = false;
        try {
            Map<Long, String> kept = file.kept();
            counters = new KeptCounters(settings.countersMax(), kept.size());
            Map<Long, Integer> slots = new HashMap<>();
            kept.forEach((series, name) -> {
                slots.put(series, slots.size());
                counters.restore(series, name);
            });
            for (Resolution resolution : Resolution.values()) {
                if (settings.keepSeconds(resolution) == 0) {
                    file.clear(resolution);
                    continue;
                }
                Level level = new Level(
                        resolution,
                        resolution.stepSeconds(settings.intervalSeconds()),
                        settings.keepSeconds(resolution),
                        Math.max(settings.countersMax(), kept.size()),
                        Math.min(ROW_BYTES_MAX, settings.bytesMax() / ROWS_PART));
                file.load(level, counters, slots);
                levels.add(level);
            }
            restoreValues(slots.size());
            bytes = file.bytes();
            isOpen = true;
        } finally {
            if (!isOpen) {
                file.close();
            }
        }
    }

    /** The finest resolution has the newest values. */
    private void restoreValues(int slots) {
        for (int i = levels.size() - 1; i >= 0; i--) {
            for (int slot = 0; slot < slots; slot++) {
                if (levels.get(i).isKept(slot)) {
                    counters.restoreValue(slot, levels.get(i).value(slot));
                }
            }
        }
    }

    /** Writes a tick. When this returns, all of it is on disk. If this throws, it must be closed, and nothing of it is. */
    Written put(long second, Snapshot tick) throws SQLException {
        KeptCounters.Turn turn = counters.match(second, tick);
        file.begin();
        long[] entering = new long[turn.entering().size()];
        for (int i = 0; i < entering.length; i++) {
            entering[i] = file.enter(turn.entering().get(i), second);
        }
        for (int slot : turn.leaving()) {
            file.leave(counters.series(slot));
        }
        List<Level> due = new ArrayList<>();
        synchronized (this) {
            for (int slot : turn.leaving()) {
                for (Level level : levels) {
                    level.leave(slot, counters.series(slot));
                }
            }
            counters.leave(turn);
            counters.enter(turn, entering, second);
            for (Level level : levels) {
                if (level.isDue(second)) {
                    due.add(level);
                    take(level, second);
                }
            }
        }
        for (Level level : levels) {
            file.writeBlocks(level);
        }
        Set<Long> series = new HashSet<>();
        for (Level level : due) {
            expire(level, series);
            file.write(level);
        }
        long dropped = makeRoom(series);
        file.forget(series);
        file.commit();
        bytes = file.bytes();
        synchronized (this) {
            levels.forEach(Level::committed);
        }
        return new Written(counters.leftOut(), dropped);
    }

    private void take(Level level, long second) {
        level.begin(counters, second);
        for (int slot = 0; slot < counters.slots(); slot++) {
            long series = counters.series(slot);
            if (series != 0) {
                level.set(slot, series, counters.value(slot));
            }
        }
        level.end(counters);
    }

    private void expire(Level level, Set<Long> series) throws SQLException {
        long before = level.runs.expiry();
        if (before != Level.NEVER) {
            series.addAll(file.expire(level, before).series());
            forget(level, before);
        }
    }

    private void forget(Level level, long before) throws SQLException {
        List<Long> gone;
        synchronized (this) {
            gone = level.runs.forget(before);
        }
        file.dropRuns(level, gone);
    }

    /** If the file is too large, deletes the oldest blocks of the largest resolution; returns the number of their values. */
    private long makeRoom(Set<Long> series) throws SQLException {
        if (file.bytes() > settings.bytesMax()) {
            file.shrink();
        }
        if (file.usedBytes() <= settings.bytesMax()) {
            return 0;
        }
        Level largest = levels.get(0);
        for (Level level : levels) {
            if (file.blocks(level) > file.blocks(largest)) {
                largest = level;
            }
        }
        HistoryFile.Dropped dropped = file.drop(largest, DROPPED_AT_ONCE);
        series.addAll(dropped.series());
        if (dropped.lastSecond() != Level.NEVER) {
            forget(largest, dropped.lastSecond() + 1);
            for (TickRuns.Run run : largest.runs.changed()) {
                file.writeRun(largest, run);
            }
        }
        return dropped.points();
    }

    /** Reads the whole file; throws if it is damaged. */
    void check() throws SQLException {
        file.check();
    }

    /** The file's size at the last tick. */
    long bytes() {
        return bytes;
    }

    /** How many counters are kept. */
    synchronized int size() {
        return counters.size();
    }

    /** From the finest to the coarsest. */
    List<Level> levels() {
        return levels;
    }

    KeptCounters counters() {
        return counters;
    }

    @Override
    public void close() throws SQLException {
        file.close();
    }
}
