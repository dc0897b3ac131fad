package io.counters.collector.proxy;

import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.LineSender;
import io.counters.collector.common.Metrics;
import io.counters.collector.udp.SocketFailures;
import io.counters.collector.udp.UdpSocket;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ports on which the proxy receives: TCP connections, which it hands to {@link Senders}, and datagrams, which it reads
 * itself. When accepting or receiving fails, the failure is counted, and the port is not used until the next {@link #maintain}.
 * For the loop's thread, except {@link #troubles} and the addresses.
 */
final class Ports {
    private static final Logger log = LoggerFactory.getLogger(Ports.class);

    /** Connections that the kernel keeps until they are accepted: after a restart, many clients may connect at once. */
    private static final int BACKLOG = 1024;

    private static final int DATAGRAMS_A_ROUND = 1000;
    private static final int ACCEPTS_A_ROUND = 100;

    private final ProxyIni settings;
    private final Senders senders;
    private final MessageParser.Taker taker;
    private final MessageParser parser;
    private final FaultLog faults;
    private final Metrics metrics;
    private final @Nullable ServerSocketChannel tcp;
    private final @Nullable UdpSocket udp;
    private final ByteBuffer datagram = ByteBuffer.allocateDirect(UdpSocket.DATAGRAM_BYTES_MAX);
    private final byte[] datagramLines = new byte[UdpSocket.DATAGRAM_BYTES_MAX + 1];
    private final Gate gate;
    private final LongAdder datagrams;
    private final SocketFailures accepts;
    private final SocketFailures receives;
    private final LineSender byUdp = new ByUdp();

    /** Whether accepting has failed since the last tick; below, the same for receiving. */
    private boolean acceptFailed;

    private boolean receiveFailed;

    /**
     * Opens the ports that the settings have, and registers them with the selector.
     *
     * @param taker gets what datagrams contain
     * @throws IOException when a port cannot be opened; the message names the remedy
     */
    Ports(
            ProxyIni settings,
            Selector selector,
            Senders senders,
            MessageParser.Taker taker,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this.settings = settings;
        this.senders = senders;
        this.taker = taker;
        this.faults = faults;
        this.metrics = metrics;
        parser = new MessageParser(taker);
        gate = new Gate(Port.UDP, settings.senders().allowed(Port.UDP), faults, metrics);
        datagrams = metrics.count("proxy_datagrams_total", "Datagrams received.");
        LongAdder socketFaults = metrics.count("proxy_socket_faults_total", "Receives and accepts that failed.");
        accepts = new SocketFailures(
                "accepting TCP connections (a larger limit of open files may help: ulimit -n)",
                socketFaults,
                faults,
                nanoClock);
        receives = new SocketFailures("receiving by UDP", socketFaults, faults, nanoClock);
        tcp = settings.tcpPort() == ProxyIni.OFF ? null : listen(selector);
        udp = settings.udpPort() == ProxyIni.OFF ? null : receive(selector);
    }

    private ServerSocketChannel listen(Selector selector) throws IOException {
        ServerSocketChannel channel = ServerSocketChannel.open();
        try {
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            channel.bind(new InetSocketAddress(settings.bind(), settings.tcpPort()), BACKLOG);
            channel.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
            return channel;
        } catch (BindException taken) {
            channel.close();
            throw taken("TCP", settings.tcpPort(), "port", taken);
        }
    }

    private UdpSocket receive(Selector selector) throws IOException {
        try {
            UdpSocket socket = new UdpSocket(new InetSocketAddress(settings.bind(), settings.udpPort()));
            socket.channel().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            socket.remark().ifPresent(log::info);
            metrics.total(
                    "proxy_kernel_drops_total",
                    "Datagrams that the kernel dropped because the receive buffer was full.",
                    socket::kernelDrops);
            metrics.gauge(
                    "proxy_receive_buffer_bytes",
                    "Size of the receive buffer that the kernel granted.",
                    socket::receiveBufferBytes);
            return socket;
        } catch (BindException taken) {
            throw taken("UDP", settings.udpPort(), "udp_port", taken);
        }
    }

    private IOException taken(String protocol, int port, String key, BindException taken) {
        return new IOException(
                "cannot listen on " + settings.bind().getHostAddress() + " " + protocol + " port " + port + " ("
                        + taken.getMessage() + "); if another proxy uses it, stop it, or set another " + key,
                taken);
    }

    /** The address on which TCP connections are accepted, with the actual port; null when TCP is off. */
    @Nullable
    InetSocketAddress tcpAddress() throws IOException {
        return tcp == null ? null : (InetSocketAddress) tcp.getLocalAddress();
    }

    /** The address on which datagrams are received, with the actual port; null when UDP is off. */
    @Nullable
    InetSocketAddress udpAddress() {
        return udp == null ? null : udp.address();
    }

    private boolean isTcp(SelectionKey key) {
        return tcp != null && key.channel().equals(tcp);
    }

    /** Accepts or receives what waits. */
    void serve(SelectionKey key) {
        boolean isTcp = isTcp(key);
        try {
            if (isTcp) {
                accept((ServerSocketChannel) key.channel());
            } else if (udp != null) {
                receive(udp);
            }
        } catch (IOException failure) {
            // It would fail again at once, because descriptors or memory are short; the next tick enables it again.
            key.interestOps(0);
            if (isTcp) {
                acceptFailed = true;
                accepts.failed(failure);
            } else {
                receiveFailed = true;
                receives.failed(failure);
            }
        }
    }

    private void accept(ServerSocketChannel from) throws IOException {
        for (int i = 0; i < ACCEPTS_A_ROUND && senders.accept(from); i++) {
            accepts.succeeded();
        }
    }

    private void receive(UdpSocket from) throws IOException {
        byte[] in = datagramLines;
        int count = 0;
        try {
            for (int length; count < DATAGRAMS_A_ROUND && (length = from.receive(datagram.clear())) >= 0; count++) {
                if (!gate.admits(from.senderKey())) {
                    continue;
                }
                datagram.get(0, in, 0, length);
                // The last line may lack its line break; it is sent with one, to separate it from the next line.
                in[length] = '\n';
                int end = length + 1;
                int rest = parser.take(in, 0, end);
                if (rest >= 0 && rest < end) {
                    taker.refused(MessageRejection.BINARY_CUT, in, rest, end);
                }
            }
        } finally {
            datagrams.add(count);
            if (count > 0) {
                receives.succeeded();
            }
        }
    }

    /** Uses ports again that have failed. */
    void maintain(Selector selector) {
        if (tcp != null) {
            // A port that was open for a tick and did not fail works, even if no sender connected.
            if (!acceptFailed) {
                accepts.succeeded();
            }
            acceptFailed = false;
            tcp.keyFor(selector).interestOps(SelectionKey.OP_ACCEPT);
        }
        if (udp != null) {
            if (!receiveFailed) {
                receives.succeeded();
            }
            receiveFailed = false;
            udp.channel().keyFor(selector).interestOps(SelectionKey.OP_READ);
        }
    }

    /** The present problems, a line each. From any thread. */
    List<String> troubles() {
        List<String> troubles = new ArrayList<>();
        receives.trouble().ifPresent(troubles::add);
        accepts.trouble().ifPresent(troubles::add);
        return troubles;
    }

    /** The sender of what is being read. */
    LineSender sender() {
        LineSender byTcp = senders.reading();
        return byTcp == null ? byUdp : byTcp;
    }

    /** The sender of the datagram that is being read. */
    private final class ByUdp implements LineSender {
        @Override
        public String protocol() {
            return "UDP";
        }

        @Override
        public long addressKey() {
            return udp == null ? AddressKey.UNKNOWN : udp.senderKey();
        }

        @Override
        public int port() {
            return udp == null ? 0 : udp.senderPort();
        }

        @Override
        public String text() {
            return AddressKey.text(udp == null ? null : udp.sender());
        }
    }

    void closeTcp() {
        close(tcp, faults);
    }

    void closeUdp() {
        close(udp, faults);
    }

    /** Closes it; a failure is only logged. */
    static void close(@Nullable AutoCloseable socket, FaultLog faults) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (Exception failure) {
            faults.warn("close", "a socket did not close: " + failure);
        }
    }
}
