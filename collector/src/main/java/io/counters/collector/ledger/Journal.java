package io.counters.collector.ledger;

import java.io.IOException;

/** Where commits go, and what a ledger takes up again after its end. For one thread at a time. */
public interface Journal {
    /** Writes the changes, all of them or nothing, and returns when no crash can undo it. */
    void write(Changes changes) throws IOException;

    /** Gives an empty ledger all that was written. */
    void load(Ledger ledger) throws IOException;
}
