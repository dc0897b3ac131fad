package io.counters.agent;

import io.counters.agent.weave.Weaving;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Says once, a minute after the start, what was seen and caught: is it on, and does it count what was meant? */
final class Report extends Thread {
    private static final long AFTER_SECONDS = 60;

    private final Weaving weaving;
    private final Counting counting;
    private final Log log;

    Report(Weaving weaving, Counting counting, Log log) {
        super("counters-report");
        this.weaving = weaving;
        this.counting = counting;
        this.log = log;
        setDaemon(true);
    }

    @Override
    public void run() {
        long due = System.nanoTime() + TimeUnit.SECONDS.toNanos(AFTER_SECONDS);
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
        }
        log.accept("after a minute: " + weaving.summary()
                + (counting.isOn() ? ", in woven code: " + counting.suppressed() : "; nothing to send yet"));
    }
}
