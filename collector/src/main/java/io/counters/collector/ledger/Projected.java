package io.counters.collector.ledger;

/** What the ledger knows of a counter's key in the store. */
enum Projected {
    /** Never read: a value that is found there is an earlier count, and the counter starts from it. */
    NEW,
    /** It had the pushed value when it was last read or written. */
    KNOWN,
    /** An increment from the pushed value to the goal was sent; whether it happened is not known. */
    MOVING,
    /**
     * It is missing: it never existed, was evicted or flushed, or the store was restarted empty. Or it has not been
     * read yet.
     */
    MISSING,
    /** An add of the goal was sent; whether it happened is not known. */
    ADDING
}
