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
 * and one that begins also the tick that was due last, if its former owner missed it. So a collector that is killed leaves no
 * gap if its partitions begin elsewhere before the next tick is due. A missed tick has the lines that were received up to its
 * second, as far as the clocks of the collectors agree: the first later line waits until the tick is committed. For the
 * owner's thread.
 */
final class DueTicks {
    /** How old that second may be. Of older ones a ledger does not know whether a later one was used. */
    private static final long LAST_MILLIS_MAX = TimeUnit.MINUTES.toMillis(1);

    /** That second, and those within a minute after it. */
    private static final long LAST_SECONDS = 61;

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
        long second = last.orElse(0);
        long ago = wallMillis.getAsLong() - millis(second);
        boolean isMissed = ago >= 0 && ago < LAST_MILLIS_MAX && !part.ledger.isOvertaken(second - 1, LAST_SECONDS);
        part.missed = isMissed ? last : OptionalLong.empty();
    }

    private static long millis(long second) {
        return TimeUnit.SECONDS.toMillis(second);
    }

    /** Whether a line that was received then must not be merged yet. {@link #use} has it delivered again. */
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
            if (second.isPresent() && !part.waits) {
                boolean replaces = part.tick.isPresent();
                boolean isFree = use(part, second);
                isSkipped |= replaces || !isFree;
                isUsed |= isFree;
            } else if (part.missed.isPresent()
                    && (part.waits || lines.lag(part.number).orElse(1) == 0)) {
                isUsed |= use(part, part.missed);
            }
            // What waits would have the values of an earlier second.
            isSkipped |= second.isPresent() && part.waits;
            if (part.waits) {
                goOn(part);
            }
        }
        if (isSkipped) {
            skipped.increment();
        }
        return isUsed;
    }

    /** Where the next line is, at once or when the tick is committed. Meanwhile nothing is fetched that is not merged. */
    private void goOn(OwnedPartition part) {
        lines.begin(part.number, part.offset);
        part.waits = part.tick.isPresent();
        if (part.waits) {
            lines.hold(part.number);
        }
    }

    private static boolean use(OwnedPartition part, OptionalLong second) {
        OptionalLong free = part.ledger.publishInOrder(second.getAsLong());
        part.tick = free.isPresent() ? free : part.tick;
        part.missed = OptionalLong.empty();
        return free.isPresent();
    }
}
