package io.counters.collector.intake;

import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.tap.Tap;
import io.counters.collector.udp.UdpSocket;
import io.counters.collector.udp.UnixSocket;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The two ports and, if it is set, the Unix socket, with a thread for each. {@link #run} serves them; {@link #close} ends it
 * once everything that has already arrived is merged.
 */
public final class Intake implements Runnable, AutoCloseable {
    private static final int FREE_PORTS_TRIED = 20;
    private static final long LAST_DATAGRAMS_MILLIS = 1000;

    /**
     * Connections that wait to be accepted: many senders may connect at once, after a restart. The kernel may grant less.
     */
    private static final int BACKLOG = 1024;

    private final UdpSocket socket;
    private final InetSocketAddress tcpAddress;
    private final DatagramReceiver udp;
    private final @Nullable DatagramReceiver unix;
    private final TcpServer tcp;
    private final BiFunction<Runnable, String, Thread> threads;
    private final List<Rounds> rounds = new ArrayList<>();

    /**
     * Opens all sockets.
     *
     * @param inherited the UDP socket that another program holds open, instead of one at the address in the settings
     * @param unixPath of the Unix socket; empty for none
     * @param keys with which datagrams are signed, if this collector has any
     * @param target takes the lines
     * @param tap gets what is received, if somebody looks
     * @param threads creates the threads for datagrams, by their names; TCP is served by the thread that calls {@link #run}.
     *     A thread that cannot continue ends with an exception, which must end the process
     * @throws IOException if a port or the path is in use or not allowed; the message contains the remedy
     */
    public Intake(
            IntakeSettings settings,
            Optional<DatagramChannel> inherited,
            Optional<Path> unixPath,
            Optional<Keys> keys,
            LineTarget target,
            Tap tap,
            BiFunction<Runnable, String, Thread> threads,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this.threads = threads;
        Ports ports = Ports.open(settings, inherited);
        UnixSocket named = null;
        try {
            tcpAddress = (InetSocketAddress) ports.tcp.getLocalAddress();
            socket = ports.udp;
            udp = new DatagramReceiver(
                    ports.udp,
                    Optional.of(new Gate(Port.UDP, settings.access().allowed(Port.UDP), faults, metrics)),
                    metrics.count("intake_datagrams_total", "Datagrams received over UDP."),
                    new Lines(target, settings.nameBytesMax(), settings.statsd().newName(), keys, tap, faults, metrics),
                    nanoClock,
                    faults,
                    metrics);
            named = unixPath.isEmpty() ? null : new UnixSocket(unixPath.get(), nanoClock);
            unix = named == null
                    ? null
                    : new DatagramReceiver(
                            named,
                            Optional.empty(),
                            metrics.count("intake_unix_datagrams_total", "Datagrams received by the Unix socket."),
                            new Lines(
                                    target,
                                    settings.nameBytesMax(),
                                    settings.statsd().newName(),
                                    keys,
                                    tap,
                                    faults,
                                    metrics),
                            nanoClock,
                            faults,
                            metrics);
            tcp = new TcpServer(ports.tcp, settings, keys, target, tap, nanoClock, faults, metrics);
        } catch (IOException cannot) {
            if (named != null) {
                named.close();
            }
            ports.close();
            throw cannot;
        }
        if (inherited.isPresent()) {
            warnIfElsewhere(settings.bind(), faults);
        }
        watch(nanoClock);
        show(metrics);
    }

    /** Whoever has given an address expects that datagrams to others do not count. */
    private void warnIfElsewhere(InetAddress bind, FaultLog faults) {
        InetAddress held = socket.address().getAddress();
        if (!bind.isAnyLocalAddress() && !bind.equals(held)) {
            faults.warn(
                    "bind",
                    "--bind is " + bind.getHostAddress()
                            + ", which does not apply to UDP, because systemd holds that socket, bound to "
                            + (held.isAnyLocalAddress() ? "all addresses" : held.getHostAddress())
                            + "; change ListenDatagram= in the .socket unit");
        }
    }

    private void watch(LongSupplier nanoClock) {
        rounds.add(new Rounds("the UDP socket's thread", udp::rounds, socket::hasUnread, nanoClock));
        // These two wake at least once a second.
        rounds.add(new Rounds("the TCP port's thread", tcp::rounds, () -> true, nanoClock));
        if (unix != null) {
            rounds.add(new Rounds("the Unix socket's thread", unix::rounds, () -> true, nanoClock));
        }
    }

    private void show(Metrics metrics) {
        metrics.total(
                "intake_kernel_drops_total",
                "Datagrams that the kernel dropped because the receive buffer was full.",
                socket::kernelDrops);
        metrics.gauge(
                "intake_receive_buffer_bytes",
                "Size of the receive buffer that the kernel granted.",
                socket::receiveBufferBytes);
    }

    /** The two sockets, bound. */
    private record Ports(UdpSocket udp, ServerSocketChannel tcp) {
        /** Opens both; if both must have the same free number, uses the first that is free for both. */
        static Ports open(IntakeSettings settings, Optional<DatagramChannel> inherited) throws IOException {
            boolean anyForBoth =
                    inherited.isEmpty() && settings.udpPort() == 0 && settings.tcpPort() == IntakeSettings.AS_UDP;
            for (int left = anyForBoth ? FREE_PORTS_TRIED : 1; ; left--) {
                UdpSocket udp = inherited.isPresent() ? new UdpSocket(inherited.get()) : udp(settings);
                try {
                    return new Ports(udp, tcp(settings, udp.address().getPort()));
                } catch (IOException cannot) {
                    udp.close();
                    if (left <= 1) {
                        throw cannot;
                    }
                }
            }
        }

        private static UdpSocket udp(IntakeSettings settings) throws IOException {
            InetSocketAddress at = new InetSocketAddress(settings.bind(), settings.udpPort());
            try {
                return new UdpSocket(at);
            } catch (BindException taken) {
                throw taken("UDP", at, taken);
            }
        }

        private static ServerSocketChannel tcp(IntakeSettings settings, int udpPort) throws IOException {
            int port = settings.tcpPort() == IntakeSettings.AS_UDP ? udpPort : settings.tcpPort();
            InetSocketAddress at = new InetSocketAddress(settings.bind(), port);
            ServerSocketChannel tcp = ServerSocketChannel.open();
            try {
                return tcp.setOption(StandardSocketOptions.SO_REUSEADDR, true).bind(at, BACKLOG);
            } catch (BindException taken) {
                tcp.close();
                throw taken("TCP", at, taken);
            }
        }

        private static IOException taken(String protocol, InetSocketAddress at, BindException taken) {
            return new IOException(
                    "cannot listen on " + at.getAddress().getHostAddress() + " " + protocol + " port " + at.getPort()
                            + " (" + taken.getMessage() + "); if another collector uses it, use --"
                            + protocol.toLowerCase(Locale.ROOT) + "-port for another port",
                    taken);
        }

        private void close() throws IOException {
            try (udp) {
                tcp.close();
            }
        }
    }

    /** The address for UDP, with the actual port. */
    public InetSocketAddress udpAddress() {
        return socket.address();
    }

    /** The address for TCP, with the actual port. */
    public InetSocketAddress tcpAddress() {
        return tcpAddress;
    }

    /** How to get a larger receive buffer, for the log. */
    public Optional<String> remark() {
        return socket.remark();
    }

    /** Looks whether the threads still read; about once a second, by one thread. */
    public void look() {
        rounds.forEach(Rounds::look);
    }

    /** What {@link #look} has found: the threads that hang, a line each. From any thread. */
    public List<String> hangs() {
        return rounds.stream().flatMap(thread -> thread.trouble().stream()).toList();
    }

    @Override
    public void run() {
        Thread receiving = threads.apply(udp, "counters-udp");
        Thread receivingUnix = unix == null ? null : threads.apply(unix, "counters-unix");
        receiving.start();
        if (receivingUnix != null) {
            receivingUnix.start();
        }
        tcp.run();
        try {
            receiving.join(LAST_DATAGRAMS_MILLIS);
            if (receivingUnix != null) {
                receivingUnix.join(LAST_DATAGRAMS_MILLIS);
            }
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Ends {@link #run} once everything that has arrived is merged; what has arrived by an inherited socket and is not read
     * stays there. From any thread; idempotent.
     */
    @Override
    public void close() {
        udp.close();
        if (unix != null) {
            unix.close();
        }
        tcp.close();
    }
}
