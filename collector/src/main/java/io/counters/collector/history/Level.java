package io.counters.collector.history;

import io.counters.collector.common.Bytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is in memory of one resolution: the value of each series at its last tick, the open blocks, and which ticks took
 * place. Recorder's lock guards all of it. A series has a slot of {@link KeptCounters}.
 *
 * <p>Each tick has a number and writes a row, which contains for each series that changed:
 *
 * <pre>
 *   number: zigzag(series - the series before in this row) * 4 + kind
 *   MOVES, MOVES_AND_ENDS   signed: the new value - the old one
 *   ENDS                    -
 *   ENTERS                  signed: the value
 * </pre>
 *
 * ENDS means that the open block ended with this tick, so that it is a row of table block from now on.
 *
 * <p>The state has the values before the first row, so that older rows can be deleted:
 *
 * <pre>
 *   for each series:  signed: series - the series before
 *                     signed: its value
 *                     number: the tick from which on rows are about it, - the number of the last row deleted
 * </pre>
 */
final class Level {
    static final int MOVES = 0;
    static final int MOVES_AND_ENDS = 1;
    static final int ENDS = 2;
    static final int ENTERS = 3;
    private static final int NONE = -1;
    private static final int KIND_BITS = 2;
    private static final int KINDS = 3;

    /** A block that reaches this size ends: larger ones would save little, and there is one in memory for every series. */
    static final int BLOCK_BYTES = 240;

    /** How often old blocks are ended and rows are deleted. */
    private static final int CLEAN_TICKS = 64;

    /** A block ends after this many ticks, if its rows take few bytes. */
    private static final int AGE_TICKS_MAX = 4320;

    private static final int AGE_TICKS_MIN = 2 * CLEAN_TICKS;

    /** No block spans a longer time without ticks. */
    private static final long FAR_SECONDS = 3_600;

    private static final long FAR_TICKS = 12;

    /** The last second before the first tick. */
    static final long NEVER = Long.MIN_VALUE;

    final Resolution resolution;
    final int stepSeconds;
    final long keepSeconds;
    private final long rowBytesMax;

    private final @Nullable OpenBlock[] open;
    private final long[] values;
    private final BitSet kept = new BitSet();

    /** Blocks that ended, until they are committed. */
    private final List<Ended> ended = new ArrayList<>();

    final TickRuns runs;

    private int era;
    private long tick;
    private long lastSecond = NEVER;

    private final Bytes row = new Bytes();
    private long rowSeries;
    private long rowBytes;

    /** Rows up to this tick are deleted. */
    private long edge;

    private @Nullable Bytes state;

    /** A block that is no longer open. */
    record Ended(long series, int era, Block block) {}

    /**
     * @param slots how many series there may be
     * @param rowBytesMax about how many bytes the rows may take
     */
    Level(Resolution resolution, int stepSeconds, long keepSeconds, int slots, long rowBytesMax) {
        this.resolution = resolution;
        this.stepSeconds = stepSeconds;
        this.keepSeconds = keepSeconds;
        this.rowBytesMax = rowBytesMax;
        runs = new TickRuns(stepSeconds, keepSeconds);
        open = new OpenBlock[slots];
        values = new long[slots];
    }

    // A tick

    /** Whether the tick of this second is one of this resolution: the first one, and the first in each step. */
    boolean isDue(long second) {
        return lastSecond == NEVER
                || resolution == Resolution.TICKS
                || Math.floorDiv(second, stepSeconds) != Math.floorDiv(lastSecond, stepSeconds);
    }

    /** Begins a tick; {@link #set} then gives its values, and {@link #end} ends it. */
    void begin(KeptCounters counters, long second) {
        boolean isBack = second <= lastSecond;
        if (lastSecond != NEVER && (isBack || second - lastSecond > Math.max(FAR_SECONDS, FAR_TICKS * stepSeconds))) {
            // This second is not later than the last one, or so much later that the clock may be wrong.
            endAll(counters);
            era += isBack ? 1 : 0;
        }
        tick++;
        lastSecond = second;
        row.clear();
        rowSeries = 0;
        runs.add(era, second);
    }

