package io.counters.collector.ledger;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * One number for every counter, such as its value: now and as committed, in blocks of {@value #BLOCK}. A block that a
 * commit has taken is never changed again; the next change in it makes a copy first. So taking a million values for a
 * commit or for a tick means taking some thousand blocks, and intake does not wait. The ledger's lock protects it.
 */
final class Values {
    static final int BLOCK = 128;

    private static final long[] ZEROS = new long[BLOCK];

    private long[][] now = {ZEROS};

    /** Each block as it was last taken. */
    private long[][] taken = {ZEROS};

    private long[][] committed = {ZEROS};

    static int block(int counter) {
        return counter / BLOCK;
    }

    static int place(int counter) {
        return counter % BLOCK;
    }

    /** Makes room for the counter with this number, whose value is 0. */
    void add(int counter) {
        if (block(counter) == now.length) {
            now = longer(now);
            taken = longer(taken);
            committed = longer(committed);
        }
    }

    private static long[][] longer(long[][] blocks) {
        long[][] longer = Arrays.copyOf(blocks, 2 * blocks.length);
        Arrays.fill(longer, blocks.length, longer.length, ZEROS);
        return longer;
    }

    /** Restores the next counter as an earlier run committed it. */
    void restore(int counter, long value) {
        add(counter);
        int block = block(counter);
        if (place(counter) == 0) {
            now[block] = new long[BLOCK];
            taken[block] = now[block];
            committed[block] = now[block];
        }
        now[block][place(counter)] = value;
    }

    long get(int counter) {
        return now[block(counter)][place(counter)];
    }

    /**
     * Adds to a counter, up to the end of the range.
     *
     * @return whether the whole difference was added
     */
    boolean move(int counter, long difference) {
        long[] values = changeable(block(counter));
        long before = values[place(counter)];
        long sum = sum(before, difference);
        values[place(counter)] = sum;
        return sum == before + difference;
    }

    /** Sets a counter to 0. */
    void reset(int counter) {
        if (get(counter) != 0) {
            changeable(block(counter))[place(counter)] = 0;
        }
    }

    @SuppressWarnings("ReferenceEquality") // Compares the arrays, not their contents.
    private long[] changeable(int block) {
        long[] values = now[block];
        if (values == taken[block]) {
            values = values.clone();
            now[block] = values;
        }
        return values;
    }

    /** The sum of two numbers, or the end of the range if it exceeds 64 bits. */
    static long sum(long a, long b) {
        long sum = a + b;
        return ((a ^ sum) & (b ^ sum)) >= 0 ? sum : b < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }

    /** The numbers of the blocks with any of these counters. */
    static int[] blocks(BitSet counters) {
        int[] blocks = new int[block(counters.length()) + 1];
        int count = 0;
        for (int counter = counters.nextSetBit(0); counter >= 0; ) {
            blocks[count] = block(counter);
            counter = counters.nextSetBit((blocks[count++] + 1) * BLOCK);
        }
        return Arrays.copyOf(blocks, count);
    }

    /** Takes these blocks as they are now. */
    long[][] take(int[] blocks) {
        long[][] values = new long[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            values[i] = now[blocks[i]];
            taken[blocks[i]] = values[i];
        }
        return values;
    }

    /** Takes those of these blocks that differ from what is committed; null in place of the others. */
    @SuppressWarnings("ReferenceEquality")
    long[] @Nullable [] takeChanged(int[] blocks) {
        long[][] values = take(blocks);
        long[] @Nullable [] changed = new long[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            changed[i] = values[i] == committed[blocks[i]] ? null : values[i];
        }
        return changed;
    }

    /** Called when the taken blocks are committed; null means an unchanged block. */
    void committed(int[] blocks, long[] @Nullable [] values) {
        for (int i = 0; i < blocks.length; i++) {
            long[] block = values[i];
            if (block != null) {
                committed[blocks[i]] = block;
            }
        }
    }

    /** These blocks as committed. */
    long[][] committed(int[] blocks) {
        long[][] values = new long[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            values[i] = committed[blocks[i]];
        }
        return values;
    }

    long committed(int counter) {
        return committed[block(counter)][place(counter)];
    }

    /** All blocks as committed. */
    long[][] committed() {
        return committed.clone();
    }
}
