package io.counters.collector.fleet;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.ledger.Ledger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides which partitions have a tick in the owner's next transaction, and of which second: each of them when a tick is due,
 * and one that begins also the tick that was due last, if its former owner missed it. So a collector that is killed leaves no
 * gap if its partitions begin elsewhere before the next tick is due. A missed tick has the lines that were received up to its
 * second, as far as the clocks of the collectors agree: later lines wait until the tick is committed. A tick that is due
 * before then is made up for in the same way. For the owner's thread.
 */
final class DueTicks {
    /** A tick that is older is not made up for, because {@link Ledger#publishInOrder} looks only a minute ahead for later ones. */
    private static final long MISSED_MILLIS_MAX = TimeUnit.MINUTES.toMillis(1);

    /** For so long newer ticks replace one whose lines are not merged yet; then a tick has what is merged. */
    private static final long CATCH_UP_MILLIS_MAX = TimeUnit.MINUTES.toMillis(1);

    /** A second, and those within a minute after it. */
    private static final long LAST_SECONDS = 61;

    private final Supplier<OptionalLong> due;
    private final LongSupplier last;
    private final OwnerLog lines;
    private final LongSupplier wallMillis;
    private final FaultLog faults;
    private final LongAdder skipped;

    /** The partitions that could not use a second in this round, and a message about the first. */
    private final List<Integer> refused = new ArrayList<>();

    private @Nullable String refusal;

    /** Whether this round left out a tick of some partition. */
    private boolean isSkipped;

    /**
     * @param due the second of a tick, when it is due
     * @param last the second of the tick before the next one that will be due, even if it was due before this process began
     */
    DueTicks(
            Supplier<OptionalLong> due,
            LongSupplier last,
            OwnerLog lines,
            LongSupplier wallMillis,
            FaultLog faults,
            Metrics metrics) {
        this.due = due;
        this.last = last;
        this.lines = lines;
        this.wallMillis = wallMillis;
        this.faults = faults;
        skipped = metrics.count("publish_skipped_ticks_total", "Ticks left out.");
    }

    /**
     * Called when a partition begins. If the clock was set back, the last tick may be in the future; using its second would
     * block all ticks until then. A new ledger had no tick to miss.
     */
    void begun(OwnedPartition part) {
        long second = last.getAsLong();
        long ago = wallMillis.getAsLong() - millis(second);
        boolean isMissed = ago >= 0
                && ago < MISSED_MILLIS_MAX
                && !part.ledger.isNew()
                && !part.ledger.isOvertaken(second - 1, LAST_SECONDS);
        if (isMissed) {
            part.missed = OptionalLong.of(second);
            part.catchesUpMillis = wallMillis.getAsLong();
        }
    }

    private static long millis(long second) {
        return TimeUnit.SECONDS.toMillis(second);
    }

    /** Whether a line that was received then must not be merged yet. Later it is delivered again. */
    boolean holdsBack(OwnedPartition part, long timeMillis) {
        part.hasLaterLine |= !part.isHeld && part.missed.isPresent() && timeMillis > millis(part.missed.getAsLong());
        return part.isHeld || part.hasLaterLine;
    }

    /**
     * Uses a second for each partition that has a tick now. Of ticks that wait for a commit only the last one is kept, and a
     * missed one before it.
     *
     * @return whether there is something to commit
     */
    boolean use(Collection<OwnedPartition> parts) {
        OptionalLong second = due.get();
        boolean isUsed = false;
        for (OwnedPartition part : parts) {
            if (part.hasBegun) {
                goOn(part);
                isUsed |= useMissed(part);
                isUsed |= second.isPresent() && useDue(part, second.getAsLong());
            }
        }
        tell();
        return isUsed;
    }

    /** The tick is committed. */
    private void goOn(OwnedPartition part) {
        if (part.isHeld && part.tick.isEmpty()) {
            part.isHeld = false;
            part.catchesUpMillis = wallMillis.getAsLong();
            lines.begin(part.number, part.offset);
        }
    }

    /** Uses the missed second once the lines up to it are merged. Later ones are not until it is committed. */
    private boolean useMissed(OwnedPartition part) {
        if (part.isHeld || part.missed.isEmpty() || !isCaughtUp(part)) {
            return false;
        }
        boolean isUsed = use(part, part.missed.getAsLong());
        // Lines that were delivered and not merged are to be delivered again.
        if (isUsed || part.hasLaterLine) {
            lines.begin(part.number, part.offset);
        }
        if (isUsed) {
            part.isHeld = true;
            // Nothing is fetched that is not merged.
            lines.hold(part.number);
        }
        part.missed = OptionalLong.empty();
        part.hasLaterLine = false;
        return isUsed;
    }

    private boolean isCaughtUp(OwnedPartition part) {
        return part.hasLaterLine || lines.lag(part.number).orElse(1) == 0;
    }

    /** A missed second before it, of which the lines are not all merged or not committed, comes first or is replaced. */
    private boolean useDue(OwnedPartition part, long second) {
        isSkipped |= part.missed.isPresent();
        boolean catchesUp =
                part.missed.isPresent() && wallMillis.getAsLong() - part.catchesUpMillis < CATCH_UP_MILLIS_MAX;
        if (part.isHeld || catchesUp) {
            part.missed = OptionalLong.of(second);
            return false;
        }
        part.missed = OptionalLong.empty();
        isSkipped |= part.tick.isPresent();
        return use(part, second);
    }

    private boolean use(OwnedPartition part, long second) {
        OptionalLong free = part.ledger.publishInOrder(second);
        if (free.isPresent()) {
            part.tick = free;
            return true;
        }
        if (!part.ledger.isOvertaken(second, LAST_SECONDS - 1)) {
            // Only this second itself is used: the former owner has written this tick.
            return false;
        }
        isSkipped = true;
        if (refusal == null) {
            refusal = "second " + second + " or a later one, up to " + lastUsed(part.ledger, second);
        }
        refused.add(part.number);
        return false;
    }

    private static long lastUsed(Ledger ledger, long second) {
        long used = second + LAST_SECONDS - 1;
        while (used > second && !ledger.isOvertaken(used - 1, 1)) {
            used--;
        }
        return used;
    }

    private void tell() {
        if (isSkipped) {
            skipped.increment();
        }
        isSkipped = false;
        if (refusal != null) {
            faults.warn(
                    "seconds used",
                    refusal + ", was published already for partitions " + refused
                            + ": the clock of this collector was set back, or is behind the former owner's. These"
                            + " partitions have no ticks up to then, because a server cannot handle two values for one"
                            + " second; synchronize the clocks of the fleet");
            refusal = null;
            refused.clear();
        }
    }
}
