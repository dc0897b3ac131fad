package io.counters.collector.ledger;

import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger knows about each counter besides its value: when it was created, whether it was ever decremented, what it
 * adopted from the store, and whether it was removed. All of this changes rarely. In blocks, like {@link Values}. The
 * ledger's lock protects it.
 */
final class CounterFacts {
    /** Instead of a Unix second: it is not known, because the counter is older than the facts. */
    static final int UNKNOWN = 0;

    private static final long SECOND_MAX = 0xffff_ffffL;

    /** The second in which each counter was created, unsigned, so up to the year 2106. */
    private int[][] created = new int[8][];

    /** What each counter adopted; a block in which none did is null. */
    private long[] @Nullable [] adopted = new long[8][];

    private final BitSet decremented = new BitSet();
    private final BitSet removed = new BitSet();

    /** The counters that were removed, as committed; never changed after they were restored. */
    private BitSet committedRemoved = new BitSet();

    /** Counters that no commit contains: new ones, and those that are back. */
    private BitSet fresh = new BitSet();

    /** Blocks with changes that no commit contains. */
    private BitSet changed = new BitSet();

    /** The same for the commit that is being written. */
    private BitSet committingFresh = new BitSet();

    private BitSet committing = new BitSet();
    private BitSet committingRemoved = new BitSet();

    /** A second of Unix time as an unsigned 32-bit number. */
    static int second(long second) {
        return (int) Math.max(0, Math.min(SECOND_MAX, second));
    }

    /** Adds the counter with this number. */
    void add(int counter) {
        makeRoom(counter);
        fresh.set(counter);
        changed.set(Values.block(counter));
    }

    private void makeRoom(int counter) {
        int block = Values.block(counter);
        if (block == created.length) {
            created = Arrays.copyOf(created, 2 * block);
            adopted = Arrays.copyOf(adopted, 2 * block);
        }
        if (Values.place(counter) == 0) {
            created[block] = new int[Values.BLOCK];
        }
    }

    /** Restores the next counter as an earlier run committed it. */
    void restore(Changes.CounterRow row) {
        makeRoom(row.id());
        created[Values.block(row.id())][Values.place(row.id())] = row.created();
        if (row.adopted() != 0) {
            addAdopted(row.id(), row.adopted());
        }
        if (row.isDecremented()) {
            decremented.set(row.id());
        } else if (row.value() < 0) {
            // A version without facts decremented it.
            decrement(row.id());
        }
        // If the value is not 0, a version without facts has counted since.
        if (row.isRemoved() && row.value() == 0) {
            removed.set(row.id());
            committedRemoved.set(row.id());
        }
    }

    /** Adds what another ledger knows about a counter: what either has counted is shown, since the earlier second. */
    void add(int counter, Changes.CounterRow row) {
        if (row.isDecremented()) {
            decrement(counter);
        }
        if (!row.isRemoved()) {
            int[] of = created[Values.block(counter)];
            int place = Values.place(counter);
            boolean isEarlier = Integer.compareUnsigned(row.created(), of[place]) < 0;
            of[place] = removed.get(counter) || isEarlier ? row.created() : of[place];
            removed.clear(counter);
            changed.set(Values.block(counter));
        }
    }

    /** Makes the next commit write what is known about a counter. */
    void note(int counter) {
        changed.set(Values.block(counter));
    }

    /** Called when a counter was decremented. */
    void decrement(int counter) {
        if (!decremented.get(counter)) {
            decremented.set(counter);
            changed.set(Values.block(counter));
        }
    }

    /** Called when something was applied to a counter. */
    void applied(int counter, long difference) {
        if (difference < 0) {
            decrement(counter);
        }
        if (!removed.isEmpty() && removed.get(counter)) {
            removed.clear(counter);
            fresh.set(counter);
            changed.set(Values.block(counter));
        }
    }

    /** Called when a counter took over the value of its key. */
    void adopt(int counter, long value) {
        addAdopted(counter, value);
        changed.set(Values.block(counter));
        applied(counter, value);
    }

    private void addAdopted(int counter, long value) {
        int block = Values.block(counter);
        long[] of = adopted[block];
        if (of == null) {
            of = new long[Values.BLOCK];
            adopted[block] = of;
        }
        of[Values.place(counter)] += value;
    }

    /** Removes a counter. That it was decremented is remembered: the watermarks that stay show it, too. */
    void remove(int counter) {
        removed.set(counter);
        fresh.clear(counter);
        created[Values.block(counter)][Values.place(counter)] = UNKNOWN;
        long[] of = adopted[Values.block(counter)];
        if (of != null) {
            of[Values.place(counter)] = 0;
        }
        changed.set(Values.block(counter));
    }

    boolean isRemoved(int counter) {
        return removed.get(counter);
    }

    /** How many counters are removed. */
    int removed() {
        return removed.cardinality();
    }

    boolean isDecremented(int counter) {
        return decremented.get(counter);
    }

    long adopted(int counter) {
        long[] of = adopted[Values.block(counter)];
        return of == null ? 0 : of[Values.place(counter)];
    }

    long createdSecond(int counter) {
        return Integer.toUnsignedLong(created[Values.block(counter)][Values.place(counter)]);
    }

    /** All blocks of seconds in which counters were created. A commit may change them meanwhile, each number atomically. */
    int[][] created() {
        return created;
    }

    /** A copy of the counters that were ever decremented. */
    BitSet decremented() {
        return (BitSet) decremented.clone();
    }

    /** The counters that were removed, as committed; callers must not change it. */
    BitSet committedRemoved() {
        return committedRemoved;
    }

    /** The counters that will be removed once what was taken is committed; callers must not change it. */
    BitSet committingRemoved() {
        return committingRemoved;
    }

    // Commits

    boolean isChanged() {
        return !changed.isEmpty();
    }

    /**
     * Returns what changed, for a commit.
     *
     * @param second the commit's second, in which it creates the new counters
     */
    Changes.Facts take(int second) {
        for (int counter = fresh.nextSetBit(0); counter >= 0; counter = fresh.nextSetBit(counter + 1)) {
            created[Values.block(counter)][Values.place(counter)] = second;
        }
        committingFresh = fresh;
        fresh = new BitSet();
        committing = changed;
        changed = new BitSet();
        committingRemoved = (BitSet) removed.clone();
        int[] blocks = committing.stream().toArray();
        int[][] createdOf = new int[blocks.length][];
        byte[][] decrementedOf = new byte[blocks.length][];
        byte[][] removedOf = new byte[blocks.length][];
        long[] @Nullable [] adoptedOf = new long[blocks.length][];
        for (int i = 0; i < blocks.length; i++) {
            int begin = blocks[i] * Values.BLOCK;
            long[] of = adopted[blocks[i]];
            createdOf[i] = created[blocks[i]].clone();
            decrementedOf[i] = decremented.get(begin, begin + Values.BLOCK).toByteArray();
            removedOf[i] = removed.get(begin, begin + Values.BLOCK).toByteArray();
            adoptedOf[i] = of == null ? null : of.clone();
        }
        return new Changes.Facts(blocks, createdOf, decrementedOf, removedOf, adoptedOf);
    }

    /** Called when what was taken is committed. */
    void committed() {
        committedRemoved = committingRemoved;
        committing = new BitSet();
        committingFresh = new BitSet();
    }

    /** Called when what was taken did not reach the disk. */
    void putBack() {
        // Those that were removed meanwhile are not created again.
        committingFresh.andNot(removed);
        fresh.or(committingFresh);
        changed.or(committing);
        committing = new BitSet();
        committingFresh = new BitSet();
    }
}
