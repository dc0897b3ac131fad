package io.counters.collector.intake;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Keepalive;
import io.counters.collector.common.Metrics;
import io.counters.collector.tap.Tap;
import io.counters.collector.udp.SocketFailures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One thread that serves all TCP senders. Their number is bounded; when the bound is reached, a new connection replaces the
 * one that has been silent longest, if that is more than {@value TcpConnection#SILENT_SECONDS} s. An incomplete line that
 * does not grow for that time ends its connection. Silence alone does not close a connection: a sender may have nothing to
 * count for hours, and would lose its first write after that. TCP's keepalive detects senders that have disappeared.
 *
 * <p>A failure that may pass is tried again; any other is thrown out of {@link #run} and ends the process.
 */
class TcpServer implements Runnable {
    private static final int LAST_ROUNDS_MAX = 1000;
    private static final int BYTES_A_READ = 64 * 1024;

    /** A client that connects without end must not keep other connections from being read. */
    private static final int ACCEPTS_A_ROUND = 100;

    private static final long LOOK_MILLIS = 1000;

    private final FaultLog faults;
    private final int connectionsMax;
    private final ServerSocketChannel server;
    private final Selector selector;
    private final SelectionKey accepting;
    private final Lines lines;
    private final LongSupplier nanoClock;
    private final ByteBuffer buffer = ByteBuffer.allocate(BYTES_A_READ);
    private final SocketFailures failures;
    private final SocketFailures acceptFailures;
    private final LongAdder accepted;
    private final LongAdder refusedConnections;
    private final LongAdder brokenConnections;
    private final LongAdder idleConnections;
    private final LongAdder faultyReads;

    /** In the order in which they were last read, the longest silent first: {@code get} moves a connection to the end. */
    private final Map<TcpConnection, TcpConnection> connections = new LinkedHashMap<>(16, 0.75f, true);

    private long lookedNanos;
    private long acceptPauseMillis;
    private long acceptFailedNanos;
    private final CountDownLatch ending = new CountDownLatch(1);

    /** The number of connections, for other threads. */
    private volatile int open;

    /** @param server bound; closed by {@link #run} */
    TcpServer(
            ServerSocketChannel server,
            IntakeSettings settings,
            Optional<Keys> keys,
            LineTarget target,
            Tap tap,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this.server = server;
        this.faults = faults;
        this.nanoClock = nanoClock;
        connectionsMax = settings.connectionsMax();
        lines = new Lines(target, settings.nameBytesMax(), settings.statsd().newName(), keys, tap, faults, metrics);
        LongAdder failed = metrics.count("intake_receive_failures_total", "Receives and accepts that failed.");
        failures = new SocketFailures("the TCP selector", failed, faults, nanoClock);
        acceptFailures = new SocketFailures("the TCP port's accept", failed, faults, nanoClock);
        accepted = metrics.count("intake_accepted_connections_total", "TCP connections accepted.");
        refusedConnections =
                metrics.count("intake_refused_connections_total", "TCP connections refused because all were in use.");
        brokenConnections =
                metrics.count("intake_broken_connections_total", "TCP connections that ended with an error.");
        idleConnections = metrics.count(
                "intake_idle_connections_total",
                "TCP connections closed because they were idle or an incomplete line did not grow.");
        faultyReads = metrics.count("intake_faulty_reads_total", "Datagrams and reads that caused an internal error.");
        metrics.gauge("intake_connections", "Open TCP connections.", () -> open);
        metrics.gauge("intake_connections_max", "The maximum of TCP connections.", () -> connectionsMax);
        lookedNanos = nanoClock.getAsLong();
        selector = Selector.open();
        accepting = server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
    }

    @Override
    public void run() {
        try {
            while (ending.getCount() > 0) {
                serveOrPause();
                closeStalled();
            }
            serveLast();
        } finally {
            closeSockets();
        }
    }

    private void serveOrPause() {
        try {
            boolean accepts = accepting.interestOps() != 0;
            selector.select(this::serve, accepts ? LOOK_MILLIS : acceptPauseMillis);
            failures.succeeded();
            if (!accepts) {
                acceptAgain();
            }
        } catch (IOException failure) {
            pause(failures.failed(failure));
        } catch (CancelledKeyException closed) {
            throw new UncheckedIOException(new IOException("the TCP port was closed, so it receives nothing", closed));
        }
    }

    private void pause(long millis) {
        try {
            ending.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException nobodyShould) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(
                    "the TCP thread was interrupted, so no more connections are served", nobodyShould);
        }
    }

    /** Reads what had arrived at the end, in at most {@value #LAST_ROUNDS_MAX} rounds, because senders may never stop. */
    private void serveLast() {
        try {
            for (int round = 0; round < LAST_ROUNDS_MAX && selector.selectNow(this::serve) > 0; round++) {
                // Until the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the last TCP lines could not be received, because the selector failed: " + failure);
        }
    }

    private void serve(SelectionKey key) {
        if (key.equals(accepting)) {
            acceptOrPause();
        } else if (key.attachment() instanceof TcpConnection connection) {
            read(connection);
        }
    }

    private void acceptOrPause() {
        try {
            accept();
        } catch (IOException failure) {
            // It would fail again at once, and a process without descriptors must not spin.
            accepting.interestOps(0);
            acceptFailedNanos = nanoClock.getAsLong();
            acceptPauseMillis = acceptFailures.failed(failure);
        }
    }

    /** Accepts even if no connection waits any more, because only an accept that succeeds ends the failure. */
    private void acceptAgain() {
        if (nanoClock.getAsLong() - acceptFailedNanos >= TimeUnit.MILLISECONDS.toNanos(acceptPauseMillis)) {
            accepting.interestOps(SelectionKey.OP_ACCEPT);
            acceptOrPause();
        }
    }

    /** Accepts the next connection; null if none is waiting. A test overrides this. */
    @Nullable
    SocketChannel next() throws IOException {
        return server.accept();
    }

    private void accept() throws IOException {
        for (int left = ACCEPTS_A_ROUND; left > 0; left--) {
            SocketChannel channel = next();
            acceptFailures.succeeded();
            if (channel == null) {
                return;
            }
            try {
                accept(channel);
            } catch (IOException brokenMeanwhile) {
                brokenConnections.increment();
                closeQuietly(channel);
            }
        }
    }

    private void accept(SocketChannel channel) throws IOException {
        TcpConnection connection = new TcpConnection(channel, lines, nanoClock.getAsLong());
        if (connections.size() >= connectionsMax && !makeRoom()) {
            refusedConnections.increment();
            faults.warn(
                    "connections",
                    connection.addressKey(),
                    () -> "all " + connectionsMax + " TCP connections are in use, so the one from " + connection
                            + " was refused; to allow more, raise --connections or ulimit -n");
            channel.close();
            return;
        }
        // A sender whose machine has disappeared sends no FIN; the kernel's probes detect it.
        Keepalive.OF_SENDERS.set(channel);
        channel.configureBlocking(false).register(selector, SelectionKey.OP_READ, connection);
        accepted.increment();
        connections.put(connection, connection);
        open = connections.size();
    }

    /** Closes the connection that has been silent longest, if that is long enough; returns whether it did. */
    private boolean makeRoom() {
        TcpConnection silent = connections.keySet().iterator().next();
        boolean givesWay = silent.isSilent(nanoClock.getAsLong());
        if (givesWay) {
            idleConnections.increment();
            faults.warn(
                    "gave way",
                    silent.addressKey(),
                    () -> "all " + connectionsMax + " TCP connections are in use, so the one from " + silent
                            + ", silent longest, was closed for a new one; to allow more, raise --connections or"
                            + " ulimit -n");
            close(silent);
        }
        return givesWay;
    }

    private void read(TcpConnection connection) {
        if (connections.get(connection) == null) {
            // A new connection has just replaced it.
            return;
        }
        boolean goesOn = false;
        try {
            goesOn = connection.read(buffer.clear(), nanoClock.getAsLong());
        } catch (IOException reset) {
            brokenConnections.increment();
        } catch (RuntimeException fault) {
            faultyReads.increment();
            faults.warn(
                    "faulty connection",
                    "the TCP connection from " + connection
                            + " caused an internal error and was closed; the lines before the error were counted",
                    fault);
        }
        if (!goesOn) {
            close(connection);
        }
    }

    private void closeStalled() {
        long now = nanoClock.getAsLong();
        if (now - lookedNanos < TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)) {
            return;
        }
        lookedNanos = now;
        List<TcpConnection> stalled = new ArrayList<>();
        for (TcpConnection connection : connections.keySet()) {
            if (!connection.isSilent(now)) {
                break;
            }
            if (connection.isStalled(now)) {
                stalled.add(connection);
            }
        }
        for (TcpConnection connection : stalled) {
            idleConnections.increment();
            faults.warn(
                    "stalled",
                    connection.addressKey(),
                    () -> "the TCP connection from " + connection + " stopped in the middle of a line for "
                            + TcpConnection.SILENT_SECONDS + " s and was closed");
            close(connection);
        }
    }

    /** Ends {@link #run} once everything that has arrived is merged. From any thread. */
    void close() {
        ending.countDown();
        selector.wakeup();
    }

    private void close(TcpConnection connection) {
        connections.remove(connection);
        open = connections.size();
        connection.end();
        closeQuietly(connection.channel());
    }

    private void closeSockets() {
        for (TcpConnection connection : connections.keySet()) {
            connection.end();
            closeQuietly(connection.channel());
        }
        closeQuietly(server);
        closeQuietly(selector);
    }

    private void closeQuietly(AutoCloseable socket) {
        try {
            socket.close();
        } catch (Exception failure) {
            faults.warn("close", "a socket did not close: " + failure);
        }
    }
}
