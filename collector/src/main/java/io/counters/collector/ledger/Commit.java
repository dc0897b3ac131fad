package io.counters.collector.ledger;

import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.util.concurrent.atomic.LongAdder;

/** Brings what changed in the ledger to its file. Called about every 100 ms, and by who needs it now; any thread. */
public final class Commit {
    private final Ledger ledger;
    private final Journal journal;
    private final FaultLog faults;
    private final LongAdder commits;
    private final LongAdder failures;

    public Commit(Ledger ledger, Journal journal, FaultLog faults, Self self) {
        this.ledger = ledger;
        this.journal = journal;
        this.faults = faults;
        commits = self.count("ledger_commits_total");
        failures = self.count("ledger_failed_commits_total");
    }

    /**
     * Commits what changed so far, and returns when it is on disk; where that fails it is kept for the next time.
     *
     * @return whether all is on disk; if not, nothing new may leave the house
     */
    public synchronized boolean run() {
        Changes changes = ledger.changes();
        if (changes == null) {
            return true;
        }
        try {
            journal.write(changes);
            ledger.committed(changes);
            commits.increment();
            return true;
        } catch (IOException | RuntimeException failure) {
            ledger.putBack(changes);
            failures.increment();
            faults.warn(
                    "commit",
                    failure.getMessage() + "; counting goes on, nothing is pushed or published until it heals");
            return false;
        }
    }
}
