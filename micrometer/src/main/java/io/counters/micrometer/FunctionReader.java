package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads the functions of a registry once a second, and for a last time when the registry is closed or the JVM ends.
 *
 * <p>The functions run on one daemon thread, {@code counters-micrometer}, which starts with the first of them. A function
 * that blocks delays the other functions, and nothing else: the last reading is waited for no longer than
 * {@value #LAST_MILLIS} ms.
 */
final class FunctionReader {
    static final long LAST_MILLIS = 500;
    private static final long PERIOD_MILLIS = 1000;

    private final Faults faults;
    private final Map<Meter.Id, FunctionMeter> meters = new ConcurrentHashMap<>();
    private final Thread hook = new Thread(this::readNow, "counters-micrometer-last");
    private @Nullable ScheduledThreadPoolExecutor thread;
    private boolean closed;

    FunctionReader(Faults faults) {
        this.faults = faults;
    }

    void add(Meter.Id id, FunctionMeter meter) {
        meters.put(id, meter);
        start();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // What a function throws is counted where it is read.
    private synchronized void start() {
        if (thread != null || closed) {
            return;
        }
        thread = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread daemon = new Thread(task, "counters-micrometer");
                    daemon.setDaemon(true);
                    return daemon;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        thread.scheduleWithFixedDelay(this::readAll, PERIOD_MILLIS, PERIOD_MILLIS, TimeUnit.MILLISECONDS);
        try {
            Runtime.getRuntime().addShutdownHook(hook);
        } catch (IllegalStateException alreadyEnding) {
            return;
        }
    }

    private synchronized @Nullable ScheduledThreadPoolExecutor thread() {
        return thread;
    }

    /** Reads a removed meter for a last time, without waiting: the caller holds a lock of the registry. */
    void remove(Meter.Id id) {
        FunctionMeter removed = meters.remove(id);
        ScheduledThreadPoolExecutor running = thread();
        if (removed != null && running != null) {
            running.execute(() -> read(id, removed));
        }
    }

    /** Reads all functions, and waits for that within {@value #LAST_MILLIS} ms. */
    void readNow() {
        ScheduledThreadPoolExecutor running = thread();
        if (running == null || running.isShutdown()) {
            return;
        }
        try {
            running.submit(this::readAll).get(LAST_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException blocked) {
            faults.note(
                    Faults.Reason.BLOCKED,
                    "the functions of meters did not return within " + LAST_MILLIS + " ms at the end");
        }
    }

    private void readAll() {
        meters.forEach(this::read);
    }

    private void read(Meter.Id id, FunctionMeter meter) {
        try {
            meter.read();
        } catch (Throwable fault) {
            faults.note(Faults.Reason.FAILED, id, "its function failed: " + fault);
        }
    }

    void close() {
        readNow();
        ScheduledThreadPoolExecutor running;
        synchronized (this) {
            closed = true;
            running = thread;
        }
        if (running != null) {
            running.shutdownNow();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException ending) {
                return;
            }
        }
    }
}
