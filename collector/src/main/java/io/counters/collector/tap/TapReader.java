package io.counters.collector.tap;

import org.jspecify.annotations.Nullable;

/** One listener's place in the tap. For one thread at a time. */
final class TapReader {
    private final Tap tap;
    private Tap.@Nullable Ring ring;
    private long position;
    private long missed;

    TapReader(Tap tap) {
        this.tap = tap;
    }

    /** Whether the tap is open, so that this reader gets everything that is received from now on. */
    boolean isOpen() {
        Tap.Ring now = tap.ring();
        if (now != ring) {
            ring = now;
            position = now == null ? 0 : now.next();
        }
        return now != null;
    }

    /** What was received next; null if nothing more was received yet. */
    @Nullable
    Received next() {
        if (!isOpen() || ring == null) {
            return null;
        }
        while (true) {
            Received found = ring.at(position);
            if (found == null) {
                return null;
            }
            if (found.number() > position) {
                // Overtaken: the oldest that is still there comes next.
                long oldest = Math.max(position + 1, ring.next() - Tap.SLOTS);
                missed += oldest - position;
                position = oldest;
                continue;
            }
            position++;
            if (found.isKept()) {
                return found;
            }
            missed++;
        }
    }

    /** How many, since the last call, were overwritten before they were read, or had no room. */
    long takeMissed() {
        long taken = missed;
        missed = 0;
        return taken;
    }
}
