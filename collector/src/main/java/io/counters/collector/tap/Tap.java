package io.counters.collector.tap;

import io.counters.collector.common.LineSender;
import io.counters.collector.http.Listeners;
import io.counters.wire.Rejection;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The newest datagrams and rejected lines, in a ring, while there are listeners. For any thread; no thread waits. A writer
 * takes the next number and replaces what is in its slot; a reader that is overtaken sees from the numbers what it missed.
 */
public final class Tap {
    static final int SLOTS = 8192;
    private static final byte[] NOTHING = {};
    private static final int HEAP_PART = 50;
    private static final long KEPT_BYTES_MAX = 16 << 20;
    private static final long LOOK_MILLIS = 100;
    private static final long WAKE_MILLIS = 50;

    final Listeners listeners = new Listeners();
    private final InstantSource clock;
    private final long bytesMax;

    /** Null while there is no listener. */
    private volatile @Nullable Ring ring;

    /** What was received since the tap was opened. */
    static final class Ring {
        private final AtomicReferenceArray<@Nullable Received> slots = new AtomicReferenceArray<>(SLOTS);
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong bytes = new AtomicLong();

        /** The bytes of everything before this number were released, and perhaps of more: of what was replaced. */
        private final AtomicLong oldest = new AtomicLong();

        /** Releases the oldest bytes; returns false if none are left. */
        boolean forgetOldest() {
            long forgotten = oldest.get();
            long end = next.get();
            // What was replaced is skipped at once: a receiving thread would take seconds to walk over hours of it.
            long number = Math.max(forgotten, end - SLOTS);
            if (number >= end) {
                return false;
            }
            if (oldest.compareAndSet(forgotten, number + 1)) {
                int slot = (int) (number % SLOTS);
                Received found = slots.get(slot);
                // Otherwise a newer one has replaced it, and has released its bytes, or its writer is not there yet.
                if (found != null
                        && found.number() == number
                        && slots.compareAndSet(slot, found, found.without(NOTHING))) {
                    bytes.addAndGet(-found.bytes().length);
                }
            }
            return true;
        }

        /** Replaces what is in its slot, unless that is newer: a thread that waits here for long is overtaken by a round. */
        void put(Received received) {
            Received before = slots.getAndAccumulate((int) (received.number() % SLOTS), received, Ring::newer);
            if (before == null) {
                bytes.addAndGet(received.bytes().length);
            } else if (before.number() < received.number()) {
                bytes.addAndGet(received.bytes().length - before.bytes().length);
            }
        }

        private static @Nullable Received newer(@Nullable Received before, @Nullable Received now) {
            return before == null || (now != null && before.number() < now.number()) ? now : before;
        }

        /** How many bytes are kept. */
        long bytes() {
            return bytes.get();
        }

        /** The number of what will be received next. */
        long next() {
            return next.get();
        }

        /** What has this number, or what has replaced it; null if it is not there yet. */
        @Nullable
        Received at(long number) {
            Received found = slots.get((int) (number % SLOTS));
            return found == null || found.number() < number ? null : found;
        }
    }

    /** @param heapBytes this JVM's maximum heap, of which a 50th, but at most 16 MiB, is used while there are listeners */
    public Tap(InstantSource clock, long heapBytes) {
        this.clock = clock;
        bytesMax = Math.min(KEPT_BYTES_MAX, heapBytes / HEAP_PART);
    }

    /** Whether there are listeners: one volatile read. */
    public boolean isOpen() {
        return ring != null;
    }

    /** Copies a datagram, or complete lines of a connection, that were merged. */
    public void received(LineSender from, byte[] in, int begin, int end) {
        put(from, null, in, begin, end);
    }

    /** Copies a rejected line. */
    public void rejected(LineSender from, Rejection why, byte[] in, int begin, int end) {
        put(from, why, in, begin, Math.min(end, begin + LineEvents.SHOWN_BYTES_MAX + 1));
    }

    private void put(LineSender from, @Nullable Rejection why, byte[] in, int begin, int end) {
        Ring open = ring;
        if (open == null) {
            return;
        }
        while (open.bytes.get() + (end - begin) > bytesMax && open.forgetOldest()) {
            // Until there is room.
        }
        boolean isKept = open.bytes.get() + (end - begin) <= bytesMax;
        byte[] bytes = isKept ? Arrays.copyOfRange(in, begin, end) : NOTHING;
        long number = open.next.getAndIncrement();
        open.put(new Received(
                number, clock.millis(), from.protocol(), from.addressKey(), from.port(), why, bytes, isKept));
    }

    void open() {
        ring = new Ring();
    }

    @Nullable
    Ring ring() {
        return ring;
    }

    /**
     * Opens the tap when there is a listener, wakes the listeners, and closes the tap, with what it keeps, when there is none.
     *
     * @return the milliseconds until the next call
     */
    public long run() {
        if (listeners.isEmpty()) {
            ring = null;
            return LOOK_MILLIS;
        }
        if (ring == null) {
            open();
        }
        listeners.wake();
        return WAKE_MILLIS;
    }
}
