package io.counters.collector.ledger;

import java.util.HashMap;
import java.util.Map;

/**
 * How many streams may begin in a minute: in all, and a quarter of that from one address, so that a flood leaves room for
 * others. Not for several threads at once.
 */
public final class NewStreams {
    private static final int ADDRESS_PART = 4;
    private static final long MINUTE_MILLIS = 60_000;

    private final int most;
    private final Map<Long, Integer> byAddress = new HashMap<>();
    private int all;
    private long minute = -1;

    /** @param most in a minute */
    public NewStreams(int most) {
        this.most = most;
    }

    /**
     * Whether no further stream may begin now.
     *
     * @param address of its sender; 0 if it is not known
     */
    public boolean isOver(long address, long nowMillis) {
        if (nowMillis / MINUTE_MILLIS != minute) {
            minute = nowMillis / MINUTE_MILLIS;
            all = 0;
            byAddress.clear();
        }
        return all >= most || (address != 0 && byAddress.getOrDefault(address, 0) >= Math.max(1, most / ADDRESS_PART));
    }

    /** A stream begins. */
    public void add(long address) {
        all++;
        if (address != 0) {
            byAddress.merge(address, 1, Integer::sum);
        }
    }
}
