package io.counters.collector.history;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Combines what the file has and what is in memory into samples. For one read. */
final class PastSamples {
    /** One part in this many of the heap's bytes is the maximum number of samples that a read has in memory. */
    private static final int HEAP_PART = 256;

    private static final long SAMPLES_MAX = Runtime.getRuntime().maxMemory() / HEAP_PART;

    private final Recorder recorder;
    private final HistoryReader reader;
    private final String name;
    private final List<Long> stays = new ArrayList<>();

    /** Samples in their order. */
    static final class Found {
        private long[] seconds = new long[64];
        private long[] values = new long[64];
        private int size;

        private void add(long second, long value) {
            if (size == seconds.length) {
                seconds = Arrays.copyOf(seconds, 2 * size);
                values = Arrays.copyOf(values, 2 * size);
            }
            seconds[size] = second;
            values[size++] = value;
        }

        private void addAll(Found more) {
            for (int i = 0; i < more.size; i++) {
                add(more.seconds[i], more.values[i]);
            }
        }

        Samples samples(String name, int stepSeconds) {
            return new Samples(name, stepSeconds, Arrays.copyOf(seconds, size), Arrays.copyOf(values, size));
        }
    }

    /** What is in memory about a counter at one resolution. */
    private record Present(List<TickRuns.Run> runs, List<Level.Ended> unwritten, boolean isKept, long value) {}

    PastSamples(Recorder recorder, HistoryReader reader, String name) throws SQLException {
        this.recorder = recorder;
        this.reader = reader;
        this.name = name;
        for (HistoryReader.Stay stay : reader.stays(name)) {
            stays.add(stay.series());
        }
    }

    /**
     * The samples of a range; each part comes from the resolution that is wanted, or else from the next one that has it.
     *
     * @throws IOException if there are too many for the memory
     */
    Samples samples(long from, long to, int stepSeconds) throws SQLException, IOException {
        List<Level> levels = recorder.levels();
        int wanted = 0;
        while (wanted + 1 < levels.size() && levels.get(wanted + 1).stepSeconds <= stepSeconds) {
            wanted++;
        }
        List<Found> parts = new ArrayList<>();
        long upper = to;
        for (int i = 0; i < levels.size() && upper >= from; i++) {
            long lower;
            synchronized (recorder) {
                // Finer ones are used only for what is newer than the last tick of the one that is wanted.
                lower = i < wanted
                        ? levels.get(i + 1).lastSecond()
                        : levels.get(i).runs.firstSecond() - 1;
            }
            lower = Math.max(lower, from - 1);
            if (lower < upper) {
                parts.add(part(levels.get(i), lower + 1, upper));
                upper = lower;
            }
        }
        Collections.reverse(parts);
        Found all = new Found();
        parts.forEach(all::addAll);
        return all.samples(name, levels.get(wanted).stepSeconds);
    }

    private Found part(Level level, long from, long to) throws SQLException, IOException {
        Present present = present(level, from, to);
        Map<Integer, List<TickRuns.Run>> eras = new TreeMap<>();
        for (TickRuns.Run run : present.runs) {
            eras.computeIfAbsent(run.era(), era -> new ArrayList<>()).add(run);
        }
        Found all = new Found();
        for (Map.Entry<Integer, List<TickRuns.Run>> era : eras.entrySet()) {
            List<Block> blocks = blocks(level, present, era.getKey(), from, to);
            Found found = fill(ticks(era.getValue(), from, to), blocks);
            all = all.size == 0 ? found : merged(all, found);
        }
        return all;
    }

    /** Called before the file is read: what is written in between is then there twice, and not missing. */
    private Present present(Level level, long from, long to) {
        synchronized (recorder) {
            int slot = recorder.counters().slot(name);
            if (slot >= 0 && !stays.contains(recorder.counters().series(slot))) {
                stays.add(recorder.counters().series(slot));
            }
            List<Level.Ended> unwritten = new ArrayList<>();
            for (long stay : stays) {
                boolean isNow = slot >= 0 && recorder.counters().series(slot) == stay;
                unwritten.addAll(level.unwritten(isNow ? slot : -1, stay));
            }
            boolean isKept = slot >= 0 && level.isKept(slot);
            return new Present(level.runs.in(from, to), unwritten, isKept, isKept ? level.value(slot) : 0);
        }
    }

