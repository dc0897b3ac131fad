package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Leaves out counters that have not changed for a number of ticks. It uses ticks and no clock, because a clock that is set
 * would make all of them idle, or none. A counter that is new since the program's start, or that is back after it was
 * removed, counts as changed. For one thread.
 */
public final class IdleFilter {
    /** Memory of a counter. */
    public static final long COUNTER_BYTES = 2 * Long.BYTES;

    private final long ticks;
    private long tick;

    /** By the counter's number, as the values and the ticks of their last change. */
    private BitSet known = new BitSet();

    private BitSet present = new BitSet();

    private long[] values = new long[0];
    private long[] movedAt = new long[0];

    /** @param ticks the number of ticks without a change after which a counter is idle */
    public IdleFilter(long ticks) {
        this.ticks = ticks;
    }

    /** The counters that are not idle at this tick, the next one. */
    public Snapshot leaveOut(Snapshot all) {
        return leaveOut(all, true);
    }

    /** Those of a part of the tick; {@code isLast} ends it. */
    public Snapshot leaveOut(Snapshot all, boolean isLast) {
        if (values.length < all.numbersEnd()) {
            int length = Math.max(all.numbersEnd(), all.names().length);
            values = Arrays.copyOf(values, length);
            movedAt = Arrays.copyOf(movedAt, length);
        }
        int[] busyPlaces = new int[all.size()];
        int busy = 0;
        for (int i = 0; i < all.size(); i++) {
            int counter = all.number(i);
            present.set(counter);
            if (!known.get(counter) || values[counter] != all.values()[i]) {
                values[counter] = all.values()[i];
                movedAt[counter] = tick;
            }
            if (tick - movedAt[counter] < ticks) {
                busyPlaces[busy++] = i;
            }
        }
        if (isLast) {
            known = present;
            present = new BitSet(known.length());
            tick++;
        }
        return all.only(busyPlaces, busy);
    }
}
