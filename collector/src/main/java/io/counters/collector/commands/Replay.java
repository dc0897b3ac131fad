package io.counters.collector.commands;

import io.counters.collector.common.DiskFault;
import io.counters.collector.common.ProgressMessages;
import io.counters.emit.CollectorAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code replay FILE}: sends a recording. */
@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        description = {
            "Sends the datagrams of a recording over UDP, with the pauses between them that were recorded.",
            "Lines without totals (StatsD, nc) count again wherever they are sent. Lines with totals (agent, API) change"
                    + " nothing at a collector that has received them before, and count fully at another one."
        })
public final class Replay implements Callable<Integer> {
    private static final double SPEED_MIN = 0.001;
    private static final double SPEED_MAX = 1_000_000;

    @Option(
            names = "--speed",
            paramLabel = "FACTOR",
            description = "10 sends ten times as fast as it was recorded (default ${DEFAULT-VALUE})")
    private double speed = 1;

    @Option(
            names = "--to",
            paramLabel = "HOST:PORT",
            description = "UDP address of the collector (default ${DEFAULT-VALUE})")
    private String to = "127.0.0.1:11212";

    @Option(names = "--other-machines", description = "allows an address that is not on this machine's loopback")
    private boolean otherMachines;

    @Parameters(paramLabel = "FILE", description = "a file that 'record' wrote")
    private @Nullable Path file;

    @Spec
    private @Nullable CommandSpec spec;

    private final Shell shell;

    public Replay(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException {
        Path from = Objects.requireNonNull(file);
        if (!(speed >= SPEED_MIN && speed <= SPEED_MAX)) {
            throw wrong("--speed is " + speed + "; it must be from 0.001 to 1000000; 1 is the recorded speed");
        }
        InetSocketAddress address = address();
        long total = 0;
        long lastMillis = 0;
        try (Recording.Reader reader = open(from)) {
            for (Recording.Datagram next = reader.next(); next != null; next = reader.next()) {
                total++;
                lastMillis = next.millis();
            }
            if (reader.isCut()) {
                shell.err()
                        .println("counters replay: " + from + " ends in the middle of a datagram, which is left out");
            }
        }
        shell.err()
                .println(String.format(
                        Locale.ROOT,
                        "counters replay: sends %,d datagrams to %s in about %,.0f s; lines without totals count again there, lines"
                                + " with totals that it has received before do not",
                        total,
                        to,
                        lastMillis / 1000.0 / speed));
        long refused = send(from, address, total);
        shell.out()
                .println(String.format(
                        Locale.ROOT,
                        "sent %,d datagrams to %s%s",
                        total,
                        to,
                        refused == 0
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        "; no program listened there (refused datagrams: %,d); start a collector",
                                        refused)));
        return refused == 0 ? 0 : 1;
    }

    private Recording.Reader open(Path from) throws IOException {
        try {
            return new Recording.Reader(from);
        } catch (NoSuchFileException missing) {
            throw new IOException(from + " does not exist; 'record' writes such a file", missing);
        } catch (java.nio.file.FileSystemException unreadable) {
            throw new IOException(from + " cannot be read: " + DiskFault.text(unreadable), unreadable);
        }
    }

    /** Returns how often the address refused a datagram. */
    private long send(Path from, InetSocketAddress address, long total) throws IOException {
        ProgressMessages progress =
                new ProgressMessages(shell.err(), shell.nanoClock(), "counters replay", "datagrams", total);
        long refused = 0;
        long begin = shell.nanoClock().getAsLong();
        try (Recording.Reader reader = open(from);
                DatagramChannel channel = DatagramChannel.open()) {
            channel.connect(address);
            for (Recording.Datagram next = reader.next(); next != null; next = reader.next()) {
                long due = begin + (long) (next.millis() / speed * TimeUnit.MILLISECONDS.toNanos(1));
                for (long left = due - shell.nanoClock().getAsLong();
                        left > 0;
                        left = due - shell.nanoClock().getAsLong()) {
                    LockSupport.parkNanos(left);
                    if (Thread.interrupted()) {
                        throw new IOException("interrupted");
                    }
                }
                refused += send(channel, next.bytes());
                progress.add(1);
            }
            refused += isRefused(channel) ? 1 : 0;
        }
        return refused;
    }

    /** Sends a datagram. Instead of sending it, the kernel first reports earlier ones that were refused: returns their number. */
    private static long send(DatagramChannel channel, byte[] bytes) throws IOException {
        for (long refused = 0; ; refused++) {
            try {
                channel.write(ByteBuffer.wrap(bytes));
                return refused;
            } catch (PortUnreachableException earlier) {
                // Each of them is reported once.
            }
        }
    }

    /** Whether the last datagram was refused. On loopback this is known as soon as it was sent. */
    private static boolean isRefused(DatagramChannel channel) throws IOException {
        channel.configureBlocking(false);
        try {
            channel.read(ByteBuffer.allocate(1));
            return false;
        } catch (PortUnreachableException last) {
            return true;
        }
    }

    private InetSocketAddress address() {
        try {
            CollectorAddress server = CollectorAddress.server(to, 0);
            InetAddress host = InetAddress.getByName(server.host());
            if (!host.isLoopbackAddress() && !otherMachines) {
                throw wrong("--to is '" + to + "', which is not on this machine's loopback; to send there, add"
                        + " --other-machines");
            }
            return new InetSocketAddress(host, server.port());
        } catch (IllegalArgumentException | UnknownHostException noAddress) {
            throw wrong("--to is '" + Escaped.text(to) + "'; write HOST:PORT, such as 127.0.0.1:11212");
        }
    }

    private CommandLine.ParameterException wrong(String message) {
        return new CommandLine.ParameterException(Objects.requireNonNull(spec).commandLine(), message);
    }
}
