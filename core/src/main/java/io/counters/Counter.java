package io.counters;

import io.counters.cells.Cells;

/**
 * A handle of one counter, to keep in a field: counting through it costs a few nanoseconds.
 *
 * <p>All handles of one name count into the same counter. All methods may be called from any thread. They never throw,
 * block only for a moment at a thread's first count, and allocate only the memory of the thread's counts. A counter is
 * signed and may go below zero.
 */
public final class Counter {
    /** The name as the caller gave it, interned. */
    final String asked;

    private final String name;
    private final int id;

    Counter(String asked, String name) {
        this.asked = asked;
        this.name = name;
        this.id = Cells.id(name);
    }

    /** The canonical name of the counter, with its tags sorted; {@value Counters#REFUSED} for an invalid name. */
    public String name() {
        return name;
    }

    /** Adds one. */
    public void increment() {
        Cells.add(id, 1);
    }

    /** Subtracts one. */
    public void decrement() {
        Cells.add(id, -1);
    }

    /**
     * Adds an amount of either sign.
     *
     * @param amount best between -2^53 and 2^53, the limit of one sweep; a larger amount is sent over several sweeps
     */
    public void add(long amount) {
        Cells.add(id, amount);
    }

    @Override
    public String toString() {
        return "Counter[" + name + "]";
    }
}
