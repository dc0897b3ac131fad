package io.counters.collector.publish;

import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;

/**
 * Leaves out counters that have not changed for a number of ticks. It uses ticks and no clock, because a clock that is set
 * would make all of them idle, or none. A counter that is new since the program's start counts as changed, because the time
 * of its last change is not stored. 16 bytes per counter. For one thread.
 */
public final class Idle {
    private final long ticks;
    private long tick;
    private String[] names = new String[0];
    private int size;
    private long[] values = new long[0];
    private long[] movedAt = new long[0];

    /** @param ticks the number of ticks without a change after which a counter is idle */
    public Idle(long ticks) {
        this.ticks = ticks;
    }

    /** The counters that are not idle at this tick, the next one. */
    public Snapshot leaveOut(Snapshot all) {
        tick++;
        if (values.length < all.size()) {
            values = Arrays.copyOf(values, all.names().length);
            movedAt = Arrays.copyOf(movedAt, all.names().length);
        }
        String[] busyNames = new String[all.size()];
        long[] busyValues = new long[all.size()];
        int busy = 0;
        for (int i = 0; i < all.size(); i++) {
            // If another counter is at this index now, it counts as changed. So all behind a removed one are published
            // once more.
            boolean isSame = i < size && all.names()[i].equals(names[i]);
            if (!isSame || values[i] != all.values()[i]) {
                values[i] = all.values()[i];
                movedAt[i] = tick;
            }
            if (tick - movedAt[i] < ticks) {
                busyNames[busy] = all.names()[i];
                busyValues[busy++] = all.values()[i];
            }
        }
        names = all.names();
        size = all.size();
        return new Snapshot(busyNames, busyValues, busy);
    }
}
