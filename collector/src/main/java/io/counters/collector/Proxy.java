package io.counters.collector;

import io.counters.collector.proxy.Forwarder;
import io.counters.collector.proxy.ProxyPage;
import io.counters.collector.proxy.ProxySettings;
import io.counters.collector.proxy.ServersWatch;
import io.counters.collector.self.Descriptors;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running proxy: its loop on a thread of its own, a look at servers.conf once a second, and its page. */
public final class Proxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Proxy.class);

    private static final int EXIT_BROKEN = 3;
    private static final long LOOK_MILLIS = 1000;
    private static final long END_MILLIS = 6000;

    private final InstantSource clock = InstantSource.system();
    private final SecureRandom random = new SecureRandom();
    private final CountDownLatch ending = new CountDownLatch(1);
    private final Forwarder forwarder;
    private final @Nullable ProxyPage page;
    private final @Nullable Path pidFile;
    private final Thread thread;
    private boolean closed;

    /**
     * Opens and starts it all.
     *
     * @param out takes the line that says where it listens
     * @throws IOException when a port can't be had, or the pid file not written; what was opened is closed again
     */
    public Proxy(ProxySettings settings, PrintStream out) throws IOException {
        Self self = new Self();
        FaultLog faults = new FaultLog(log, clock);
        forwarder = new Forwarder(
                settings,
                System::nanoTime,
                System::currentTimeMillis,
                random,
                Descriptors.limit(),
                this::streamId,
                faults,
                self);
        // The one thread that is no daemon: it keeps the program running.
        thread = new Thread(forwarder, "counters-proxy");
        thread.setUncaughtExceptionHandler(Proxy::die);
        ServersWatch watch = new ServersWatch(settings, forwarder, faults, self);
        ProxyPage opened = null;
        try {
            if (settings.hasPage()) {
                opened = new ProxyPage(
                        settings.httpPort(),
                        forwarder,
                        watch,
                        self,
                        Executors.newFixedThreadPool(2, work -> daemon("counters-page", work)));
            }
            pidFile = settings.pidFile().orElse(null);
            if (pidFile != null) {
                Files.writeString(pidFile, ProcessHandle.current().pid() + "\n");
            }
            say(out, settings, opened);
        } catch (IOException | RuntimeException cannot) {
            if (opened != null) {
                opened.close();
            }
            forwarder.close();
            forwarder.run();
            throw cannot;
        }
        page = opened;
        thread.start();
        daemon("counters-servers", () -> watch(watch, faults)).start();
    }

    private void watch(ServersWatch watch, FaultLog faults) {
        while (!ends()) {
            try {
                watch.look();
            } catch (RuntimeException fault) {
                faults.warn("watch", "the look at the servers failed and goes on: " + fault);
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

    private static Thread daemon(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.setUncaughtExceptionHandler(Proxy::die);
        return thread;
    }

    private static void die(Thread thread, Throwable fault) {
        log.error("{} can't go on; the proxy ends at once, start it again", thread.getName(), fault);
        Runtime.getRuntime().halt(EXIT_BROKEN);
    }

    private void say(PrintStream out, ProxySettings settings, @Nullable ProxyPage opened) throws IOException {
        out.println("counters proxy listens on TCP " + text(forwarder.tcpAddress()) + " and UDP "
                + text(forwarder.udpAddress()) + " for the servers of " + settings.servers());
        out.println("  numbers: " + (opened == null ? "nowhere" : "http://" + text(opened.address()) + "/metrics"));
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

    /** Takes what has arrived, writes out what waits, for up to 5 s, and closes all. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        ending.countDown();
        forwarder.close();
        try {
            thread.join(END_MILLIS);
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
