package io.counters.demo;

/**
 * Picks what was sold and orders more, always too late. It contains no counting code: it is an example of a class that
 * cannot be changed, whose calls are counted by a rule in {@code shop.counters}.
 */
final class Warehouse {
    static final int OWED_MAX = 20;
    static final int DELIVERY = 15;

    private int owed;

    /**
     * Picks pieces from stock that has not been delivered yet. May be called from any thread.
     *
     * @return the pieces that a supplier delivered meanwhile, always fewer than are owed, and often 0
     */
    synchronized int pick(int pieces) {
        owed += pieces;
        int delivered = owed / (OWED_MAX + 1) * DELIVERY;
        owed -= delivered;
        return delivered;
    }
}
