package io.counters.collector;

import io.counters.collector.ledger.Commit;
import io.counters.collector.ledger.Ledger;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Whether this collector works, for {@code /healthz}. Threads are not checked, because the process ends when one of them
 * fails. A caller waits for nothing: a loop takes the ledger's lock once a second, and the caller only reads when this last
 * succeeded.
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

    /** The problems, one line each; empty if there are none. From any thread. */
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
