package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import java.util.SortedMap;

/** Commits a ledger to memory that outlives it, without the cost of a file. */
final class Disk {
    private final MemoryJournal journal = new MemoryJournal();

    /** Commits what changed in the ledger. */
    void commit(Ledger ledger) {
        Changes changes = ledger.changes();
        if (changes != null) {
            journal.write(changes);
            ledger.committed(changes);
        }
    }

    /** Makes a commit fail, as on a full disk. */
    void fail(Ledger ledger) {
        Changes changes = ledger.changes();
        if (changes != null) {
            ledger.putBack(changes);
        }
    }

    /** Fills an empty ledger with everything that was committed. */
    void load(Ledger ledger) {
        journal.load(ledger);
    }

    /** The counter as in the last commit. */
    CounterRow counter(int id) {
        return journal.counter(id);
    }

    /** Every counter's committed value. */
    SortedMap<String, Long> values() {
        return journal.values();
    }
}
