package io.counters.collector.ledger;

import java.io.IOException;

/** Stores commits, and restores a ledger from them. For one thread at a time. */
public interface Journal {
    /** Writes the changes, all of them or nothing, and returns when no crash can undo it. */
    void write(Changes changes) throws IOException;

    /** Fills an empty ledger with everything that was written. */
    void load(Ledger ledger) throws IOException;
}
