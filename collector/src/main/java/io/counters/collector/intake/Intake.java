package io.counters.collector.intake;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * The sockets and the one thread that serves them. {@link #run} is that thread's work; {@link #close} ends it once all
 * that has already arrived was taken.
 */
public final class Intake implements Runnable, AutoCloseable {
    /** Asked of the kernel for UDP; what it grants is in {@link #receiveBufferBytes}. */
    private static final int RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

    private static final List<Path> SOCKET_TABLES = List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));
    private static final int DATAGRAMS_A_ROUND = 1000;
    private static final int FREE_PORTS_TRIED = 20;
    private static final int LAST_ROUNDS_MAX = 1000;
    private static final int CONNECTIONS_MAX = 10_000;
    private static final int DATAGRAM_BYTES_MAX = 65_536;

    private final Ledger ledger;
    private final FaultLog faults;
    private final Self self;
    private final int nameBytesMax;
    private final Selector selector;
    private final DatagramChannel udp;
    private final ServerSocketChannel tcp;
    private final ByteBuffer datagram = ByteBuffer.allocate(DATAGRAM_BYTES_MAX);
    private final Lines udpLines;
    private final LongAdder datagrams;
    private final LongAdder connections;
    private final LongAdder refusedConnections;
    private final LongAdder brokenConnections;
    private int open;
    private volatile boolean closing;

    /**
     * Opens both sockets.
     *
     * @throws IOException when a port is taken or may not be used; the message names the remedy
     */
    public Intake(IntakeSettings settings, Ledger ledger, FaultLog faults, Self self) throws IOException {
        this.ledger = ledger;
        this.faults = faults;
        this.self = self;
        nameBytesMax = settings.nameBytesMax();
        udpLines = new Lines(ledger, "UDP", nameBytesMax, faults, self);
        datagrams = self.count("intake_datagrams_total");
        connections = self.count("intake_connections_total");
        refusedConnections = self.count("intake_refused_connections_total");
        brokenConnections = self.count("intake_broken_connections_total");
        Ports ports = Ports.open(settings);
        udp = ports.udp;
        tcp = ports.tcp;
        try {
            int port = udpAddress().getPort();
            self.gauge("intake_kernel_drops_total", () -> KernelDrops.of(SOCKET_TABLES, port));
            selector = Selector.open();
            udp.configureBlocking(false).register(selector, SelectionKey.OP_READ);
            tcp.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
        } catch (IOException cannot) {
            closeQuietly(udp);
            closeQuietly(tcp);
            throw cannot;
        }
    }

    /** The two sockets, bound. */
    private record Ports(DatagramChannel udp, ServerSocketChannel tcp) {
        /** Opens both; where one free number is wanted for both, takes the first that is free for both. */
        static Ports open(IntakeSettings settings) throws IOException {
            boolean anyForBoth = settings.udpPort() == 0 && settings.tcpPort() == IntakeSettings.AS_UDP;
            for (int left = anyForBoth ? FREE_PORTS_TRIED : 1; ; left--) {
                Ports ports = new Ports(DatagramChannel.open(), ServerSocketChannel.open());
                try {
                    ports.bind(settings);
                    return ports;
                } catch (IOException cannot) {
                    ports.udp.close();
                    ports.tcp.close();
                    if (left <= 1) {
                        throw cannot;
                    }
                }
            }
        }

        private void bind(IntakeSettings settings) throws IOException {
            udp.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER_BYTES);
            tcp.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            int port = settings.udpPort();
            try {
                udp.bind(new InetSocketAddress(settings.bind(), port));
                port = settings.tcpPort() == IntakeSettings.AS_UDP
                        ? ((InetSocketAddress) udp.getLocalAddress()).getPort()
                        : settings.tcpPort();
                tcp.bind(new InetSocketAddress(settings.bind(), port));
            } catch (BindException taken) {
                throw new IOException(
                        "can't listen on " + settings.bind().getHostAddress() + " port " + port + " ("
                                + taken.getMessage() + "); another collector may run there, --udp-port takes another",
                        taken);
            }
        }
    }

    /** Where UDP comes in, with the port that was got. */
    public InetSocketAddress udpAddress() throws IOException {
        return (InetSocketAddress) udp.getLocalAddress();
    }

    /** Where TCP comes in, with the port that was got. */
    public InetSocketAddress tcpAddress() throws IOException {
        return (InetSocketAddress) tcp.getLocalAddress();
    }

    /** The bytes that the kernel keeps for datagrams not yet read; it may grant less than was asked, or count double. */
    public int receiveBufferBytes() throws IOException {
        return udp.getOption(StandardSocketOptions.SO_RCVBUF);
    }

    @Override
    public void run() {
        try {
            while (!closing) {
                selector.select(this::serve);
            }
            // What had arrived when the end was called is taken still; what goes on arriving is not waited out.
            for (int round = 0; round < LAST_ROUNDS_MAX && selector.selectNow(this::serve) > 0; round++) {
                // On to the last one.
            }
        } catch (IOException failure) {
            faults.warn("intake", "the sockets failed, no more lines are taken: " + failure);
        } finally {
            closeSockets();
        }
    }

    private void serve(SelectionKey key) {
        try {
            if (key.channel().equals(udp)) {
                receive();
            } else if (key.channel().equals(tcp)) {
                accept();
            } else if (key.attachment() instanceof TcpConnection connection) {
                read(key, connection);
            }
        } catch (IOException failure) {
            faults.warn("socket", "a socket failed and goes on: " + failure);
        } catch (CancelledKeyException closedMeanwhile) {
            // Nothing more can come from it.
        }
    }

    private void receive() throws IOException {
        int count = 0;
        for (; count < DATAGRAMS_A_ROUND && udp.receive(datagram.clear()) != null; count++) {
            udpLines.datagram(datagram.array(), 0, datagram.position());
        }
        datagrams.add(count);
    }

    private void accept() throws IOException {
        for (SocketChannel channel = tcp.accept(); channel != null; channel = tcp.accept()) {
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
            goesOn = connection.read();
        } catch (IOException reset) {
            brokenConnections.increment();
        }
        if (!goesOn) {
            open--;
            closeQuietly(key.channel());
        }
    }

    /** Ends {@link #run} once what has arrived was taken. From any thread; idempotent. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
    }

    private void closeSockets() {
        if (selector.isOpen()) {
            selector.keys().forEach(key -> closeQuietly(key.channel()));
        }
        closeQuietly(udp);
        closeQuietly(tcp);
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
