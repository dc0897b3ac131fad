package io.counters.collector.common;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Prints how far a long work has come, a line every few seconds; nothing if the work ends sooner. For any thread.
 */
public final class ProgressMessages {
    private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final PrintStream err;
    private final LongSupplier nanoClock;
    private final String work;
    private final String units;
    private final long total;
    private final long beganNanos;
    private long saidNanos;
    private long done;

    /**
     * Begins now.
     *
     * @param work what begins each line: {@code counters replay}
     * @param units what is counted: {@code datagrams}
     * @param total how many there are
     */
    public ProgressMessages(PrintStream err, LongSupplier nanoClock, String work, String units, long total) {
        this.err = err;
        this.nanoClock = nanoClock;
        this.work = work;
        this.units = units;
        this.total = total;
        beganNanos = nanoClock.getAsLong();
        saidNanos = beganNanos;
    }

    /** Some more are done. */
    public synchronized void add(long more) {
        done += more;
        long now = nanoClock.getAsLong();
        if (now - saidNanos >= PAUSE_NANOS && done < total) {
            saidNanos = now;
            double seconds = (double) (now - beganNanos) / TimeUnit.SECONDS.toNanos(1);
            err.println(String.format(
                    Locale.ROOT,
                    "%s: %,d of %,d %s (%d %%), about %,.0f s left",
                    work,
                    done,
                    total,
                    units,
                    100 * done / total,
                    seconds / done * (total - done)));
        }
    }
}
