package io.counters;

import io.counters.cells.Cells;

/**
 * One counter, a handle to keep in a field: counting through it costs a few nanoseconds.
 *
 * <p>Handles of one name count into the same counter. All methods may be called from any thread, never block (but for
 * a moment at a thread's first count), never throw and allocate nothing. A counter is signed and may go below zero.
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

    /** The canonical name that is counted under: tags in order, or {@value Counters#REFUSED} for a bad name. */
    public String name() {
        return name;
    }

    /** Counts one. */
    public void increment() {
        Cells.add(id, 1);
    }

    /** Takes one off. */
    public void decrement() {
        Cells.add(id, -1);
    }

    /**
     * Adds an amount of either sign.
     *
     * @param amount best between -2^53 and 2^53, which is the most that one sweep carries; a larger one arrives over
     *     several sweeps
     */
    public void add(long amount) {
        Cells.add(id, amount);
    }

    @Override
    public String toString() {
        return "Counter[" + name + "]";
    }
}
