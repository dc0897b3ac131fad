package io.counters.collector.intake;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.concurrent.atomic.LongAdder;

/** One thread that serves all TCP senders. */
final class TcpServer implements Runnable {
    private static final int LAST_ROUNDS_MAX = 1000;
    private static final int CONNECTIONS_MAX = 10_000;
    private static final int BYTES_A_READ = 64 * 1024;
    private static final long NO_ACCEPT_MILLIS = 100;

    private final Ledger ledger;
    private final FaultLog faults;
    private final Self self;
    private final int nameBytesMax;
    private final ServerSocketChannel server;
    private final Selector selector;
    private final SelectionKey accepting;
    private final ByteBuffer buffer = ByteBuffer.allocate(BYTES_A_READ);
    private final LongAdder connections;
    private final LongAdder refusedConnections;
    private final LongAdder brokenConnections;
    private int open;
    private volatile boolean closing;

    /** @param server bound; closed by {@link #run} */
    TcpServer(ServerSocketChannel server, int nameBytesMax, Ledger ledger, FaultLog faults, Self self)
            throws IOException {
        this.server = server;
        this.nameBytesMax = nameBytesMax;
        this.ledger = ledger;
        this.faults = faults;
        this.self = self;
        connections = self.count("intake_connections_total");
        refusedConnections = self.count("intake_refused_connections_total");
        brokenConnections = self.count("intake_broken_connections_total");
        selector = Selector.open();
        accepting = server.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
    }

    @Override
    public void run() {
        try {
            while (!closing) {
                boolean accepts = accepting.interestOps() != 0;
                selector.select(this::serve, accepts ? 0 : NO_ACCEPT_MILLIS);
                if (!accepts) {
                    accepting.interestOps(SelectionKey.OP_ACCEPT);
                }
            }
            // What had arrived when the end was called is taken still; what goes on arriving is not waited out.
            for (int round = 0; round < LAST_ROUNDS_MAX && selector.selectNow(this::serve) > 0; round++) {
                // On to the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the TCP sockets failed, no more lines are taken there: " + failure);
        } finally {
            closeSockets();
        }
    }

    private void serve(SelectionKey key) {
        try {
            if (key.equals(accepting)) {
                accept();
            } else if (key.attachment() instanceof TcpConnection connection) {
                read(key, connection);
            }
        } catch (IOException failure) {
            // It would fail again at once: a process that has no descriptors left is not to spin.
            accepting.interestOps(0);
            faults.warn("socket", "a TCP connection could not be accepted, and is tried again: " + failure);
        } catch (CancelledKeyException closedMeanwhile) {
            // Nothing more can come from it.
        }
    }

    private void accept() throws IOException {
        for (SocketChannel channel = server.accept(); channel != null; channel = server.accept()) {
            if (open >= CONNECTIONS_MAX) {
                refusedConnections.increment();
                faults.warn("connections", "more than " + CONNECTIONS_MAX + " TCP connections; new ones are refused");
                channel.close();
                continue;
            }
            connections.increment();
            open++;
            Lines lines = new Lines(ledger, "TCP", nameBytesMax, faults, self);
            channel.configureBlocking(false)
                    .register(selector, SelectionKey.OP_READ, new TcpConnection(channel, lines));
        }
    }

    private void read(SelectionKey key, TcpConnection connection) {
        boolean goesOn = false;
        try {
            goesOn = connection.read(buffer.clear());
        } catch (IOException reset) {
            brokenConnections.increment();
        }
        if (!goesOn) {
            open--;
            closeQuietly(key.channel());
        }
    }

    /** Ends {@link #run} once what has arrived was taken. From any thread. */
    void close() {
        closing = true;
        selector.wakeup();
    }

    private void closeSockets() {
        if (selector.isOpen()) {
            selector.keys().forEach(key -> closeQuietly(key.channel()));
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
