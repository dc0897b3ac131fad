package io.counters.collector.intake;

import io.counters.collector.access.Certificate;
import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Keepalive;
import io.counters.collector.common.Metrics;
import io.counters.collector.tap.Tap;
import io.counters.collector.udp.SocketFailures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One thread that serves all TCP senders. Their number is bounded; when the bound is reached, a new connection replaces the
 * one that has been silent longest, if that is more than {@value TcpConnection#SILENT_SECONDS} s, or one of an address that has
 * more than half of all. A line or a handshake of
 * TLS that is not complete after that time ends its connection. Silence alone closes a connection only after many hours: a
 * sender may have nothing to count for long, and would lose its first write after that. TCP's keepalive detects senders that
 * have disappeared.
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
    private final long idleNanos;
    private final Optional<Certificate> certificate;
    private final Gate gate;
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
    private final LongAdder crowdedConnections;
    private final LongAdder failedTls;
    private final LongAdder faultyReads;

    /** In the order in which they were last read, the longest silent first: {@code get} moves a connection to the end. */
    private final Map<TcpConnection, TcpConnection> connections = new LinkedHashMap<>(16, 0.75f, true);

    /** Those of each address, in the same order. */
    private final Map<Long, Map<TcpConnection, TcpConnection>> byAddress = new HashMap<>();

    /** Those of the only address that has more than half of all, if there is one; a refusal must not look for it. */
    private @Nullable Map<TcpConnection, TcpConnection> crowd;

    private long lookedNanos;
    private long acceptPauseMillis;
    private long acceptFailedNanos;
    private final CountDownLatch ending = new CountDownLatch(1);

    /** Grows at least once a second. */
    private final AtomicLong rounds = new AtomicLong();

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
        idleNanos = settings.idle().toNanos();
        certificate = settings.access().certificate(Port.TCP);
        gate = new Gate(Port.TCP, settings.access().allowed(Port.TCP), faults, metrics);
        boolean isIdentified =
                certificate.filter(Certificate::identifiesClients).isPresent();
        lines = new Lines(
                target,
                settings.nameBytesMax(),
                settings.statsd().newName(),
                isIdentified ? Optional.empty() : keys,
                tap,
                faults,
                metrics);
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
        crowdedConnections = metrics.count(
                "intake_crowded_connections_total",
                "TCP connections closed for a new one because their address had more than half of all.");
        failedTls = metrics.count(
                "intake_failed_tls_total",
                "TCP connections closed because what arrived was not TLS, or its handshake failed.");
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
                rounds.incrementAndGet();
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
        // Many connections may make a round long.
        rounds.incrementAndGet();
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
        InetSocketAddress sender = (InetSocketAddress) channel.getRemoteAddress();
        long address = AddressKey.of(sender);
        if (!gate.admits(address)) {
            channel.close();
            return;
        }
        // First, because what TLS needs must not be built for a connection that is refused.
        if (connections.size() >= connectionsMax && !makeRoom(address)) {
            refusedConnections.increment();
            faults.warn(
                    "connections",
                    address,
                    () -> "all " + connectionsMax + " TCP connections are in use, so the one from "
                            + AddressKey.text(sender)
                            + " was refused; to allow more, raise --connections or ulimit -n");
            channel.close();
            return;
        }
        TcpConnection connection = new TcpConnection(channel, certificate, lines, nanoClock.getAsLong());
        // A sender whose machine has disappeared sends no FIN; the kernel's probes detect it.
        Keepalive.OF_SENDERS.set(channel);
        channel.configureBlocking(false).register(selector, SelectionKey.OP_READ, connection);
        accepted.increment();
        connections.put(connection, connection);
        Map<TcpConnection, TcpConnection> same =
                byAddress.computeIfAbsent(address, first -> new LinkedHashMap<>(1, 0.75f, true));
        same.put(connection, connection);
        crowd = same.size() > connectionsMax / 2 ? same : crowd;
        open = connections.size();
    }

    /**
     * Closes the connection that has been silent longest, if that is long enough, or else the longest silent one of another
     * address that has more than half of all; returns whether it did.
     */
    @SuppressWarnings("ReferenceEquality") // Whether it is that address' own table.
    private boolean makeRoom(long newcomer) {
        TcpConnection longest = connections.keySet().iterator().next();
        if (longest.isSilent(nanoClock.getAsLong())) {
            idleConnections.increment();
            giveWay(longest, "silent longest");
            return true;
        }
        Map<TcpConnection, TcpConnection> most = crowd;
        if (most == null || most == byAddress.get(newcomer)) {
            return false;
        }
        crowdedConnections.increment();
        giveWay(most.keySet().iterator().next(), "whose address has more than half of them");
        return true;
    }

    private void giveWay(TcpConnection connection, String why) {
        faults.warn(
                "gave way",
                connection.addressKey(),
                () -> "all " + connectionsMax + " TCP connections are in use, so the one from " + connection + ", "
                        + why + ", was closed for a new one; to allow more, raise --connections or ulimit -n");
        close(connection);
    }

    private void read(TcpConnection connection) {
        if (connections.get(connection) == null) {
            // A new connection has just replaced it.
            return;
        }
        of(connection).get(connection);
        boolean goesOn = false;
        try {
            goesOn = connection.read(buffer.clear(), nanoClock.getAsLong());
        } catch (SSLException failed) {
            failedTls.increment();
            faults.warn(
                    "tls",
                    connection.addressKey(),
                    () -> "the TCP connection from " + connection + " was closed, because the port speaks TLS: "
                            + FaultLog.shown(String.valueOf(failed.getMessage())));
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
        for (TcpConnection connection : List.copyOf(connections.values())) {
            boolean isStalled = connection.isStalled(now);
            if (isStalled || connection.isIdle(now, idleNanos)) {
                idleConnections.increment();
                faults.warn(
                        isStalled ? "stalled" : "idle",
                        connection.addressKey(),
                        () -> "the TCP connection from " + connection
                                + (isStalled
                                        ? " did not complete a line or its handshake within "
                                                + TcpConnection.SILENT_SECONDS + " s and was closed"
                                        : " has sent nothing for --tcp-idle and was closed"));
                close(connection);
            }
        }
    }

    /** How many rounds were made. From any thread. */
    long rounds() {
        return rounds.get();
    }

    /** Ends {@link #run} once everything that has arrived is merged. From any thread. */
    void close() {
        ending.countDown();
        selector.wakeup();
    }

    @SuppressWarnings("ReferenceEquality") // Whether it is that very table.
    private void close(TcpConnection connection) {
        connections.remove(connection);
        Map<TcpConnection, TcpConnection> same = of(connection);
        same.remove(connection);
        if (same.isEmpty()) {
            byAddress.remove(connection.addressKey());
        }
        if (crowd == same && same.size() <= connectionsMax / 2) {
            crowd = null;
        }
        open = connections.size();
        connection.end();
        closeQuietly(connection.channel());
    }

    /** All connections of the same address. */
    private Map<TcpConnection, TcpConnection> of(TcpConnection connection) {
        return Objects.requireNonNull(byAddress.get(connection.addressKey()));
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
