package io.counters.collector;

import io.counters.collector.common.Descriptors;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.LogStream;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.Threads;
import io.counters.collector.proxy.Forwarder;
import io.counters.collector.proxy.ProxyHttp;
import io.counters.collector.proxy.ProxySettings;
import io.counters.collector.proxy.ServersReloader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running proxy: its loop on its own thread, a check of servers.conf once a second, and its page. */
public final class Proxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Proxy.class);

    private static final long LOOK_MILLIS = 1000;
    private static final long END_MILLIS = 6000;

    private final SecureRandom random = new SecureRandom();
    private final Threads threads = new Threads();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Forwarder forwarder;
    private final ServersReloader reloader;
    private final @Nullable ProxyHttp page;
    private final @Nullable Path pidFile;
    private final Thread thread;
    private boolean closed;

    /**
     * Opens and starts everything.
     *
     * @param out gets the lines that say where it listens
     * @throws IOException if a port is not available or the pid file cannot be written; what was opened is closed again
     */
    public Proxy(ProxySettings settings, PrintStream out) throws IOException {
        Metrics metrics = new Metrics();
        FaultLog faults = new FaultLog(log, System::nanoTime);
        forwarder = new Forwarder(
                settings,
                System::nanoTime,
                System::currentTimeMillis,
                random,
                Descriptors.limit(),
                this::streamId,
                faults,
                metrics);
        // The only thread that is not a daemon: it keeps the program running.
        thread = threads.foreground("counters-proxy", forwarder);
        reloader = new ServersReloader(settings, forwarder, faults, metrics);
        ProxyHttp opened = null;
        try {
            if (settings.hasPage()) {
                opened = new ProxyHttp(
                        settings.httpPort(),
                        forwarder,
                        reloader,
                        metrics,
                        System::nanoTime,
                        faults,
                        work -> threads.worker("counters-http", work));
            }
            pidFile = settings.pidFile().orElse(null);
            if (pidFile != null) {
                Files.writeString(pidFile, ProcessHandle.current().pid() + "\n");
            }
            say(out, settings, opened);
        } catch (IOException | RuntimeException cannot) {
            threads.end();
            if (opened != null) {
                opened.close();
            }
            forwarder.close();
            forwarder.run();
            throw cannot;
        }
        page = opened;
        thread.start();
        threads.daemon("counters-servers", () -> watch(faults)).start();
        metrics.total(
                "log_dropped_lines_total",
                "Log lines that did not fit into the buffer before stderr.",
                LogStream::droppedLines);
    }

    /** Reads servers.conf again and logs the result. */
    void reload() {
        reloader.reload();
    }

    private void watch(FaultLog faults) {
        while (!ends()) {
            try {
                reloader.look();
            } catch (RuntimeException fault) {
                faults.warn("watch", "servers.conf could not be checked; this is tried again every second: " + fault);
            }
        }
    }

    private boolean ends() {
        try {
            return ending.await(LOOK_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    private String streamId() {
        return String.format("%016x%016x", random.nextLong(), random.nextLong());
    }

    private void say(PrintStream out, ProxySettings settings, @Nullable ProxyHttp opened) throws IOException {
        out.println("counters proxy listens on TCP " + text(forwarder.tcpAddress()) + " and UDP "
                + text(forwarder.udpAddress()) + " for the servers of " + settings.servers());
        out.println("  metrics: " + (opened == null ? "none" : "http://" + text(opened.address()) + "/metrics"));
        out.flush();
    }

    private static String text(@Nullable InetSocketAddress address) {
        if (address == null) {
            return "(off)";
        }
        String host = address.getAddress().isAnyLocalAddress()
                ? "0.0.0.0"
                : address.getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
    }

    /** Reads what has arrived, sends what is queued for up to 5 s, and closes everything. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        threads.end();
        ending.countDown();
        forwarder.close();
        try {
            thread.join(END_MILLIS);
            if (thread.isAlive()) {
                log.error("the proxy did not end within {} s; its queued messages are lost", END_MILLIS / 1000);
            }
            if (pidFile != null) {
                Files.deleteIfExists(pidFile);
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        } catch (IOException stays) {
            log.warn("{} could not be deleted: {}", pidFile, stays.getMessage());
        }
        if (page != null) {
            page.close();
        }
        log.info("ended");
    }
}
