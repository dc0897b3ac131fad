package io.counters.emit;

import java.util.concurrent.TimeUnit;

/**
 * Lets a thread prepare for each checkpoint and rest until the restore. It prepares for each one, even if it did not notice
 * that there was a restore since the last one, or if the caller no longer waits.
 */
final class CheckpointRest {
    private static final long LOOK_MILLIS = 100;

    private volatile boolean held;

    /** The number of checkpoints so far; written under the lock. */
    private volatile int checkpoints;

    /** The checkpoint for which the thread has begun to prepare, for that thread only. */
    private int prepared;

    /** The checkpoint during which the thread rests, under the lock; 0 if it does not rest. */
    private int restsIn;

    /** Begins a checkpoint, unless one has begun. Unpark the thread then. */
    synchronized void begin() {
        if (!held) {
            checkpoints++;
            held = true;
        }
    }

    /** Waits until the thread rests or has ended. False if it did neither within this time. */
    synchronized boolean await(Thread thread, long millis) throws InterruptedException {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = millis; restsIn != checkpoints && thread.isAlive(); ) {
            if (left <= 0) {
                return false;
            }
            // Not until it is notified only: the thread may end instead.
            wait(Math.min(left, LOOK_MILLIS));
            left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        }
        return true;
    }

    /** Ends the rest. Unpark the thread then. */
    void end() {
        held = false;
    }

    /** For the thread: whether there was a checkpoint for which it has not prepared. */
    boolean isDue() {
        return checkpoints != prepared;
    }

    /** For the thread: it begins to prepare for the last checkpoint. */
    void prepare() {
        prepared = checkpoints;
    }

    /** For the thread: whether the checkpoint for which it has prepared lasts. */
    boolean lasts() {
        return held && !isDue();
    }

    /** For the thread: that it rests now, or does not. */
    synchronized void rests(boolean now) {
        restsIn = now ? prepared : 0;
        notifyAll();
    }
}