    /** All blocks with values of a range of an era, and then one that begins with the last value, if there is one. */
    private List<Block> blocks(Level level, Present present, int era, long from, long to) throws SQLException {
        List<Block> blocks = new ArrayList<>();
        for (long stay : stays) {
            blocks.addAll(reader.blocks(level.resolution, stay, era, from, to));
        }
        for (Level.Ended unwritten : present.unwritten) {
            boolean isKnown = !blocks.isEmpty()
                    && blocks.get(blocks.size() - 1).last() >= unwritten.block().first();
            if (unwritten.era() == era && !isKnown) {
                blocks.add(unwritten.block());
            }
        }
        if (!blocks.isEmpty() && blocks.get(blocks.size() - 1).first() > to) {
            return blocks;
        }
        for (long stay : stays) {
            List<Block> later = reader.next(level.resolution, stay, era);
            if (!later.isEmpty()) {
                blocks.add(behind(later.get(0)));
                return blocks;
            }
        }
        for (Level.Ended unwritten : present.unwritten) {
            if (unwritten.era() > era) {
                blocks.add(behind(unwritten.block()));
                return blocks;
            }
        }
        if (present.isKept) {
            blocks.add(behind(OpenBlock.unchanged(level.stepSeconds, 0, present.value)));
        }
        return blocks;
    }

    /** The same block, placed after all ticks of this era. */
    private static Block behind(Block block) {
        return new Block(Long.MAX_VALUE, Long.MAX_VALUE, block.bytes());
    }

    private static long[] ticks(List<TickRuns.Run> runs, long from, long to) throws IOException {
        Found ticks = new Found();
        for (TickRuns.Run run : runs) {
            long skipped = Math.max(0, (from - run.first() + run.step() - 1) / run.step());
            long last = Math.min(to, run.last());
            if (ticks.size + (last - run.first()) / run.step() - skipped >= SAMPLES_MAX) {
                throw new IOException(
                        "the history has more than " + SAMPLES_MAX + " samples in this time, the maximum for"
                                + " this heap; ask for a shorter time or a longer step, or give the collector a larger -Xmx");
            }
            for (long second = run.first() + skipped * run.step(); second <= last; second += run.step()) {
                ticks.add(second, 0);
            }
        }
        return Arrays.copyOf(ticks.seconds, ticks.size);
    }

    /** The value at each tick where it is known. */
    private static Found fill(long[] ticks, List<Block> blocks) {
        Found found = new Found();
        Block.Cursor[] cursors = new Block.Cursor[blocks.size()];
        for (int i = 0; i < cursors.length; i++) {
            cursors[i] = blocks.get(i).cursor();
        }
        int at = -1;
        boolean isAhead = false;
        long value = 0;
        for (long tick : ticks) {
            while (at + 1 < cursors.length && blocks.get(at + 1).first() <= tick) {
                at++;
                value = cursors[at].before();
                isAhead = false;
            }
            if (at >= 0) {
                Block.Cursor cursor = cursors[at];
                while (isAhead ? cursor.second() <= tick : cursor.hasNext()) {
                    if (isAhead) {
                        value = cursor.value();
                        isAhead = false;
                    } else {
                        cursor.next();
                        isAhead = true;
                    }
                }
            }
            boolean isInside = at >= 0 && tick <= blocks.get(at).last();
            boolean isNextKnown = at + 1 < cursors.length && cursors[at + 1].continues();
            if (isInside) {
                found.add(tick, value);
            } else if (isNextKnown) {
                found.add(tick, cursors[at + 1].before());
            }
        }
        return found;
    }

    /** Merges both by their seconds; if both have a second, the newer era's value is used. */
    private static Found merged(Found older, Found newer) {
        Found all = new Found();
        int i = 0;
        for (int j = 0; j < newer.size; j++) {
            for (; i < older.size && older.seconds[i] <= newer.seconds[j]; i++) {
                if (older.seconds[i] < newer.seconds[j]) {
                    all.add(older.seconds[i], older.values[i]);
                }
            }
            all.add(newer.seconds[j], newer.values[j]);
        }
        for (; i < older.size; i++) {
            all.add(older.seconds[i], older.values[i]);
        }
        return all;
    }
}
