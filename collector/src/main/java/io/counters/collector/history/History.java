package io.counters.collector.history;

import io.counters.collector.common.DiskFault;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.Sink;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The values of counters over time. Stores every tick, on the thread of its {@link Sink}, and can be read from any thread,
 * even while it stores a tick.
 *
 * <p>A tick is in the file, synced unless it is a copy, when {@link #put} returns. If it cannot be written, that tick is
 * missing in graphs; it is counted and logged, and the next tick tries again. Counts are never affected.
 */
public final class History implements Sink {
    private static final Logger log = LoggerFactory.getLogger(History.class);

    /** The suffixes of a database's files: SQLite keeps two more beside it. */
    private static final List<String> PARTS = List.of("", "-wal", "-shm");

    /** Logged again after this time, because a collector may permanently have more counters than are kept. */
    private static final long SAID_SECONDS = 3_600;

    /** After so many failures the file counts as damaged, although reading all of it, as the second one did, shows nothing. */
    private static final int DAMAGED_MAX = 2;

    private final HistorySettings settings;
    private final FaultLog faults;
    private final HistoryReaders readers;
    private final LongAdder lost;
    private final LongAdder dropped;

    /** The source of readers; null until the file could be opened. */
    private volatile @Nullable Recorder recorder;

    /** Why the file cannot be used now; null while it can. */
    private volatile @Nullable String trouble;

    /** Whether the file was found damaged, so that all of it is read when it is opened. */
    private volatile boolean isSuspect;

    /** How often in a row the file could not be opened, or a tick not be written, because of damage. */
    private int damaged;

    private volatile long leftOut;
    private long leftOutSaid = Long.MIN_VALUE / 2;
    private boolean closed;

    /** Whether something else has all of it, so that the file need not survive a crash of the machine. */
    private boolean isCopy;

    /**
     * The time of which the history has samples of a counter.
     *
     * @param firstSecond that of its first sample
     * @param lastSecond that of its last sample
     */
    public record Extent(long firstSecond, long lastSecond) {}

    /** Opens the file. If that fails, logs it, and tries again with each tick. */
    public History(HistorySettings settings, FaultLog faults, Metrics metrics) {
        this.settings = settings;
        this.faults = faults;
        readers = new HistoryReaders(settings.file());
        lost = metrics.count("history_lost_ticks_total", "Ticks that are missing in the history.");
        dropped = metrics.count(
                "history_dropped_points_total", "Values deleted from the history because its file was full.");
        metrics.gauge("history_counters", "Counters whose history is kept.", () -> {
            Recorder now = recorder;
            return now == null ? 0 : now.size();
        });
        metrics.gauge(
                "history_counters_max", "The maximum number of counters whose history is kept.", settings::countersMax);
        metrics.gauge(
                "history_left_out_counters",
                "Counters that changed and whose history is not kept because there are too many.",
                () -> leftOut);
        metrics.gauge("history_bytes", "The size of the history's file.", () -> {
            Recorder now = recorder;
            return now == null ? 0 : now.bytes();
        });
        metrics.gauge("history_bytes_max", "The maximum size of the history's file.", settings::bytesMax);
        if (settings.isOn()) {
            try {
                open();
            } catch (SQLException | IOException | RuntimeException failure) {
                failed(failure);
            }
        }
    }

    // The writer

    @Override
    public boolean takesIdle() {
        return true;
    }

    @Override
    public synchronized void put(long second, Snapshot values) {
        if (!settings.isOn() || closed) {
            return;
        }
        try {
            Recorder open = recorder;
            if (open == null || trouble != null || isSuspect) {
                open = open();
            }
            Recorder.Written written = open.put(second, values);
            trouble = null;
            damaged = 0;
            dropped.add(written.droppedPoints());
            say(second, written);
        } catch (SQLException | IOException | RuntimeException | Error failure) {
            // Whatever it is: what is in memory may differ from the file now.
            lost.increment();
            failed(failure);
        }
    }

    /**
     * Forgets everything, because {@link #put} is going to bring the past again. From now on ticks are not synced: thousands
     * come at once, and they come again after a crash.
     */
    public synchronized void clear() {
        if (!settings.isOn() || closed) {
            return;
        }
        isCopy = true;
        try {
            closeRecorder();
            readers.renew();
            for (String part : PARTS) {
                Files.deleteIfExists(part(settings.file(), part));
            }
            damaged = 0;
            open();
            trouble = null;
        } catch (SQLException | IOException | DamagedHistory failure) {
            failed(failure);
        }
    }

    @Override
    public void missed() {
        lost.increment();
    }

    @Override
    public Optional<String> trouble() {
        return Optional.ofNullable(trouble)
                .map(reason -> "cannot write the history " + settings.file() + ": " + reason);
    }

    private void say(long second, Recorder.Written written) {
        leftOut = written.leftOut();
        if (leftOut > 0 && Math.abs(second - leftOutSaid) >= SAID_SECONDS) {
            leftOutSaid = second;
            faults.warn(
                    "history left out",
                    leftOut + " counters that changed have no history, because " + settings.countersMax()
                            + " are kept already and have changed within the last hour; to keep more, raise"
                            + " --history-counters or -Xmx");
        }
        if (written.droppedPoints() > 0) {
            faults.warn(
                    "history full",
                    "the history is full (bytes: " + settings.bytesMax()
                            + "), so its oldest values were deleted (values: " + written.droppedPoints()
                            + "); to keep more, raise --history-bytes");
        }
    }

    /** Reads the file again, because what is in memory may differ from it. */
    private Recorder open() throws SQLException, IOException {
        closeRecorder();
        boolean isChecked = isSuspect;
        Recorder opened;
        try {
            opened = damaged < DAMAGED_MAX ? opened(isChecked) : openedNew(String.valueOf(trouble));
        } catch (SQLException | DamagedHistory found) {
            if (!HistoryFile.isDamage(found)) {
                throw found;
            }
            opened = openedAfter(isChecked);
        }
        isSuspect = false;
        recorder = opened;
        return opened;
    }

    /** The file counts as damaged if two attempts to open it find damage; in between, the whole file is read. */
    private Recorder openedAfter(boolean isChecked) throws SQLException, IOException {
        for (String part : PARTS) {
            Path file = part(settings.file(), part);
            if (Files.exists(file)) {
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(OutputStream.nullOutputStream());
                }
            }
        }
        try {
            return opened(isChecked);
        } catch (SQLException | DamagedHistory found) {
            if (!HistoryFile.isDamage(found)) {
                throw found;
            }
            return openedNew(String.valueOf(found.getMessage()));
        }
    }

    private Recorder openedNew(String why) throws SQLException, IOException {
        Path away = moveAway();
        log.error(
                "the history was damaged ({}) and is set aside as {}; a new one begins, counts are unaffected",
                FaultLog.shown(why),
                away);
        damaged = 0;
        return opened(false);
    }

    private Recorder opened(boolean isChecked) throws SQLException {
        Recorder opened = new Recorder(settings, settings.file(), !isCopy);
        if (isChecked) {
            boolean isSound = false;
            try {
                opened.check();
                isSound = true;
            } finally {
                if (!isSound) {
                    opened.close();
                }
            }
        }
        return opened;
    }

    private static Path part(Path file, String part) {
        return file.resolveSibling(file.getFileName() + part);
    }

    private Path moveAway() throws SQLException, IOException {
        readers.renew();
        Path away;
        int number = 0;
        do {
            away = settings.file().resolveSibling("history.damaged-" + ++number + ".db");
        } while (Files.exists(away));
        for (String part : PARTS) {
            if (Files.exists(part(settings.file(), part))) {
                Files.move(part(settings.file(), part), part(away, part));
            }
        }
        return away;
    }

    private void failed(Throwable failure) {
        try {
            closeRecorder();
        } catch (SQLException alsoFailed) {
            failure.addSuppressed(alsoFailed);
        }
        if (HistoryFile.isDamage(failure)) {
            isSuspect = true;
            damaged++;
        }
        String reason = failure instanceof IOException disk
                ? DiskFault.text(disk)
                : failure instanceof SQLException || failure instanceof DamagedHistory
                        ? String.valueOf(failure.getMessage())
                        : failure.toString();
        trouble = reason;
        faults.warn(
                "history",
                "cannot write the history " + settings.file() + ": " + reason
                        + "; this tick is missing in its graphs, counts are unaffected, and the next tick tries again");
    }

    /** Closes the file; readers continue with what is in memory. */
    private void closeRecorder() throws SQLException {
        Recorder open = recorder;
        if (open != null) {
            open.close();
        }
    }

    // Readers

    /** The samples of a range, including both ends; each part comes from the finest resolution that has it. */
    public Samples samples(String name, long fromSecond, long toSecond) throws IOException {
        return samples(name, fromSecond, toSecond, 1);
    }

    /**
     * The samples of a range, including both ends.
     *
     * @param stepSeconds how far apart samples may be: the coarsest resolution that is not above it is used. What is older
     *     than it keeps comes from a coarser one, and what is newer than its last tick from a finer one
     * @throws IOException when the file cannot be read now; the message gives the reason
     */
    public Samples samples(String name, long fromSecond, long toSecond, int stepSeconds) throws IOException {
        Samples none = new Samples(name, settings.intervalSeconds(), new long[0], new long[0]);
        return ask(
                none, (open, reader) -> new PastSamples(open, reader, name).samples(fromSecond, toSecond, stepSeconds));
    }

    /**
     * Names that begin with this prefix, sorted, including those of counters that the ledger no longer has.
     *
     * @throws IOException when the file cannot be read now
     */
    public List<String> names(String prefix, int max) throws IOException {
        return names(prefix, prefix + Character.MAX_VALUE, max);
    }

    /**
     * Names from {@code from}, inclusive, to {@code before}, exclusive, sorted.
     *
     * @throws IOException when the file cannot be read now
     */
    public List<String> names(String from, String before, int max) throws IOException {
        return ask(List.of(), (open, reader) -> reader.names(from, before, max));
    }

    /**
     * The time of which there are samples of a counter; empty if there are none.
     *
     * @throws IOException when the file cannot be read now
     */
    public Optional<Extent> extent(String name) throws IOException {
        return ask(Optional.empty(), (open, reader) -> extent(open, reader, name));
    }

    private static Optional<Extent> extent(Recorder open, HistoryReader reader, String name) throws SQLException {
        List<HistoryReader.Stay> stays = reader.stays(name);
        if (stays.isEmpty()) {
            return Optional.empty();
        }
        long first = Long.MAX_VALUE;
        long last = Level.NEVER;
        synchronized (open) {
            for (Level level : open.levels()) {
                first = Math.min(first, level.runs.firstSecond());
            }
            if (open.counters().slot(name) >= 0) {
                last = open.levels().get(0).lastSecond();
            }
        }
        first = Math.max(first, stays.get(0).since());
        for (Level level : open.levels()) {
            if (last == Level.NEVER) {
                last = reader.lastSecond(
                        level.resolution, stays.get(stays.size() - 1).series());
            }
        }
        return last < first ? Optional.empty() : Optional.of(new Extent(first, last));
    }

    /** The second of the last tick that was stored; 0 before the first. */
    public long lastSecond() {
        Recorder open = recorder;
        if (open == null || !settings.isOn()) {
            return 0;
        }
        synchronized (open) {
            return Math.max(0, open.levels().get(0).lastSecond());
        }
    }

    /** The maximum number of counters that are kept; 0 if there is no history. */
    public int countersMax() {
        return settings.isOn() ? settings.countersMax() : 0;
    }

    /** How long the value at every tick is kept, in seconds. */
    public long ticksSeconds() {
        return settings.ticksSeconds();
    }

    /** The seconds from one tick to the next. */
    public int stepSeconds() {
        return settings.intervalSeconds();
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask(Recorder open, HistoryReader reader) throws SQLException, IOException;
    }

    private <T> T ask(T nothing, Question<T> question) throws IOException {
        if (!settings.isOn()) {
            return nothing;
        }
        Recorder open = recorder;
        if (open == null) {
            throw new IOException("cannot read the history " + settings.file() + ": " + trouble);
        }
        try {
            return readers.read(reader -> question.ask(open, reader));
        } catch (SQLException | DamagedHistory failure) {
            // One block that cannot be read is no reason to discard all others.
            if (failure instanceof SQLException && HistoryFile.isDamage(failure)) {
                isSuspect = true;
            }
            throw new IOException("cannot read the history " + settings.file() + ": " + failure.getMessage(), failure);
        }
    }

    @Override
    public String label() {
        return "history";
    }

    /** The file, and how many counters it keeps; for the log. */
    @Override
    public String toString() {
        return settings.isOn()
                ? settings.file() + ", " + settings.countersMax() + " counters at most"
                : "none; to keep one, use --history-counters 20000";
    }

    @Override
    public synchronized void close() {
        closed = true;
        try {
            readers.close();
            closeRecorder();
        } catch (SQLException failure) {
            log.warn("the history {} did not close: {}", settings.file(), failure.getMessage());
        }
    }
}
