package io.counters.collector.ledger;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes what changed in the ledger to its journal. Called about every 100 ms, and when a caller needs it at once; any
 * thread.
 */
public final class Committer {
    /** From one commit of an embedded ledger to the next; a fleet's owner has its own. */
    public static final long INTERVAL_MILLIS = 100;

    /** The health check reports commits that have failed, or one that has hung, for this time. */
    static final long TROUBLE_SECONDS = 5;

    private static final String UNDER_WAY = "a commit has not returned";

    private final Supplier<List<Ledger>> ledgers;
    private final Journal journal;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LongAdder commits;
    private final LongAdder failures;
    private volatile @Nullable Behind behind;

    /**
     * The state in which the file is behind the ledger.
     *
     * @param sinceNanos when the first commit began that has not succeeded, by the nano clock
     * @param failures how many commits have failed since
     * @param reason why the last one did not succeed
     */
    public record Behind(long sinceNanos, long failures, String reason) {}

    public Committer(Ledger ledger, Journal journal, LongSupplier nanoClock, FaultLog faults, Metrics metrics) {
        this(() -> List.of(ledger), journal, nanoClock, faults, metrics);
    }

    /** @param ledgers which are committed together; they may change between two commits */
    public Committer(
            Supplier<List<Ledger>> ledgers, Journal journal, LongSupplier nanoClock, FaultLog faults, Metrics metrics) {
        this.ledgers = ledgers;
        this.journal = journal;
        this.nanoClock = nanoClock;
        this.faults = faults;
        commits = metrics.count("ledger_commits_total", "Commits of the ledger.");
        failures = metrics.count("ledger_failed_commits_total", "Commits of the ledger that failed.");
    }

    /**
     * Commits what changed so far, and returns when it is on disk. If that fails, the changes are part of the next
     * commit.
     *
     * @return whether everything is on disk; if not, callers must not push or publish
     * @throws BrokenLedger if a ledger was changed only in part; nothing is written any more
     */
    public synchronized boolean run() {
        Map<Ledger, Changes> changes = take();
        if (changes.isEmpty() && !journal.isBehind()) {
            return true;
        }
        Behind before = behind;
        Behind now = before == null ? new Behind(nanoClock.getAsLong(), 0, UNDER_WAY) : before;
        behind = now;
        boolean isWritten = false;
        try {
            journal.write(changes);
            isWritten = true;
        } catch (IOException | RuntimeException failure) {
            failures.increment();
            behind = new Behind(now.sinceNanos, now.failures + 1, String.valueOf(failure.getMessage()));
            faults.warn(
                    "commit",
                    failure.getMessage()
                            + "; counting continues, but nothing is pushed or published until a commit succeeds");
        } finally {
            if (!isWritten) {
                changes.forEach(Ledger::putBack);
            }
        }
        if (isWritten) {
            changes.forEach(Ledger::committed);
            commits.increment();
            behind = null;
            if (now.failures > 0) {
                faults.warn("commit healed", "the ledger is committed again; failed commits: " + now.failures);
            }
        }
        return isWritten;
    }

    /** Takes the changes of all ledgers. If one of them fails, those taken before are put back. */
    private Map<Ledger, Changes> take() {
        Map<Ledger, Changes> changes = new LinkedHashMap<>();
        boolean isTaken = false;
        try {
            for (Ledger ledger : ledgers.get()) {
                ledger.takeSaturations().forEach(saturation -> faults.warn("sum at its end", saturation));
                ledger.takeCloned()
                        .forEach(stream -> faults.warn("cloned stream", stream.address, () -> cloned(stream)));
                Changes changed = ledger.changes(journal.watermarksAtOnce());
                if (changed != null) {
                    changes.put(ledger, changed);
                }
            }
            isTaken = true;
            return changes;
        } finally {
            if (!isTaken) {
                changes.forEach(Ledger::putBack);
            }
        }
    }

    private static String cloned(InboundStream stream) {
        return "the totals of stream " + stream.sender + " from " + AddressKey.text(stream.address)
                + " go back and forth, as if copies of one process sent them; only the copy with the larger total of a counter"
                + " counts. Restart a process that was copied, or copy it with CRaC";
    }

    /** How far the file is behind the ledger; null if it is not. Never waits, not even for a write that hangs. */
    public @Nullable Behind behind() {
        return behind;
    }

    /**
     * The message for the health check, if commits have failed or one has hung for 5 s. Never waits.
     */
    public Optional<String> trouble(long nowNanos) {
        Behind now = behind;
        long seconds = now == null ? 0 : TimeUnit.NANOSECONDS.toSeconds(nowNanos - now.sinceNanos);
        return now == null || seconds < TROUBLE_SECONDS
                ? Optional.empty()
                : Optional.of("the ledger has not been committed for " + seconds + " s: " + now.reason);
    }
}
