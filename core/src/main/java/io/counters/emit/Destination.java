package io.counters.emit;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One collector: its name's current address, the socket to it, and the log messages about both. For the sweep's thread
 * only, which it never blocks.
 */
public final class Destination implements AutoCloseable {
    private static final long SLOW_SECONDS = 10;
    private static final long FAULT_SECONDS = 60;

    private final CollectorAddress collector;
    private final EmitterSettings settings;
    private final Consumer<String> log;
    private final @Nullable Resolver resolver;
    private final InetAddress[] literal;
    private final long beganNanos = System.nanoTime();

    private @Nullable UdpTransport transport;
    private @Nullable InetAddress address;
    private long openAtNanos = beganNanos;
    private long faultsSaid;
    private long refusalsBefore;
    private long faultAtNanos = beganNanos;
    private @Nullable String complaint;

    /** @param resolver of the collector's name; started here, unless the collector is given by an address */
    Destination(CollectorAddress collector, EmitterSettings settings, Resolver resolver, Consumer<String> log) {
        this.collector = collector;
        this.settings = settings;
        this.log = log;
        InetAddress written = collector.literal();
        if (written == null) {
            literal = new InetAddress[0];
            this.resolver = resolver;
            resolver.start();
        } else {
            literal = new InetAddress[] {written};
            this.resolver = null;
        }
    }

    /**
     * One that streams continue to when its address changes, because its ledger moves with its name.
     *
     * @param log called with one line at a time
     */
    public static Destination following(CollectorAddress collector, Consumer<String> log) {
        return new Destination(
                collector,
                EmitterSettings.to(collector.toString()).follow(true),
                new Resolver(collector.host, Resolver::ofTheJvm, 0),
                log);
    }

    /**
     * Takes over the address of a closed one for the same collector. Its streams continue here if the name still resolves
     * to that address; otherwise the collector has moved.
     *
     * @param closed its {@link #address}
     */
    void replaces(@Nullable InetAddress closed) {
        address = closed;
    }

    /** The address to which the last socket was opened; null if none was. */
    @Nullable
    InetAddress address() {
        return address;
    }

    /** The socket to the collector; null while its address is unknown. */
    public @Nullable UdpTransport transport() {
        return transport;
    }

    /** Whether the first look-up, which may find the address, is still in progress. */
    boolean isAwaited() {
        return transport == null && resolver != null && !resolver.hasAnswered();
    }

    /** Prepares for the last sweep when this JVM ends: looks up the address at once. */
    void hurry() {
        if (resolver != null) {
            resolver.hurry();
        }
        if (transport != null) {
            transport.listen();
            refusalsBefore = transport.refusals();
        }
    }

    /**
     * Opens the socket once an address is known. Opens another one if the socket has failed, or if the collector has
     * moved: that is, if its address is no longer among those to which its name resolves. Its address is tried first, then
     * the others of its name.
     *
     * @return whether it has moved and a new stream must begin at the new address
     */
    public boolean connect() {
        InetAddress[] known = resolver == null ? literal : resolver.addresses();
        if (known.length == 0) {
            complainOfName();
            return false;
        }
        if (transport != null && Arrays.asList(known).contains(address)) {
            transport.mend();
            return false;
        }
        long now = System.nanoTime();
        if (now - openAtNanos < 0) {
            return false;
        }
        openAtNanos = now + TimeUnit.SECONDS.toNanos(1);
        return open(known);
    }

    private boolean open(InetAddress[] known) {
        String reason = "";
        boolean isThere = address != null && Arrays.asList(known).contains(address);
        List<InetAddress> candidates = new ArrayList<>(Arrays.asList(known));
        if (isThere && candidates.remove(address)) {
            candidates.add(0, address);
        }
        for (InetAddress candidate : candidates) {
            try {
                UdpTransport fresh = new UdpTransport(
                        new InetSocketAddress(candidate, collector.port), settings.datagramBytes(candidate));
                boolean moved = address != null && !isThere;
                if (moved) {
                    log.accept("collector " + collector + " has moved to " + candidate.getHostAddress());
                }
                if (transport != null) {
                    transport.close();
                }
                transport = fresh;
                address = candidate;
                faultsSaid = 0;
                refusalsBefore = 0;
                complaint = null;
                return moved && !settings.follow();
            } catch (IOException | RuntimeException cannot) {
                // Usually this machine has no route of that kind, such as IPv6; the next address may be of another
                // kind.
                reason = String.valueOf(cannot.getMessage());
            }
        }
        complain("collector " + collector + ": no socket could be opened (" + reason + ")");
        return false;
    }

    private void complainOfName() {
        if (resolver == null || resolver.hasAnswered()) {
            complain("collector " + collector + ": its name does not resolve");
        } else if (System.nanoTime() - beganNanos > TimeUnit.SECONDS.toNanos(SLOW_SECONDS)) {
            complain("collector " + collector + ": no name server has answered for its name in " + SLOW_SECONDS + " s");
        }
    }

    private void complain(String what) {
        if (!what.equals(complaint)) {
            complaint = what;
            log.accept(what + "; it is tried again, and "
                    + (transport == null ? "counts are kept until then" : "its last address is used until then"));
        }
    }

    /** Logs failures of the socket, and what they mean for our streams: at once, and then at most once a minute. */
    public void reportFaults() {
        reportFaults(
                settings.totals()
                        ? "nothing is lost if it comes back, because totals are repeated"
                        : "their counts are lost, because totals are off");
    }

    /**
     * Logs failures of the socket for data other than our streams.
     *
     * @param outcome what the failures mean for the data that was sent
     */
    public void reportFaults(String outcome) {
        long now = System.nanoTime();
        if (transport != null && transport.faults() > faultsSaid && (faultsSaid == 0 || now - faultAtNanos > 0)) {
            log.accept("collector " + collector + ": " + transport.lastFault() + " (failed datagrams so far: "
                    + transport.faults() + "); " + outcome);
            faultsSaid = transport.faults();
            faultAtNanos = now + TimeUnit.SECONDS.toNanos(FAULT_SECONDS);
        }
    }

    /**
     * Logs a warning if no program listened there during the last sweep, unless a fault has been logged before. The kernel
     * reports a refused datagram only at the next call, so without this a short program would lose its counts silently.
     */
    void reportLast() {
        if (transport != null) {
            transport.listen();
            if (faultsSaid == 0 && transport.refusals() > refusalsBefore) {
                // Sweeps may continue while the JVM ends; this is the last message.
                faultsSaid = Long.MAX_VALUE;
                log.accept("collector " + collector
                        + ": no program listened there when this program ended; counts that it had"
                        + " not received by then are lost");
            }
        }
    }

    /** The collector's address, or that it has none yet, for log messages. */
    @Override
    public String toString() {
        return address == null ? collector.host + " (no address yet)" : address.getHostAddress() + ":" + collector.port;
    }

    @Override
    public void close() {
        if (resolver != null) {
            resolver.close();
        }
        if (transport != null) {
            transport.close();
        }
    }

    /** After {@link #close}: waits until its look-up has ended, too, but no longer than until then. */
    void await(long untilNanos) {
        if (resolver == null) {
            return;
        }
        try {
            resolver.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(untilNanos - System.nanoTime())));
        } catch (InterruptedException hurried) {
            // The thread that sends clears interrupts.
            return;
        }
    }
}
