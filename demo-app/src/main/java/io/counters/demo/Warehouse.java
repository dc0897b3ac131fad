package io.counters.demo;

/**
 * Picks what was sold and orders more, always too late. It knows nothing of counters: it stands for the class that
 * nobody may touch, and {@code shop.counters} counts its calls.
 */
final class Warehouse {
    static final int OWED_MAX = 20;
    static final int DELIVERY = 15;

    private int owed;

    /**
     * Picks so many pieces, of stock that is not there yet. May be called from any thread.
     *
     * @return how many pieces a supplier delivered meanwhile, never as many as are owed: often 0
     */
    synchronized int pick(int pieces) {
        owed += pieces;
        int delivered = owed / (OWED_MAX + 1) * DELIVERY;
        owed -= delivered;
        return delivered;
    }
}
