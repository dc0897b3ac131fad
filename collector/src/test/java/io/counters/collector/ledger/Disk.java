package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import java.util.SortedMap;

/** Commits what changed in a ledger to memory, which outlives it; without the cost of a file. */
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

    /** Lets a commit fail, as on a full disk. */
    void fail(Ledger ledger) {
        Changes changes = ledger.changes();
        if (changes != null) {
            ledger.putBack(changes);
        }
    }

    /** Gives an empty ledger all that was committed. */
    void load(Ledger ledger) {
        journal.load(ledger);
    }

    /** The counter as the last commit has it. */
    CounterRow counter(int id) {
        return journal.counter(id);
    }

    /** Every counter's committed value. */
    SortedMap<String, Long> values() {
        return journal.values();
    }
}
