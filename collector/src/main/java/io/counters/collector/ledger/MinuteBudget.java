package io.counters.collector.ledger;

/** How much may be taken in each minute. Not for several threads at once. */
final class MinuteBudget {
    private static final long MINUTE_MILLIS = 60_000;

    private final long most;
    private long minute = -1;
    private long taken;

    /** @param most in a minute */
    MinuteBudget(long most) {
        this.most = most;
    }

    /** What is left in this minute. */
    long left(long nowMillis) {
        if (nowMillis / MINUTE_MILLIS != minute) {
            minute = nowMillis / MINUTE_MILLIS;
            taken = 0;
        }
        return most - taken;
    }

    /** Takes some of what is left in the minute of the last call of {@link #left}. */
    void take(long amount) {
        taken += amount;
    }
}
