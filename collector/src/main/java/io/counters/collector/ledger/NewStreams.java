package io.counters.collector.ledger;

import io.counters.collector.common.AddressKey;
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
     * @param address of its sender, as an {@link AddressKey}
     */
    public boolean isOver(long address, long nowMillis) {
        if (nowMillis / MINUTE_MILLIS != minute) {
            minute = nowMillis / MINUTE_MILLIS;
            all = 0;
            byAddress.clear();
        }
        return all >= most
                || (isAddress(address) && byAddress.getOrDefault(address, 0) >= Math.max(1, most / ADDRESS_PART));
    }

    /** A stream begins. */
    public void add(long address) {
        all++;
        if (isAddress(address)) {
            byAddress.merge(address, 1, Integer::sum);
        }
    }

    private static boolean isAddress(long address) {
        return address != AddressKey.UNKNOWN && address != AddressKey.HTTP;
    }
}
