package io.counters.collector.ledger;

/** What the ledger knows of a counter's key in the shared store. The numbers are written to the ledger's file. */
enum Projected {
    /** Never looked at: what is found there is somebody's count from before, and the counter begins at it. */
    NEW(0),
    /** It held the pushed value when it was last heard of. */
    KNOWN(1),
    /** A push from the pushed value to the goal was committed; whether it happened is not known. */
    MOVING(2),
    /** It is not there: it never was, was evicted or flushed, or the store was restarted empty. */
    MISSING(3),
    /** An add of the goal was committed; whether it happened is not known. */
    ADDING(4);

    final int number;

    Projected(int number) {
        this.number = number;
    }

    static Projected of(int number) {
        for (Projected state : values()) {
            if (state.number == number) {
                return state;
            }
        }
        throw new IllegalArgumentException("state " + number + " of a pushed counter is unknown to this version");
    }

    /** Whether a push was committed whose outcome is not known. */
    boolean isUnderWay() {
        return this == MOVING || this == ADDING;
    }
}