    /** The value of a series at the tick that was begun. */
    void set(int slot, long series, long value) {
        long before = values[slot];
        if (!kept.get(slot)) {
            kept.set(slot);
            OpenBlock points = new OpenBlock(stepSeconds, tick, lastSecond, false, 0);
            points.add(lastSecond, value);
            open[slot] = points;
            values[slot] = value;
            addToRow(series, ENTERS);
            row.addSigned(value);
        } else if (value != before) {
            OpenBlock points = open[slot];
            if (points == null) {
                points = new OpenBlock(stepSeconds, tick, lastSecond, true, before);
                open[slot] = points;
            }
            points.add(lastSecond, value);
            values[slot] = value;
            boolean isFull = points.size() >= BLOCK_BYTES;
            addToRow(series, isFull ? MOVES_AND_ENDS : MOVES);
            row.addSigned(value - before);
            if (isFull) {
                end(slot, series, points.block());
            }
        }
    }

    private void addToRow(long series, int kind) {
        row.addNumber((Bytes.zigzag(series - rowSeries) << KIND_BITS) | kind);
        rowSeries = series;
    }

    private void end(int slot, long series, Block block) {
        ended.add(new Ended(series, era, block));
        open[slot] = null;
    }

    /** Ends a tick; every {@value #CLEAN_TICKS} ticks, old blocks end too. */
    void end(KeptCounters counters) {
        if (tick % CLEAN_TICKS == 0) {
            long age = Math.max(AGE_TICKS_MIN, Math.min(AGE_TICKS_MAX, rowBytesMax / averageRowBytes()));
            long oldest = tick + 1;
            for (int slot = 0; slot < counters.slots(); slot++) {
                OpenBlock points = open[slot];
                if (points != null && points.firstTick <= tick - age) {
                    addToRow(counters.series(slot), ENDS);
                    end(slot, counters.series(slot), points.block());
                } else if (points != null) {
                    oldest = Math.min(oldest, points.firstTick);
                }
            }
            rowBytes += row.length();
            if (oldest - 1 - edge >= CLEAN_TICKS) {
                rowBytes -= averageRowBytes() * (oldest - 1 - edge);
                edge = oldest - 1;
                state = state(counters);
            }
        } else {
            rowBytes += row.length();
        }
    }

    private long averageRowBytes() {
        return Math.max(1, rowBytes / Math.max(1, tick - edge));
    }

    /** What is needed, in addition to the rows after {@link #edge}, to restore everything as it is now. */
    private Bytes state(KeptCounters counters) {
        Bytes all = new Bytes();
        long before = 0;
        for (int slot = 0; slot < counters.slots(); slot++) {
            OpenBlock points = open[slot];
            // If a series began with its open block, the row of that tick has its value.
            if (kept.get(slot) && (points == null || points.continues())) {
                all.addSigned(counters.series(slot) - before);
                all.addSigned(points == null ? values[slot] : points.before());
                all.addNumber((points == null ? tick + 1 : points.firstTick) - edge);
                before = counters.series(slot);
            }
        }
        return all;
    }

    private void endAll(KeptCounters counters) {
        for (int slot = 0; slot < counters.slots(); slot++) {
            OpenBlock points = open[slot];
            if (points != null) {
                end(slot, counters.series(slot), points.block());
            }
        }
        edge = tick;
        rowBytes = 0;
        state = state(counters);
    }

    /** The series is no longer kept; its last value is that of the last tick. */
    void leave(int slot, long series) {
        if (kept.get(slot)) {
            OpenBlock points = open[slot];
            end(
                    slot,
                    series,
                    points == null
                            ? OpenBlock.unchanged(stepSeconds, lastSecond, values[slot])
                            : points.block(lastSecond));
            kept.clear(slot);
        }
    }

    // What is to be written

