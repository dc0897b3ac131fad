package io.counters.collector.fleet;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What became of one window: counts the answers to its records, for those who wait until all of its lines are in the log.
 * For any thread.
 */
final class SentWindow implements LineLog.Answers {
    /** How long somebody waits. */
    static final long WAIT_SECONDS = 5;

    private final LineLog.Answers all;
    private int records = -1;
    private int answered;
    private boolean hasFailed;

    /** @param all also gets each answer */
    SentWindow(LineLog.Answers all) {
        this.all = all;
    }

    @Override
    public void waiting() {
        all.waiting();
    }

    @Override
    public void acknowledged(LineLog.Contents contents) {
        all.acknowledged(contents);
        answered(false);
    }

    @Override
    public void failed(LineLog.Contents contents, Exception why) {
        all.failed(contents, why);
        answered(true);
    }

    private synchronized void answered(boolean isFailure) {
        answered++;
        hasFailed |= isFailure;
        notifyAll();
    }

    /** The whole window is written, as so many records. */
    synchronized void written(int count) {
        records = count;
        notifyAll();
    }

    /** Waits until all of its records are answered; returns whether all of them are in the log in time. */
    synchronized boolean await(LongSupplier nanoClock) {
        long end = nanoClock.getAsLong() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        try {
            while (!hasFailed && (records < 0 || answered < records)) {
                long millis = TimeUnit.NANOSECONDS.toMillis(end - nanoClock.getAsLong());
                if (millis <= 0) {
                    return false;
                }
                wait(millis);
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            return false;
        }
        return !hasFailed;
    }
}
