package io.counters.cells;

import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The cells of one copy of {@link Cells}, as copies hand them to each other: an array of JDK types, {names' ids, owners of
 * the rows, rows, blocks, weak reference to the copy's class, form}. Reads them, and folds the rows of dead threads into
 * the blocks; has no state of its own. The agent's copy of this class is {@code java.lang.CountersCellSource}.
 */
// Threads are compared by identity, because a subclass could override equals.
@SuppressWarnings("ReferenceEquality")
public final class CellSource {
    /** The version of these arrays. Change it with the order, type or meaning of any element. */
    private static final Integer FORM = 1;

    private static final int ELEMENTS = 6;

    /**
     * This many longs at the beginning of a row are unused: garbage collectors place rows next to each other, and no
     * two rows may share a cache line.
     */
    public static final int APART = 16;

    static final int STRIPES = 8;
    static final int BLOCK = 256;

    private CellSource() {}

    static Object[] of(
            Map<String, Integer> ids,
            @Nullable Thread[] owners,
            long[][] rows,
            AtomicReferenceArray<AtomicLongArray> blocks,
            Class<?> copy) {
        return new Object[] {ids, owners, rows, blocks, new WeakReference<Class<?>>(copy), FORM};
    }

    /**
     * A source that belongs to no copy of {@link Cells}, for code that counts in its own row and sweeps it itself, such as
     * a simulation.
     *
     * @param ids as in {@link #names}
     * @param row {@value #APART} longs that are not read, then the count of each id
     */
    public static Object[] of(Map<String, Integer> ids, long[] row) {
        return of(ids, new Thread[0], new long[][] {row}, new AtomicReferenceArray<>(0), CellSource.class);
    }

    /** Whether it is from a release that has the same form. */
    static boolean isOfThisForm(Object[] source) {
        return source.length == ELEMENTS && FORM.equals(source[ELEMENTS - 1]);
    }

    /** The copy's class; null if it was unloaded. */
    static @Nullable Class<?> copy(Object[] source) {
        return (Class<?>) ((WeakReference<?>) source[4]).get();
    }

    /** The ids of a source, by name: dense from 0, never removed. */
    @SuppressWarnings("unchecked")
    public static Map<String, Integer> names(Object[] source) {
        return (Map<String, Integer>) source[0];
    }

    /** The sum of two counts, saturated at the ends of the 64-bit range. */
    public static long sum(long a, long b) {
        long sum = a + b;
        return ((a ^ sum) & (b ^ sum)) >= 0 ? sum : b < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
    }

    /** Adds, to each element of {@code sums}, everything that was ever counted under the id that is its index. */
    @SuppressWarnings("unchecked")
    public static void sum(Object[] source, long[] sums) {
        Thread[] owners = (Thread[]) source[1];
        long[][] rows = (long[][]) source[2];
        AtomicReferenceArray<AtomicLongArray> blocks = (AtomicReferenceArray<AtomicLongArray>) source[3];
        synchronized (owners) {
            fold(owners, rows, blocks);
            for (long[] row : rows) {
                for (int id = row == null ? -1 : Math.min(row.length - APART, sums.length) - 1; id >= 0; id--) {
                    sums[id] = sum(sums[id], row[id + APART]);
                }
            }
            // Under the same lock, because the row of a thread that has ended meanwhile must not be counted again in a
            // block.
            for (int b = 0; b < blocks.length() && b * BLOCK < sums.length; b++) {
                AtomicLongArray block = blocks.get(b);
                int ids = block == null ? 0 : Math.min(BLOCK, sums.length - b * BLOCK);
                for (int i = 0; i < ids; i++) {
                    for (int stripe = 0; stripe < STRIPES; stripe++) {
                        sums[b * BLOCK + i] = sum(sums[b * BLOCK + i], block.get(stripe * BLOCK + i));
                    }
                }
            }
        }
    }

    /** Everything that was ever counted under one id, for a reader of few counters. Takes some microseconds. */
    @SuppressWarnings("unchecked")
    static long sum(Object[] source, int id) {
        Thread[] owners = (Thread[]) source[1];
        long[][] rows = (long[][]) source[2];
        AtomicReferenceArray<AtomicLongArray> blocks = (AtomicReferenceArray<AtomicLongArray>) source[3];
        long sum = 0;
        synchronized (owners) {
            for (long[] row : rows) {
                if (row != null && id + APART < row.length) {
                    sum = sum(sum, row[id + APART]);
                }
            }
            AtomicLongArray block = blocks.get(id / BLOCK);
            for (int stripe = 0; block != null && stripe < STRIPES; stripe++) {
                sum = sum(sum, block.get(stripe * BLOCK + id % BLOCK));
            }
        }
        return sum;
    }

    /** Moves the rows of dead threads into blocks; returns how many owners are alive. */
    static int fold(@Nullable Thread[] owners, long[][] rows, AtomicReferenceArray<AtomicLongArray> blocks) {
        int living = 0;
        for (int place = 0; place < owners.length; place++) {
            Thread owner = owners[place];
            if (owner != null && owner.isAlive()) {
                living++;
            } else if (owner != null) {
                long[] row = rows[place];
                for (int id = 0; id < row.length - APART; id++) {
                    if (row[id + APART] != 0) {
                        block(blocks, id).getAndAdd(id % BLOCK, row[id + APART]);
                        // At once: after a StackOverflowError in the middle of this, no count must be moved again.
                        row[id + APART] = 0;
                    }
                }
                owners[place] = null;
                rows[place] = null;
            }
        }
        return living;
    }

    static AtomicLongArray block(AtomicReferenceArray<AtomicLongArray> blocks, int id) {
        AtomicLongArray block = blocks.get(id / BLOCK);
        if (block == null) {
            AtomicLongArray fresh = new AtomicLongArray(STRIPES * BLOCK);
            // The very first add links a VarHandle, which needs memory: do it now, because later there may be none.
            fresh.getAndAdd(0, 0);
            blocks.compareAndSet(id / BLOCK, null, fresh);
            block = blocks.get(id / BLOCK);
        }
        return block;
    }
}
