package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import java.util.Collection;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Decides which partitions have a tick in the owner's next transaction, and of which second: each of them when a tick is due.
 * One that has begun since the last one was due has that one, too, unless its former owner did, so that a collector that was
 * killed leaves no gap if its partitions are taken over before the next one. It contains the lines that were received up to
 * its second: the first later one waits until it is committed. For the owner's thread.
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

    /** @param due the second of a tick, when it is due */
    DueTicks(Supplier<OptionalLong> due, OwnerLog lines, LongSupplier wallMillis, Metrics metrics) {
        this.due = due;
        this.lines = lines;
        this.wallMillis = wallMillis;
        skipped = metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    /** Called when a partition begins. A second ahead of a clock that was set back would keep all until then from use. */
    void begun(OwnedPartition part) {
        long ago = wallMillis.getAsLong() - millis(last.orElse(0));
        part.missed = ago >= 0 && ago < LAST_MILLIS_MAX ? last : OptionalLong.empty();
    }

    private static long millis(long second) {
        return TimeUnit.SECONDS.toMillis(second);
    }

    /** Whether a line that was received then must not be merged yet. It is delivered again. */
    boolean waits(OwnedPartition part, long timeMillis) {
        part.waits |= part.missed.isPresent() && timeMillis > millis(part.missed.getAsLong());
        return part.waits;
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
                boolean isOther = part.tick.isPresent();
                boolean isFree = use(part, second);
                isSkipped |= isOther || !isFree;
                isUsed |= isFree;
            } else if (part.missed.isPresent()
                    && (part.waits || lines.lag(part.number).orElse(1) <= 0)) {
                isUsed |= use(part, part.missed);
            }
            if (part.waits && part.tick.isEmpty()) {
                part.waits = false;
                lines.begin(part.number, part.offset);
            }
        }
        if (isSkipped) {
            skipped.increment();
        }
        return isUsed;
    }

    private static boolean use(OwnedPartition part, OptionalLong second) {
        OptionalLong free = part.ledger.publishInOrder(second.getAsLong());
        part.tick = free.isPresent() ? free : part.tick;
        part.missed = OptionalLong.empty();
        return free.isPresent();
    }
}
