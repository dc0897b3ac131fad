package io.counters.collector.proxy;

import io.counters.collector.access.Gate;
import io.counters.collector.common.AddressKey;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Keepalive;
import io.counters.collector.common.Metrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The TCP connections of senders. Both their number and their memory are limited:
 *
 * <ul>
 *   <li>There are at most {@code connectionsMax}. When all are in use, a new one replaces the one that has been silent
 *       longest, if that is more than {@value #SILENT_SECONDS} s; otherwise the new one is refused.
 *   <li>Incomplete messages together use at most {@code sender_bytes} of memory. When they would use more, the connection
 *       with the oldest incomplete message is closed.
 *   <li>A connection is closed if a message that it began is not complete after {@value #SILENT_SECONDS} s.
 * </ul>
 *
 * <p>When a connection ends, for whatever reason, its incomplete message is refused.
 *
 * <p>Silence alone closes a connection only after {@code tcp_idle}, because a client may have nothing to count for hours. TCP
 * keepalive detects, within two minutes, senders that have disappeared. For one thread.
 */
final class Senders implements AutoCloseable {
    static final int SILENT_SECONDS = 60;

    private static final long SILENT_NANOS = TimeUnit.SECONDS.toNanos(SILENT_SECONDS);
    private static final int READ_BYTES = 256 * 1024;

    private final long bytesMax;
    private final int connectionsMax;
    private final long idleNanos;
    private final Gate gate;
    private final Selector selector;
    private final MessageParser.Taker taker;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final LongAdder accepted;
    private final Map<Parting, LongAdder> parted = new EnumMap<>(Parting.class);
    private final ByteBuffer in = ByteBuffer.allocate(READ_BYTES);

    /** The longest silent first: looking up a sender moves it to the end. */
    private final LinkedHashMap<Sender, Sender> open = new LinkedHashMap<>(16, 0.75f, true);

    /** Those with an incomplete message, the oldest message first. */
    private final Set<Sender> halves = new LinkedHashSet<>();

    private long bytes;
    private int connections;

    /** The sender whose bytes are being read, or null. */
    private @Nullable Sender reading;

    /** One connection; the attachment of its selection key. */
    static final class Sender implements io.counters.collector.common.LineSender {
        private final SocketChannel channel;
        private final MessageAssembler assembler;
        private final long address;
        private final int port;
        private long heardNanos;

        /** When its incomplete message began. */
        private long halfNanos;

        /** When a line that does not end was last reported. */
        private long toldNanos;

        private Sender(SocketChannel channel, MessageAssembler assembler, long heardNanos) {
            this.channel = channel;
            InetSocketAddress from = remote(channel);
            address = AddressKey.of(from);
            port = from == null ? 0 : from.getPort();
            this.assembler = assembler;
            this.heardNanos = heardNanos;
            toldNanos = heardNanos;
        }

        @Override
        public String protocol() {
            return "TCP";
        }

        @Override
        public long addressKey() {
            return address;
        }

        @Override
        public int port() {
            return port;
        }

        @Override
        public String text() {
            return AddressKey.text(remote(channel));
        }

        /** Protocol and address, for messages. */
        @Override
        public String toString() {
            return "TCP from " + text();
        }
    }

    /** Why the proxy closed a connection. */
    private enum Parting {
        TOO_MANY("all connections are in use, and each was active within the last " + SILENT_SECONDS
                + " s; a larger ulimit -n allows more, up to connections"),
        SILENT("all connections are in use, and this one was silent longest"),
        HALF_MESSAGES("incomplete messages have reached sender_bytes, and this one was the oldest"),
        STALLED("the rest of an incomplete message did not arrive within " + SILENT_SECONDS + " s"),
        IDLE("it has sent nothing for tcp_idle");

        final String rule;

        Parting(String rule) {
            this.rule = rule;
        }

        String reason() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * @param bytesMax memory for incomplete messages, in bytes; more than the longest message
     * @param connectionsMax at least 1
     * @param idle how long a connection may be silent
     * @param gate lets senders in
     */
    Senders(
            long bytesMax,
            int connectionsMax,
            Duration idle,
            Gate gate,
            Selector selector,
            MessageParser.Taker taker,
            LongSupplier nanoClock,
            FaultLog faults,
            Metrics metrics) {
        this.bytesMax = bytesMax;
        this.connectionsMax = connectionsMax;
        idleNanos = idle.toNanos();
        this.gate = gate;
        this.selector = selector;
        this.taker = taker;
        this.nanoClock = nanoClock;
        this.faults = faults;
        accepted = metrics.count("proxy_accepted_connections_total", "TCP connections accepted.");
        for (Parting why : Parting.values()) {
            parted.put(
                    why,
                    metrics.count("proxy_closed_total", "TCP connections closed, by reason.", "reason", why.reason()));
        }
        metrics.gauge("proxy_connections", "Open TCP connections of senders.", () -> connections);
        metrics.gauge("proxy_connections_max", "The maximum of TCP connections of senders.", () -> connectionsMax);
        metrics.gauge("proxy_sender_bytes", "Memory for incomplete messages of all senders.", () -> bytes);
        metrics.gauge(
                "proxy_sender_bytes_max", "The maximum memory for incomplete messages of all senders.", () -> bytesMax);
    }

    /**
     * Accepts a waiting connection; refuses it if there is no room.
     *
     * @return false when none waits
     * @throws IOException for example when no descriptors are left; an immediate second attempt would fail too
     */
    boolean accept(ServerSocketChannel from) throws IOException {
        SocketChannel channel = from.accept();
        if (channel == null) {
            return false;
        }
        if (!gate.admits(AddressKey.of(remote(channel)))) {
            close(channel);
            return true;
        }
        if (connections >= connectionsMax && !makeRoom()) {
            part(channel, Parting.TOO_MANY);
            return true;
        }
        Sender sender = new Sender(channel, new MessageAssembler(taker), nanoClock.getAsLong());
        try {
            Keepalive.OF_SENDERS.set(channel);
            channel.configureBlocking(false).register(selector, SelectionKey.OP_READ, sender);
        } catch (IOException gone) {
            close(channel);
            return true;
        }
        accepted.increment();
        open.put(sender, sender);
        connections = open.size();
        return true;
    }

    private boolean makeRoom() {
        Sender quietest = open.keySet().iterator().next();
        if (nanoClock.getAsLong() - quietest.heardNanos <= SILENT_NANOS) {
            return false;
        }
        end(quietest, Parting.SILENT);
        return true;
    }

    /** Reads what a sender has sent. */
    void read(Sender sender) {
        open.get(sender);
        reading = sender;
        try {
            take(sender);
        } finally {
            reading = null;
        }
    }

    /** The sender whose bytes are being read or refused; null if they did not arrive over TCP. */
    @Nullable
    Sender reading() {
        return reading;
    }

    private void take(Sender sender) {
        sender.heardNanos = nanoClock.getAsLong();
        MessageAssembler assembler = sender.assembler;
        int keptBefore = assembler.kept();
        int half = assembler.halves();
        boolean goesOn = false;
        try {
            int count = sender.channel.read(in.clear());
            goesOn = count >= 0 && assembler.take(in.array(), count);
            if (goesOn && sender.heardNanos - sender.toldNanos >= SILENT_NANOS) {
                sender.toldNanos = sender.heardNanos;
                assembler.tellSkipped();
            }
        } catch (IOException reset) {
            // Its sender reset it; the complete messages before that were handled.
        }
        bytes += assembler.kept() - keptBefore;
        if (!goesOn) {
            end(sender);
            return;
        }
        if (assembler.kept() == 0 || assembler.halves() != half) {
            halves.remove(sender);
        }
        if (assembler.kept() > 0 && halves.add(sender)) {
            sender.halfNanos = sender.heardNanos;
        }
        while (bytes > bytesMax) {
            end(halves.iterator().next(), Parting.HALF_MESSAGES);
        }
    }

    /** Closes connections whose message is not completed, and those that were silent too long; call it once a second. */
    void maintain() {
        long now = nanoClock.getAsLong();
        for (Sender sender : new ArrayList<>(halves)) {
            if (now - sender.halfNanos > SILENT_NANOS) {
                end(sender, Parting.STALLED);
            }
        }
        while (!open.isEmpty()) {
            Sender quietest = open.keySet().iterator().next();
            if (now - quietest.heardNanos <= idleNanos) {
                return;
            }
            end(quietest, Parting.IDLE);
        }
    }

    private void end(Sender sender, Parting why) {
        refuseHalf(sender);
        part(sender.channel, why);
        end(sender);
    }

    private void end(Sender sender) {
        refuseHalf(sender);
        halves.remove(sender);
        open.remove(sender);
        connections = open.size();
        close(sender.channel);
    }

    private void refuseHalf(Sender sender) {
        bytes -= sender.assembler.kept();
        reading = sender;
        sender.assembler.end();
        reading = null;
    }

    private void part(SocketChannel channel, Parting why) {
        Objects.requireNonNull(parted.get(why)).increment();
        InetSocketAddress from = remote(channel);
        faults.warn(
                "closed " + why.reason(),
                AddressKey.of(from),
                () -> "TCP from " + AddressKey.text(from) + " was closed (" + why.reason() + "): " + why.rule);
        close(channel);
    }

    private static @Nullable InetSocketAddress remote(SocketChannel channel) {
        return (InetSocketAddress) channel.socket().getRemoteSocketAddress();
    }

    private void close(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException failure) {
            faults.warn("close", "a connection did not close: " + failure);
        }
    }

    /** Closes all connections. */
    @Override
    public void close() {
        for (Iterator<Sender> each = open.keySet().iterator(); each.hasNext(); ) {
            Sender sender = each.next();
            refuseHalf(sender);
            close(sender.channel);
            each.remove();
        }
        halves.clear();
        bytes = 0;
        connections = 0;
    }
}