    List<Ended> ended() {
        return List.copyOf(ended);
    }

    long tick() {
        return tick;
    }

    byte[] row() {
        return row.toArray();
    }

    /** The state to be written, after which the rows up to {@link #edge} are to be deleted; null where it stays. */
    byte @Nullable [] newState() {
        return state == null ? null : state.toArray();
    }

    long edge() {
        return edge;
    }

    int era() {
        return era;
    }

    /** Called when all of this is in the file. */
    void committed() {
        ended.clear();
        runs.committed();
        state = null;
    }

    /** The second of the last tick; {@link #NEVER} before the first. */
    long lastSecond() {
        return lastSecond;
    }

    /** The blocks of this series that may not be in the file yet, in their order. */
    List<Ended> unwritten(int slot, long series) {
        List<Ended> blocks = new ArrayList<>();
        for (Ended block : ended) {
            if (block.series == series) {
                blocks.add(block);
            }
        }
        OpenBlock points = slot < 0 ? null : open[slot];
        if (points != null) {
            blocks.add(new Ended(series, era, points.block()));
        }
        return blocks;
    }

    boolean isKept(int slot) {
        return kept.get(slot);
    }

    long value(int slot) {
        return values[slot];
    }

    // Restoring

    /** Restores what was in the file, except the rows, which follow. */
    final class Loading {
        private final KeptCounters counters;
        private final Map<Long, Integer> slots;
        private final long[] from = new long[open.length];

        /** @param slots of the series that are kept */
        Loading(KeptCounters counters, Map<Long, Integer> slots, List<TickRuns.Run> earlier) {
            this.counters = counters;
            this.slots = slots;
            runs.restore(earlier);
            if (!earlier.isEmpty()) {
                lastSecond = earlier.get(earlier.size() - 1).last();
            }
        }

        void state(int stateEra, long stateEdge, long stateTick, byte[] data) {
            era = stateEra;
            edge = stateEdge;
            tick = stateTick;
            Bytes.Reader in = new Bytes.Reader(data, DamagedHistory::new);
            long series = 0;
            while (in.hasMore()) {
                series += in.signed();
                long value = in.signed();
                long begins = in.number();
                int slot = slots.getOrDefault(series, NONE);
                if (slot >= 0) {
                    kept.set(slot);
                    values[slot] = value;
                    from[slot] = edge + begins;
                }
            }
        }

        void row(long number, long second, byte[] data) {
            tick = Math.max(tick, number);
            rowBytes += data.length;
            Bytes.Reader in = new Bytes.Reader(data, DamagedHistory::new);
            long series = 0;
            while (in.hasMore()) {
                long head = in.number();
                series += Bytes.unZigzag(head >>> KIND_BITS);
                int kind = (int) head & KINDS;
                long value = kind == ENDS ? 0 : in.signed();
                int slot = slots.getOrDefault(series, NONE);
                if (slot >= 0 && number >= from[slot]) {
                    change(slot, number, second, kind, value);
                }
            }
        }

        private void change(int slot, long number, long second, int kind, long value) {
            if (kind == ENTERS) {
                kept.set(slot);
                values[slot] = value;
                OpenBlock points = new OpenBlock(stepSeconds, number, second, false, 0);
                points.add(second, value);
                open[slot] = points;
            } else if (kept.get(slot) && kind == ENDS) {
                open[slot] = null;
            } else if (kept.get(slot)) {
                OpenBlock points = open[slot];
                if (points == null) {
                    points = new OpenBlock(stepSeconds, number, second, true, values[slot]);
                    open[slot] = points;
                }
                values[slot] += value;
                points.add(second, values[slot]);
                if (kind == MOVES_AND_ENDS) {
                    open[slot] = null;
                }
            }
            if (kind != ENDS) {
                counters.moved(slot, second);
            }
        }
    }

    @Override
    public String toString() {
        return resolution + Arrays.toString(new long[] {era, tick, lastSecond});
    }
}
