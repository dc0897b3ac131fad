package io.counters.collector;

import io.counters.collector.common.Descriptors;
import io.counters.collector.http.Listening;
import io.counters.collector.proxy.Forwarder;
import io.counters.collector.proxy.ProxyHttp;
import io.counters.collector.proxy.ProxyIni;
import io.counters.collector.proxy.ServersReloader;
import io.counters.collector.supervisor.Supervisor;
import io.counters.emit.StreamIds;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One running proxy: its loop on its own thread, a check of servers.conf once a second, and its page. */
public final class Proxy implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Proxy.class);

    private static final long LOOK_MILLIS = 1000;
    private static final long END_MILLIS = 6000;

    private final Assembly parts = new Assembly(log);
    private final Forwarder forwarder;
    private final ServersReloader reloader;
    private final Thread thread;
    private final Supervisor supervisor;
    private boolean closed;

    /**
     * Opens and starts everything.
     *
     * @param supervisor is told how this does
     * @param out gets the lines that say where it listens
     * @throws IOException if a port is not available or the pid file cannot be written; what was opened is closed again
     */
    public Proxy(ProxyIni settings, Supervisor supervisor, PrintStream out) throws IOException {
        this.supervisor = parts.open(supervisor);
        forwarder = new Forwarder(
                settings,
                System::nanoTime,
                System::currentTimeMillis,
                new SecureRandom(),
                Descriptors.limit(),
                new StreamIds(),
                parts.faults,
                parts.metrics);
        // The only thread that is not a daemon: it keeps the program running.
        thread = parts.threads.foreground("counters-proxy", forwarder);
        reloader = new ServersReloader(settings, forwarder, parts.faults, parts.metrics);
        try {
            String page = "none";
            if (settings.page().isPresent()) {
                Listening at = settings.page().get();
                ProxyHttp opened = parts.open(new ProxyHttp(
                        at,
                        forwarder,
                        reloader,
                        parts.metrics,
                        System::nanoTime,
                        parts.faults,
                        work -> parts.threads.worker("counters-http", work)));
                page = (at.guard().certificate().isPresent() ? "https://" : "http://") + Assembly.text(opened.address())
                        + "/metrics";
                at.guard().certificate().ifPresent(parts::watch);
            }
            if (settings.pidFile().isPresent()) {
                write(settings.pidFile().get());
            }
            say(out, settings, page);
        } catch (IOException | RuntimeException cannot) {
            parts.threads.end();
            parts.closeOpened();
            forwarder.close();
            forwarder.run();
            throw cannot;
        }
        thread.start();
        parts.loop("counters-servers", () -> {
            reloader.look();
            return LOOK_MILLIS;
        });
        supervisor.ready(status());
        if (supervisor.isThere()) {
            parts.loop("counters-supervisor", () -> supervisor.tell(forwarder.hangs(), status()));
        }
    }

    private String status() {
        return "servers that can be reached: " + forwarder.serversUp();
    }

    private void write(Path pidFile) throws IOException {
        Files.writeString(pidFile, ProcessHandle.current().pid() + "\n");
        parts.open(() -> Files.deleteIfExists(pidFile));
    }

    /** Reads servers.conf again and logs the result. */
    void reload() {
        supervisor.reloading();
        try {
            reloader.reload();
        } finally {
            supervisor.ready(status());
        }
    }

    private void say(PrintStream out, ProxyIni settings, String page) throws IOException {
        out.println("counters proxy listens on TCP " + text(forwarder.tcpAddress()) + " and UDP "
                + text(forwarder.udpAddress()) + " for the servers of " + settings.servers());
        out.println("  metrics: " + page);
        out.flush();
    }

    private static String text(@Nullable InetSocketAddress address) {
        return address == null ? "(off)" : Assembly.text(address);
    }

    /** Reads what has arrived, sends what is queued for up to 5 s, and closes everything. Idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        supervisor.stopping();
        parts.threads.end();
        parts.endLoops();
        forwarder.close();
        Assembly.join(thread, END_MILLIS);
        if (thread.isAlive()) {
            log.error("the proxy did not end within {} s; its queued messages are lost", END_MILLIS / 1000);
        }
        parts.closeOpened();
        log.info("ended");
    }
}
