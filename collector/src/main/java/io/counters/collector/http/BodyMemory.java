package io.counters.collector.http;

import io.counters.collector.common.AddressKey;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory for the bodies of all requests of a port. A sender may have as much of it as would remain free: the first gets
 * half, a second one half of the rest, and so on. All loopback addresses are one sender. Changed by the event loop only; read by
 * any thread.
 */
final class BodyMemory {
    private final long bytesMax;
    private final Map<Long, Long> bySender = new HashMap<>();
    private volatile long bytes;

    BodyMemory(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Reserves memory; false if there is not enough for this sender. */
    boolean reserve(long sender, int more) {
        if (more == 0) {
            // What holds nothing is never released.
            return true;
        }
        long host = AddressKey.withOneLoopback(sender);
        long own = bySender.getOrDefault(host, 0L) + more;
        if (own > bytesMax - bytes - more) {
            return false;
        }
        bySender.put(host, own);
        add(more);
        return true;
    }

    void release(long sender, long less) {
        if (less > 0) {
            bySender.compute(
                    AddressKey.withOneLoopback(sender), (host, own) -> own == null || own <= less ? null : own - less);
            add(-less);
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // By one thread.
    private void add(long change) {
        bytes += change;
    }

    long bytes() {
        return bytes;
    }

    /** How many senders have some of it. */
    int senders() {
        return bySender.size();
    }
}
