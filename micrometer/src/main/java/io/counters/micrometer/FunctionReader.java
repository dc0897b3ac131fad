package io.counters.micrometer;

import io.counters.emit.Emitter;
import io.micrometer.core.instrument.Clock;
import io.micrometer.core.instrument.Meter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the functions of a registry every {@value #PERIOD_SECONDS} seconds, and for a last time when the registry is
 * closed or the JVM ends. Not more often, because a function may be a query; nothing is lost by it, because functions
 * return totals.
 *
 * <p>The functions run on one daemon thread, {@code counters-micrometer}, which starts with the first of them. A function
 * that blocks delays the other functions, and nothing else: the last reading is waited for no longer than
 * {@value #LAST_MILLIS} ms. A second daemon thread, {@code counters-micrometer-watch}, notices that a function blocks.
 */
final class FunctionReader {
    static final long LAST_MILLIS = 500;
    static final long PERIOD_SECONDS = 10;

    /** The function that is being read. */
    private static final class Current {
        private final Meter.Id meter;
        private final long sinceNanos;
        private boolean isNoted;

        Current(Meter.Id meter, long sinceNanos) {
            this.meter = meter;
            this.sinceNanos = sinceNanos;
        }
    }

    private final Faults faults;
    private final Clock clock;
    private final long lastMillis;
    private final Map<Meter.Id, FunctionMeter> meters = new ConcurrentHashMap<>();
    private final Thread hook = new Thread(this::end, "counters-micrometer-last");
    private volatile @Nullable Current current;
    private @Nullable ScheduledThreadPoolExecutor thread;
    private @Nullable ScheduledThreadPoolExecutor watch;
    private boolean closed;

    FunctionReader(Faults faults, Clock clock, long lastMillis) {
        this.faults = faults;
        this.clock = clock;
        this.lastMillis = lastMillis;
    }

    void add(Meter.Id id, FunctionMeter meter) {
        meters.put(id, meter);
        start();
    }

    private synchronized void start() {
        if (thread != null || closed) {
            return;
        }
        thread = every(this::readAll, "counters-micrometer");
        watch = every(this::watch, "counters-micrometer-watch");
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            return;
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // The task throws nothing.
    private static ScheduledThreadPoolExecutor every(Runnable task, String name) {
        ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(
                1,
                work -> {
                    Thread daemon = new Thread(work, name);
                    daemon.setDaemon(true);
                    return daemon;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        thread.scheduleWithFixedDelay(task, PERIOD_SECONDS, PERIOD_SECONDS, TimeUnit.SECONDS);
        return thread;
    }

    private synchronized @Nullable ScheduledThreadPoolExecutor thread() {
        return thread;
    }

    /**
     * Reads a removed meter for a last time, without waiting: the caller holds a lock of the registry. Until it is read it
     * remains one of the meters, so that it is also read if the registry is closed meanwhile.
     */
    void remove(Meter.Id id) {
        FunctionMeter removed = meters.get(id);
        ScheduledThreadPoolExecutor running = thread();
        if (removed != null && running != null) {
            running.execute(() -> {
                read(id, removed);
                meters.remove(id, removed);
            });
        }
    }

    /** Reads all functions, and waits for that no longer than {@code lastMillis}. */
    void readNow() {
        ScheduledThreadPoolExecutor running = thread();
        if (running == null || running.isShutdown()) {
            return;
        }
        try {
            running.submit(this::readAll).get(lastMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException blocked) {
            // If the registry and the JVM end at the same time, one of the two has read all, and ended the thread.
            if (!running.isShutdown()) {
                note(
                        Faults.Reason.BLOCKED,
                        () -> "the functions of meters did not return within " + lastMillis + " ms at the end");
            }
        }
    }

    /** The JVM's hook; stays until what it has read is sent, because the JVM may end when its hooks have. */
    private void end() {
        readNow();
        Emitter.awaitEndingSweeps();
    }

    private void readAll() {
        meters.forEach(this::read);
    }

    private void read(Meter.Id id, FunctionMeter meter) {
        try {
            current = new Current(id, clock.monotonicTime());
            meter.read();
        } catch (Throwable fault) {
            note(Faults.Reason.FAILED, () -> "the meter " + id.getName() + ": its function failed: " + fault);
        } finally {
            current = null;
        }
    }

    /** Notes a function that has not returned for {@value #PERIOD_SECONDS} seconds, once. */
    void watch() {
        Current reading = current;
        if (reading != null
                && !reading.isNoted
                && clock.monotonicTime() - reading.sinceNanos >= TimeUnit.SECONDS.toNanos(PERIOD_SECONDS)) {
            reading.isNoted = true;
            note(
                    Faults.Reason.BLOCKED,
                    () -> "the meter " + reading.meter.getName() + ": its function has not returned for "
                            + PERIOD_SECONDS + " s, and no function of this registry is read until it does");
        }
    }

    private void note(Faults.Reason reason, Supplier<String> what) {
        try {
            faults.note(reason, what.get());
        } catch (Throwable notEvenThat) {
            // For example, no memory for a line, or a log that fails. The threads must continue.
            return;
        }
    }

    void close() {
        ScheduledThreadPoolExecutor running;
        ScheduledThreadPoolExecutor watching;
        synchronized (this) {
            // First, so that no thread begins after the last reading.
            closed = true;
            running = thread;
            watching = watch;
        }
        readNow();
        if (running != null && watching != null) {
            running.shutdownNow();
            watching.shutdownNow();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException ending) {
                return;
            }
        }
    }
}
