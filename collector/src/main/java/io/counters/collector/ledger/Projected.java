package io.counters.collector.ledger;

/** What the ledger knows of a counter's key in the shared store. */
enum Projected {
    /** Never looked at: what is found there is somebody's count from before, and the counter begins at it. */
    NEW,
    /** It held the pushed value when it was last heard of. */
    KNOWN,
    /** An increment from the pushed value to the goal was sent; whether it happened is not known. */
    MOVING,
    /** It is not there: it never was, was evicted or flushed, or the store was restarted empty. Or nobody has looked yet. */
    MISSING,
    /** An add of the goal was sent; whether it happened is not known. */
    ADDING
}
