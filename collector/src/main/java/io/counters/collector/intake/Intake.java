package io.counters.collector.intake;

import io.counters.collector.ledger.Ledger;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;

/**
 * The two ports and their threads, one for UDP and one for TCP. {@link #run} serves both; {@link #close} ends it once all
 * that has already arrived was taken.
 */
public final class Intake implements Runnable, AutoCloseable {
    /** Asked of the kernel for datagrams not yet read; what it grants is in {@link #receiveBufferBytes}. */
    public static final int RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;

    private static final List<Path> SOCKET_TABLES = List.of(Path.of("/proc/net/udp"), Path.of("/proc/net/udp6"));
    private static final int FREE_PORTS_TRIED = 20;
    private static final long LAST_DATAGRAMS_MILLIS = 1000;

    private final InetSocketAddress udpAddress;
    private final InetSocketAddress tcpAddress;
    private final int receiveBufferBytes;
    private final UdpReceiver udp;
    private final TcpServer tcp;
    private final Function<Runnable, Thread> threads;

    /**
     * Opens both ports.
     *
     * @param threads makes the thread for UDP; TCP is served by the one that calls {@link #run}
     * @throws IOException when a port is taken or may not be used; the message names the remedy
     */
    public Intake(
            IntakeSettings settings, Ledger ledger, Function<Runnable, Thread> threads, FaultLog faults, Self self)
            throws IOException {
        this.threads = threads;
        Ports ports = Ports.open(settings);
        try {
            udpAddress = (InetSocketAddress) ports.udp.getLocalAddress();
            tcpAddress = (InetSocketAddress) ports.tcp.getLocalAddress();
            receiveBufferBytes = ports.udp.getOption(StandardSocketOptions.SO_RCVBUF);
            udp = new UdpReceiver(
                    ports.udp,
                    new Lines(ledger, "UDP", settings.nameBytesMax(), faults, self),
                    self.count("intake_datagrams_total"),
                    faults);
            tcp = new TcpServer(ports.tcp, settings.nameBytesMax(), ledger, faults, self);
        } catch (IOException cannot) {
            ports.close();
            throw cannot;
        }
        self.gauge("intake_kernel_drops_total", () -> KernelDrops.of(SOCKET_TABLES, udpAddress.getPort()));
        self.gauge("intake_receive_buffer_bytes", () -> receiveBufferBytes);
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
                    ports.close();
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

        private void close() throws IOException {
            try (tcp) {
                udp.close();
            }
        }
    }

    /** Where UDP comes in, with the port that was got. */
    public InetSocketAddress udpAddress() {
        return udpAddress;
    }

    /** Where TCP comes in, with the port that was got. */
    public InetSocketAddress tcpAddress() {
        return tcpAddress;
    }

    /** The bytes that the kernel keeps for datagrams not yet read, its bookkeeping included. */
    public int receiveBufferBytes() {
        return receiveBufferBytes;
    }

    @Override
    public void run() {
        Thread receiving = threads.apply(udp);
        receiving.start();
        tcp.run();
        try {
            receiving.join(LAST_DATAGRAMS_MILLIS);
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends {@link #run} once what has arrived was taken. From any thread; idempotent. */
    @Override
    public void close() {
        udp.close();
        tcp.close();
    }
}
