package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Decides which partitions have a tick in the owner's next transaction, and of which second: each of them when a tick is due,
 * and one that has begun since as soon as it has merged the lines that waited. That one uses the second that was due last,
 * unless its former owner did, so that the counters of a collector that was killed have a point again before the next tick
 * is due. For the owner's thread.
 */
final class DueTicks {
    /** How old that second may be. Of older ones a ledger does not know whether a later one was used. */
    private static final long LAST_MILLIS_MAX = TimeUnit.MINUTES.toMillis(1);

    private final Supplier<OptionalLong> due;
    private final OwnerLog lines;
    private final LongSupplier wallMillis;
    private final LongAdder skipped;

    /** The second that was due last. */
    private OptionalLong last = OptionalLong.empty();

    /**
     * @param due the second of a tick, when it is due
     * @param lines says how many lines wait
     */
    DueTicks(Supplier<OptionalLong> due, OwnerLog lines, LongSupplier wallMillis, Metrics metrics) {
        this.due = due;
        this.lines = lines;
        this.wallMillis = wallMillis;
        skipped = metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    /**
     * Uses a second for each partition that has a tick now. Of ticks that wait for a commit only the last one is kept.
     *
     * @return whether there is something to commit
     */
    boolean use(Collection<OwnedPartition> parts) {
        OptionalLong second = due.get();
        last = second.isPresent() ? second : last;
        boolean isUsed = false;
        boolean isSkipped = false;
        for (OwnedPartition part : parts) {
            if (!part.hasBegun) {
                continue;
            }
            if (second.isPresent()) {
                boolean waits = part.tick.isPresent();
                boolean isFree = use(part, second.getAsLong());
                isSkipped |= waits || !isFree;
                isUsed |= isFree;
                part.hasCaughtUp = true;
            } else if (!part.hasCaughtUp && lines.lag(part.number).orElse(1) <= 0) {
                isUsed |= isLastRecent() && use(part, last.getAsLong());
                part.hasCaughtUp = true;
            }
        }
        if (isSkipped) {
            skipped.increment();
        }
        return isUsed;
    }

    private static boolean use(OwnedPartition part, long second) {
        OptionalLong free = part.ledger.publishInOrder(second);
        part.tick = free.isPresent() ? free : part.tick;
        return free.isPresent();
    }

    /** After the clock was set back it is ahead, where it would keep every second until then from being used. */
    private boolean isLastRecent() {
        long millis = wallMillis.getAsLong() - TimeUnit.SECONDS.toMillis(last.orElse(0));
        return last.isPresent() && millis >= 0 && millis < LAST_MILLIS_MAX;
    }
}
