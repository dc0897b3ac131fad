package io.counters.collector;

import io.counters.collector.access.Certificate;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.LogStream;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.Threads;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;

/** What the parts of a collector or a proxy share, and what was opened and started of it, to be ended in reverse. */
final class Assembly {
    private static final long AGAIN_MILLIS = 1000;
    private static final long CERTIFICATE_MILLIS = 5000;
    private static final long LOOP_ENDS_MILLIS = 1600;

    final InstantSource clock = InstantSource.system();
    final Metrics metrics = new Metrics();
    final Threads threads = new Threads();
    final FaultLog faults;
    private final Logger log;
    private final CountDownLatch ending = new CountDownLatch(1);
    private final List<Thread> loops = new ArrayList<>();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    Assembly(Logger log) {
        this.log = log;
        faults = new FaultLog(log, System::nanoTime);
        metrics.total(
                "log_dropped_lines_total",
                "Log lines that did not fit into the buffer before stderr.",
                LogStream::droppedLines);
    }

    /** One round of a loop. */
    @FunctionalInterface
    interface Step {
        /** Does its work, and returns the milliseconds until the next round. */
        long run();
    }

    /** An address as an operator reads it. */
    static String text(InetSocketAddress address) {
        String host = address.getAddress().isAnyLocalAddress()
                ? "0.0.0.0"
                : address.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /** Has this part closed at the end, before those that were opened earlier. */
    <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    /** Starts a thread that runs rounds until {@link #endLoops}. A round that fails is said, and tried again. */
    Thread loop(String name, Step step) {
        Thread thread = threads.daemon(name, () -> {
            long pause = 0;
            while (!ends(pause)) {
                try {
                    pause = step.run();
                } catch (RuntimeException fault) {
                    faults.warn(name, name + " failed and continues: " + fault);
                    log.debug("{}", name, fault);
                    pause = AGAIN_MILLIS;
                }
            }
        });
        loops.add(thread);
        thread.start();
        return thread;
    }

    /** Reads the files of a certificate again when they change. */
    void watch(Certificate certificate) {
        certificate.show(metrics);
        loop("counters-certificate", () -> {
            certificate.look(clock, faults);
            return CERTIFICATE_MILLIS;
        });
    }

    private boolean ends(long withinMillis) {
        try {
            return ending.await(withinMillis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Lets the rounds that run end, and starts no other. */
    void endLoops() {
        ending.countDown();
        for (Thread thread : loops) {
            join(thread, LOOP_ENDS_MILLIS);
        }
    }

    static void join(Thread thread, long millis) {
        try {
            thread.join(millis);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes what was opened. Idempotent. */
    void closeOpened() {
        while (!opened.isEmpty()) {
            try {
                opened.pop().close();
            } catch (Exception failure) {
                log.warn("a part did not close: {}", failure.toString());
            }
        }
    }
}
