package io.counters.cells;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A separate process, because it fills its heap. A thread whose row has no room for an id and a thread without a row
 * count while there is no memory. Prints the Throwable that they met, and the counts that are found once there is
 * memory again.
 */
public final class NoMemory {
    private static final int COUNTERS = 20_000;
    private static final int COUNTS = 1_000;

    private static @Nullable Object filled;

    @SuppressWarnings("UnusedVariable") // Only keeps the memory.
    private static byte @Nullable [] gap;

    private static volatile boolean isFull;
    private static final AtomicInteger ready = new AtomicInteger();
    private static final AtomicInteger done = new AtomicInteger();
    private static volatile @Nullable Throwable met;

    private NoMemory() {}

    /** Counts, and prints {@code met THROWABLE, counted AMOUNT}. */
    public static void main(String... none) throws Exception {
        int last = -1;
        for (int i = 0; i < COUNTERS; i++) {
            last = Cells.id("c" + i);
        }
        int id = last;
        Thread small = new Thread(() -> {
            Cells.add(0, 1);
            countWhenFull(id);
        });
        Thread fresh = new Thread(() -> countWhenFull(id));
        small.start();
        fresh.start();
        while (ready.get() < 2) {
            Thread.onSpinWait();
        }
        fillBut(0);
        if (isRoomForRow()) {
            throw new IllegalStateException("the heap is not full");
        }
        isFull = true;
        while (done.get() < 2) {
            Thread.onSpinWait();
        }
        empty();
        small.join();
        fresh.join();
        System.out.println("met " + met + ", counted " + Sums.of("c" + id));
    }

    // Building a message would need memory.
    @SuppressWarnings("StaticAssignmentOfThrowable")
    private static void countWhenFull(int id) {
        ready.incrementAndGet();
        while (!isFull) {
            Thread.onSpinWait();
        }
        try {
            for (int i = 0; i < COUNTS; i++) {
                Cells.add(id, 1);
            }
        } catch (Throwable thrown) {
            met = thrown;
        }
        done.incrementAndGet();
    }

    /** Fills the heap, which should be small, except for {@code bytesLeft} bytes. */
    public static void fillBut(int bytesLeft) {
        gap = new byte[bytesLeft];
        for (int bytes = 1 << 20; bytes >= 16; bytes /= 2) {
            try {
                while (true) {
                    filled = new Object[] {filled, new byte[bytes]};
                }
            } catch (OutOfMemoryError full) {
                // Continue with smaller pieces.
            }
        }
        gap = null;
    }

    /** Releases the memory. */
    public static void empty() {
        filled = null;
    }

    private static boolean isRoomForRow() {
        try {
            filled = new Object[] {filled, new long[COUNTERS]};
            return true;
        } catch (OutOfMemoryError full) {
            return false;
        }
    }
}
