package io.counters.collector.ledger;

import java.io.IOException;
import java.util.Map;

/**
 * Stores commits: a file those of one ledger, a fleet's log those of every partition that a collector owns. For one thread at
 * a time.
 */
public interface Journal {
    /** Writes the changes of these ledgers, all of them or nothing, and returns when no crash can undo it. */
    void write(Map<Ledger, Changes> changes) throws IOException;

    /** Whether it must write something although no ledger has changed. */
    default boolean isBehind() {
        return false;
    }

    /** How many watermarks of a stream it stores together: if one of them changes, it needs all. */
    default int watermarksAtOnce() {
        return 1;
    }
}
