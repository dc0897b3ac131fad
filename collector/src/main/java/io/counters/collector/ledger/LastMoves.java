package io.counters.collector.ledger;

import java.util.Arrays;
import java.util.BitSet;

/**
 * The second in which each counter last moved, as committed. To find it, all values of a commit are compared with those
 * before it, so the thread that commits does this without the ledger's lock, and only that thread writes here. Other threads
 * may read at any time: each second is written atomically.
 *
 * <p>The seconds are written to the file only every {@value #WRITTEN_EVERY_MILLIS} ms and at the end, because they change
 * with every value. After a crash they are up to this time too early.
 */
final class LastMoves {
    static final long WRITTEN_EVERY_MILLIS = 300_000;

    /** Unsigned, like the seconds of {@link CounterFacts}. */
    private volatile int[][] seconds = new int[8][];

    /** Blocks that have changed since they were written. */
    private final BitSet unwritten = new BitSet();

    private long writtenMillis;

    /**
     * Must be called before changes are noted.
     *
     * @param nowMillis the ledger's time
     */
    void begin(long nowMillis) {
        writtenMillis = nowMillis;
    }

    /** Restores what an earlier run wrote. */
    void restore(int counter, int second) {
        if (second != CounterFacts.UNKNOWN) {
            block(Values.block(counter))[Values.place(counter)] = second;
        }
    }

    /** Makes the next commit at an end write when this counter last moved. */
    void note(int counter) {
        unwritten.set(Values.block(counter));
    }

    private int[] block(int block) {
        int[][] blocks = seconds;
        if (block >= blocks.length) {
            blocks = Arrays.copyOf(blocks, Math.max(2 * blocks.length, block + 1));
            seconds = blocks;
        }
        if (blocks[block] == null) {
            blocks[block] = new int[Values.BLOCK];
        }
        return blocks[block];
    }

    /** Records the second for the counters whose values differ from those before. */
    void note(Changes.Counters counters, int second) {
        for (int i = 0; i < counters.blocks().length; i++) {
            long[] before = counters.before()[i];
            long[] now = counters.values()[i];
            int[] of = block(counters.blocks()[i]);
            for (int place = 0; place < Values.BLOCK; place++) {
                // Without a branch, for speed.
                of[place] = now[place] != before[place] ? second : of[place];
            }
            unwritten.set(counters.blocks()[i]);
        }
    }

    /** Whether there is something to write now. */
    boolean isDue(long nowMillis, boolean isEnd) {
        return !unwritten.isEmpty() && (isEnd || nowMillis - writtenMillis >= WRITTEN_EVERY_MILLIS);
    }

    /** Takes what must be written. */
    Changes.Moves take(long nowMillis) {
        writtenMillis = nowMillis;
        int[] blocks = unwritten.stream().toArray();
        int[][] of = new int[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            of[i] = block(blocks[i]);
        }
        unwritten.clear();
        return new Changes.Moves(blocks, of);
    }

    /** Called when what was taken did not reach the disk: it becomes part of the next commit. */
    void putBack(Changes.Moves moves) {
        for (int block : moves.blocks()) {
            unwritten.set(block);
        }
        writtenMillis -= WRITTEN_EVERY_MILLIS;
    }

    /** The Unix second in which this counter last moved; 0 if it is not known. */
    long second(int counter) {
        int[][] blocks = seconds;
        int block = Values.block(counter);
        return block >= blocks.length || blocks[block] == null
                ? CounterFacts.UNKNOWN
                : Integer.toUnsignedLong(blocks[block][Values.place(counter)]);
    }
}
