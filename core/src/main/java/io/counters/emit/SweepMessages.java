package io.counters.emit;

import io.counters.cells.Cells;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What sweeps log: their failures, and that there are too many counters. For the sweeping thread. */
final class SweepMessages {
    private static final long FAULT_SECONDS = 60;

    private final CounterTable table;
    private final Consumer<String> log;
    private boolean faultSaid;
    private long faultAtNanos;
    private boolean overflowSaid;

    SweepMessages(CounterTable table, Consumer<String> log) {
        this.table = table;
        this.log = log;
    }

    /** Logs a fault at most once a minute. Sending continues, and the fault never reaches the application. */
    void failed(Throwable fault) {
        long now = System.nanoTime();
        if (!faultSaid || now - faultAtNanos > 0) {
            faultSaid = true;
            faultAtNanos = now + TimeUnit.SECONDS.toNanos(FAULT_SECONDS);
            try {
                log.accept("a sweep failed and will be tried again: " + fault);
            } catch (Throwable notEvenThat) {
                // For example, no memory for a line. The thread must continue, because only it sends.
                return;
            }
        }
    }

    /** Logs once that there are more counters than a JVM can have. */
    void overflow() {
        if (overflowSaid) {
            return;
        }
        synchronized (table) {
            overflowSaid = table.knows(Cells.OVERFLOW);
        }
        if (overflowSaid) {
            log.accept("there are more than " + Cells.COUNTERS_MAX
                    + " counters in this JVM; counts of new names are added to " + Cells.OVERFLOW
                    + ". Names must not contain IDs of users or requests");
        }
    }
}
