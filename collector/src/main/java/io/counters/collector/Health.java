package io.counters.collector;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Whether this collector does its work, for {@code /healthz}: that its threads live need not be asked, as the process ends when one
 * of them does. Who asks waits for nothing: what may hang is tried by a loop of
 * its own, and only when that last came through is looked at.
 */
final class Health implements Supplier<List<String>> {
    private static final long LOCK_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    private final Commit commit;
    private final Ledger ledger;
    private final LongSupplier nanoClock;
    private volatile long lockedNanos;

    Health(Commit commit, Ledger ledger, LongSupplier nanoClock) {
        this.commit = commit;
        this.ledger = ledger;
        this.nanoClock = nanoClock;
        lockedNanos = nanoClock.getAsLong();
    }

    /** Takes the ledger's lock, once a second. */
    void look() {
        ledger.size();
        lockedNanos = nanoClock.getAsLong();
    }

    /** What is wrong, a line each; empty when nothing is. From any thread. */
    @Override
    public List<String> get() {
        List<String> troubles = new ArrayList<>();
        long now = nanoClock.getAsLong();
        String uncommitted = commit.trouble(now);
        if (uncommitted != null) {
            troubles.add(uncommitted);
        }
        long age = now - lockedNanos;
        if (age > LOCK_NANOS_MAX) {
            troubles.add("the ledger's lock could not be taken for " + TimeUnit.NANOSECONDS.toSeconds(age) + " s");
        }
        return troubles;
    }
}
