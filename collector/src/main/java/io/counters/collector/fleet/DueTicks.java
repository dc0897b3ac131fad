package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Decides which partitions have a tick in the owner's next transaction, and of which second. For the owner's thread. */
final class DueTicks {
    private final Supplier<OptionalLong> due;
    private final LongSupplier wallMillis;
    private final LongAdder skipped;

    /** The second that was due last. */
    private OptionalLong last = OptionalLong.empty();

    /** @param due the second of a tick, when it is due */
    DueTicks(Supplier<OptionalLong> due, LongSupplier wallMillis, Metrics metrics) {
        this.due = due;
        this.wallMillis = wallMillis;
        skipped = metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    /**
     * If a tick is due, uses its second for each of these partitions that has begun and has not used it. Of ticks that wait
     * for a commit only the last one is kept.
     *
     * @return whether there is something to commit
     */
    boolean use(Collection<OwnedPartition> parts) {
        OptionalLong second = due.get();
        if (second.isEmpty()) {
            return false;
        }
        last = second;
        boolean isUsed = false;
        boolean isSkipped = false;
        for (OwnedPartition part : parts) {
            if (!part.hasBegun) {
                continue;
            }
            OptionalLong free = part.ledger.publishInOrder(second.getAsLong());
            isSkipped |= free.isEmpty() || part.tick.isPresent();
            if (free.isPresent()) {
                part.tick = free;
                isUsed = true;
            }
        }
        if (isSkipped) {
            skipped.increment();
        }
        return isUsed;
    }

    /**
     * Uses the second that was due last for a partition that begins, unless its former owner did: the counters of an owner
     * that was killed have a point as soon as they are loaded, and not only an interval later. After the clock was set back
     * that second may be far ahead, where it would keep all ticks until then from being used.
     *
     * @return whether there is something to commit
     */
    boolean begin(OwnedPartition part) {
        if (last.isEmpty() || TimeUnit.SECONDS.toMillis(last.getAsLong()) > wallMillis.getAsLong()) {
            return false;
        }
        part.tick = part.ledger.publishInOrder(last.getAsLong());
        return part.tick.isPresent();
    }
}
