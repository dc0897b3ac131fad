package io.counters.collector.proxy;

import io.counters.collector.self.AddressKey;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.JoinedLines;
import io.counters.collector.self.SeededHash;
import io.counters.collector.self.Self;
import io.counters.collector.self.Sender;
import io.counters.collector.settings.SettingsException;
import io.counters.collector.udp.SocketFailures;
import io.counters.collector.udp.UdpSocket;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Single-threaded event loop over all sockets, incoming and outgoing; only the selector blocks. {@link #run} runs the loop.
 * {@link #close} ends it: the loop reads what has arrived, writes what waits, and returns within {@value #LAST_MILLIS_MAX}
 * ms.
 *
 * <p>A server that cannot be reached or reads too slowly keeps its keys. Messages for it wait in its own queue and delay
 * nothing else: senders are always read, and when the queues are full the longest queue drops its oldest messages.
 *
 * <p>When receiving over UDP or accepting TCP connections fails, the failure is counted, and the port is not used until the
 * next tick. If it fails for a minute without a success, or if anything else fails, {@link #run} throws, and its caller must
 * end the process.
 */
public final class Forwarder implements Runnable, AutoCloseable, Frames.Taker {
    private static final Logger log = LoggerFactory.getLogger(Forwarder.class);

    /** Connections that the kernel keeps until they are accepted: after a restart, many clients may connect at once. */
    private static final int BACKLOG = 1024;

    private static final int DATAGRAMS_A_ROUND = 1000;
    private static final int ACCEPTS_A_ROUND = 100;

    /** The loop wakes at least every {@value #TICK_MILLIS} ms, so a loop that finishes no round for this long hangs. */
    private static final long ROUND_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    /** How long to wait until the loop has accepted or refused a list of servers. */
    private static final long ANSWER_SECONDS_MAX = 5;

    private static final long TICK_MILLIS = 100;

    /** Minimum time between writes of few messages: a write costs more than the messages in it. */
    private static final long GATHER_MILLIS = 2;

    private static final int GATHER_BYTES = 16 * 1024;
    private static final int TICKS_A_SWEEP = 10;

    /** The folder with the connections of this process' network namespace. */
    private static final Path TCP_TABLE = Path.of("/proc/self/net");

    private static final long LAST_MILLIS_MAX = 5_000;
    private static final long LAST_READS_MILLIS_MAX = 1_000;
    private static final long[] LAST_PAUSES_MILLIS = {50, 150};
    private static final long[] NO_PAUSES = {};

    /** How long the totals in the stream to a removed server are repeated to it. */
    private static final long LEAVING_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final ProxySettings settings;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final FaultLog faults;
    private final Self self;
    private final Selector selector;
    private final @Nullable ServerSocketChannel tcp;
    private final @Nullable UdpSocket udp;
    private final Frames frames = new Frames(this);
    private final byte[] outgoing = new byte[DatagramWriter.BYTES_MAX];
    private final ByteBuffer datagram = ByteBuffer.allocateDirect(UdpSocket.DATAGRAM_BYTES_MAX);
    private final byte[] datagramLines = new byte[UdpSocket.DATAGRAM_BYTES_MAX + 1];
    private final Refusals refusals;
    private final LongAdder messages;
    private final LongAdder datagrams;
    private final SocketFailures accepts;
    private final SocketFailures receives;
    private final QueueRoom queues;
    private final Senders senders;
    private final Relay relay;
    private final SilentHosts silentHosts;
    private final AtomicReference<@Nullable Change> next = new AtomicReference<>();

    /** Indexed by the servers' places in the ring. */
    private Upstream[] upstreams = {};

    private final List<Leaving> leaving = new ArrayList<>();
    private Ring ring;
    private long ticks;
    private long nextTickNanos;
    private long nextFlushNanos;
    private boolean gathers;

    private final Sender byUdp = new ByUdp();
    private volatile Upstream[] shown = {};
    private volatile boolean closing;

    /** When the loop last finished a round. */
    private volatile long roundNanos;

    /** Whether accepting has failed since the last tick; below, the same for receiving. */
    private boolean acceptFailed;

    private boolean receiveFailed;

    /** @param refusal the reason why the servers are not used, empty if they are; completed by the loop */
    private record Change(List<Server> servers, CompletableFuture<Optional<String>> refusal) {}

    private record Leaving(Upstream upstream, long untilNanos) {}

    /**
     * Opens the ports. Servers are connected after {@link #run} has begun.
     *
     * @param wallMillis Unix time
     * @param random a secure source, because strangers choose the names
     * @param descriptors how many file descriptors this process may use; senders get at most half of them
     * @param ids supplies the ID of each new stream; never the same ID twice
     * @throws IOException when a port cannot be opened; the message names the remedy
     */
    public Forwarder(
            ProxySettings settings,
            LongSupplier nanoClock,
            LongSupplier wallMillis,
            RandomGenerator random,
            long descriptors,
            Supplier<String> ids,
            FaultLog faults,
            Self self)
            throws IOException {
        this.settings = settings;
        this.nanoClock = nanoClock;
        this.random = random;
        this.faults = faults;
        this.self = self;
        messages = self.count("proxy_messages_total", "StatsD and statsite messages forwarded.");
        datagrams = self.count("proxy_datagrams_total", "Datagrams received.");
        LongAdder socketFaults = self.count("proxy_socket_faults_total", "Receives and accepts that failed.");
        accepts = new SocketFailures(
                "accepting TCP connections (a larger limit of open files may help: ulimit -n)",
                socketFaults,
                faults,
                nanoClock);
        receives = new SocketFailures("receiving by UDP", socketFaults, faults, nanoClock);
        refusals = new Refusals(faults, this::sender, self);
        ring = new Ring(settings.list(), settings.dropTags());
        Amounts amounts = new Amounts(settings.namesBytes(), new SeededHash(random));
        relay = new Relay(ring, amounts, nanoClock, wallMillis, ids, refusals, self);
        queues = new QueueRoom(settings.queueBytes(), faults, self);
        silentHosts = new SilentHosts(new TcpTable(TCP_TABLE), faults);
        selector = Selector.open();
        int connectionsMax = (int) Math.min(Senders.CONNECTIONS_MAX, Math.max(1, descriptors / 2));
        senders = new Senders(settings.senderBytes(), connectionsMax, selector, this, nanoClock, faults, self);
        try {
            tcp = settings.tcpPort() == ProxySettings.OFF ? null : listen();
            udp = settings.udpPort() == ProxySettings.OFF ? null : receive();
        } catch (IOException cannot) {
            closeSockets();
            throw cannot;
        }
        nextTickNanos = nanoClock.getAsLong();
        nextFlushNanos = nextTickNanos;
        roundNanos = nextTickNanos;
        upstreams = upstreams(ring);
    }

    private ServerSocketChannel listen() throws IOException {
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

    private UdpSocket receive() throws IOException {
        try {
            UdpSocket socket = new UdpSocket(new InetSocketAddress(settings.bind(), settings.udpPort()));
            socket.channel().configureBlocking(false).register(selector, SelectionKey.OP_READ);
            socket.remark().ifPresent(log::info);
            self.total(
                    "proxy_kernel_drops_total",
                    "Datagrams that the kernel dropped because the receive buffer was full.",
                    socket::kernelDrops);
            self.gauge(
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
    public @Nullable InetSocketAddress tcpAddress() throws IOException {
        return tcp == null ? null : (InetSocketAddress) tcp.getLocalAddress();
    }

    /** The address on which datagrams are received, with the actual port; null when UDP is off. */
    public @Nullable InetSocketAddress udpAddress() {
        return udp == null ? null : udp.address();
    }

    /**
     * Replaces the list of servers. Waits until the loop has accepted or refused it. Call from any thread but the loop's, one
     * call at a time.
     *
     * @throws SettingsException with the reason, when the list is not used; the old servers stay in use
     */
    void use(List<Server> servers) throws SettingsException {
        Change change = new Change(List.copyOf(servers), new CompletableFuture<>());
        next.set(change);
        selector.wakeup();
        Optional<String> refusal;
        try {
            refusal = change.refusal.get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (TimeoutException | ExecutionException unanswered) {
            next.compareAndSet(change, null);
            refusal = Optional.of("the proxy's loop did not answer within " + ANSWER_SECONDS_MAX + " s");
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            next.compareAndSet(change, null);
            refusal = Optional.of("the wait for the proxy's loop was interrupted");
        }
        if (refusal.isPresent()) {
            throw new SettingsException(
                    List.of("the new list of servers (" + servers.size() + ") is not used: " + refusal.get()));
        }
    }

    /** The present problems, a line each; empty when there are none. From any thread. */
    List<String> troubles() {
        List<String> troubles = new ArrayList<>();
        long age = nanoClock.getAsLong() - roundNanos;
        if (age > ROUND_NANOS_MAX) {
            troubles.add("the proxy's loop has not finished a round for " + TimeUnit.NANOSECONDS.toSeconds(age) + " s");
        }
        receives.trouble().ifPresent(troubles::add);
        accepts.trouble().ifPresent(troubles::add);
        return troubles;
    }

    /** How many servers are connected, or can be sent to over UDP. From any thread; may be slightly out of date. */
    public long serversUp() {
        long up = 0;
        for (Upstream upstream : shown) {
            up += upstream.isUp() ? 1 : 0;
        }
        return up;
    }

    @Override
    public void run() {
        try {
            while (!closing) {
                round();
            }
            end();
        } catch (IOException failure) {
            // The selector failed; without it, nothing is received or sent. The thread's owner ends the process.
            throw new UncheckedIOException("the proxy's selector failed", failure);
        } finally {
            closeSockets();
        }
    }

    private void round() throws IOException {
        selector.select(this::serve, gathers ? GATHER_MILLIS : Math.max(1, millisUntil(nextTickNanos)));
        long now = nanoClock.getAsLong();
        boolean isDue = now - nextFlushNanos >= 0;
        gathers = false;
        for (Upstream upstream : upstreams) {
            long bytes = upstream.waiting();
            if (bytes >= GATHER_BYTES || (isDue && bytes > 0)) {
                upstream.flush();
            } else {
                gathers |= bytes > 0 && upstream.isUp();
            }
        }
        if (isDue) {
            nextFlushNanos = now + TimeUnit.MILLISECONDS.toNanos(GATHER_MILLIS);
        }
        if (nextTickNanos - now <= 0) {
            tick();
        }
        roundNanos = now;
    }

    private long millisUntil(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - nanoClock.getAsLong());
    }

    private void tick() {
        long now = nanoClock.getAsLong();
        nextTickNanos = now + TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
        Change change = next.getAndSet(null);
        if (change != null) {
            change.refusal.complete(change(change.servers));
        }
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
        for (Upstream upstream : upstreams) {
            upstream.tick();
        }
        leaving.removeIf(left -> {
            left.upstream.tick();
            left.upstream.flush();
            boolean isOver = now - left.untilNanos > 0;
            if (isOver) {
                forget(left.upstream);
            }
            return isOver;
        });
        if (ticks++ % TICKS_A_SWEEP == 0) {
            senders.tick();
            silentHosts.look(
                    Stream.concat(Arrays.stream(upstreams), leaving.stream().map(Leaving::upstream))
                            .toList());
            relay.sweep(this::streams);
        }
    }

    private @Nullable Transport streams(Server server) {
        Upstream upstream = find(server);
        return upstream == null ? null : upstream.streams();
    }

    private @Nullable Upstream find(Server server) {
        for (Upstream upstream : upstreams) {
            if (upstream.server().isSame(server)) {
                return upstream;
            }
        }
        for (Leaving left : leaving) {
            if (left.upstream.server().isSame(server)) {
                return left.upstream;
            }
        }
        return null;
    }

    /** Uses another list; returns the reason if it does not. */
    private Optional<String> change(List<Server> list) {
        Optional<String> noRoom = settings.noRoom(list.size()).or(() -> relay.noRoom(list));
        if (noRoom.isPresent()) {
            return noRoom;
        }
        Ring fresh = new Ring(list, settings.dropTags());
        log.info(
                "the list of servers has changed: servers before {}, now {}; {} % of all keys move",
                ring.servers().size(), list.size(), String.format(Locale.ROOT, "%.2f", 100 * ring.moved(fresh)));
        Upstream[] before = upstreams;
        upstreams = upstreams(fresh);
        ring = fresh;
        relay.use(fresh);
        long until = nanoClock.getAsLong() + LEAVING_NANOS;
        for (Upstream upstream : before) {
            if (list.stream().noneMatch(upstream.server()::isSame)) {
                log.info(
                        "{} was removed; {} bytes that waited for it are sent to the new owners",
                        upstream.server(),
                        upstream.waiting());
                // A batch is not sent to another server: its totals belong to the stream of this one.
                upstream.drain((in, begin, end) -> {
                    if (!Frames.isBatch(in, begin, end)) {
                        frames.take(in, begin, end);
                        messages.decrement();
                    }
                });
                if (relay.isEmpty()) {
                    forget(upstream);
                } else {
                    leaving.add(new Leaving(upstream, until));
                }
            }
        }
        return Optional.empty();
    }

    private Upstream[] upstreams(Ring of) {
        Upstream[] found = new Upstream[of.servers().size()];
        for (int i = 0; i < found.length; i++) {
            Server server = of.servers().get(i);
            Upstream known = find(server);
            found[i] = known == null ? connect(server) : known;
            leaving.removeIf(left -> left.upstream.server().isSame(server));
        }
        shown = found;
        return found;
    }

    private Upstream connect(Server server) {
        if (!known(server)) {
            log.info("{} was added", server);
        }
        Supplier<MessageQueue> fresh = () -> queues.queue(server.toString());
        Upstream upstream = server.scheme() == Server.Scheme.UDP
                ? new UdpUpstream(server, fresh, outgoing, nanoClock, self)
                : new TcpUpstream(server, fresh, selector, nanoClock, random, self);
        String name = server.toString();
        self.gauge(
                "proxy_up",
                "1 while all connections of the server are up, otherwise 0.",
                "server",
                name,
                () -> upstream.isUp() ? 1 : 0);
        self.gauge(
                "proxy_queued_bytes",
                "Size of the messages that wait for the server.",
                "server",
                name,
                () -> upstream.waiting());
        self.total(
                "proxy_dropped_total", "Messages for the server that were dropped.", "server", name, upstream::dropped);
        return upstream;
    }

    private void forget(Upstream upstream) {
        upstream.close();
        self.forget("server", upstream.server().toString());
    }

    private boolean known(Server server) {
        return settings.list().stream().anyMatch(server::isSame);
    }

    private void serve(SelectionKey key) {
        try {
            if (key.attachment() instanceof TcpUpstream.Connection connection) {
                connection.ready();
            } else if (key.attachment() instanceof Senders.Sender sender) {
                senders.read(sender);
            } else if (udp != null && key.channel().equals(udp.channel())) {
                receive(udp);
            } else if (tcp != null) {
                accept(tcp);
            }
        } catch (IOException failure) {
            // It would fail again at once, because descriptors or memory are short; the next tick enables it again.
            key.interestOps(0);
            if (tcp != null && key.channel().equals(tcp)) {
                acceptFailed = true;
                accepts.failed(failure);
            } else {
                receiveFailed = true;
                receives.failed(failure);
            }
        } catch (CancelledKeyException closedMeanwhile) {
            // This connection was closed earlier in the same round.
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
                datagram.get(0, in, 0, length);
                // The last line may lack its line break; it is sent with one, to separate it from the next line.
                in[length] = '\n';
                int end = length + 1;
                int rest = frames.take(in, 0, end);
                if (rest >= 0 && rest < end) {
                    refused(Refusal.BINARY_CUT, in, rest, end);
                }
            }
        } finally {
            datagrams.add(count);
            if (count > 0) {
                receives.succeeded();
            }
        }
    }

    @Override
    public void message(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
        messages.increment();
        upstreams[ring.owner(in, begin, end, keyBegin, keyEnd)].add(in, begin, end);
    }

    @Override
    public void command(byte[] in, int begin, int end) {
        relay.line(in, begin, end);
    }

    @Override
    public void refused(Refusal why, byte[] in, int begin, int end) {
        refusals.add(why, in, begin, end);
    }

    @Override
    public void passedOver(long bytes, long counts) {
        refusals.passedOver(bytes, counts);
    }

    @Override
    public void unended(JoinedLines held, long bytes) {
        refusals.unended(held, bytes);
    }

    private Sender sender() {
        Sender byTcp = senders.reading();
        return byTcp == null ? byUdp : byTcp;
    }

    /** The sender of the datagram that is being read. */
    private final class ByUdp implements Sender {
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

    /** Ends {@link #run}, which first reads what has arrived and writes what waits. From any thread; idempotent. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
    }

    private void end() throws IOException {
        long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_MILLIS_MAX);
        if (tcp != null) {
            closeQuietly(tcp);
        }
        // What had arrived before the end is still read; senders that keep sending are not waited for.
        long lastRead = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_READS_MILLIS_MAX);
        while (selector.selectNow(this::serve) > 0 && nanoClock.getAsLong() - lastRead < 0) {
            flush();
        }
        closeFronts();
        writeOut(deadline);
        relay.last(this::streams);
        for (long pauseMillis : relay.isEmpty() ? NO_PAUSES : LAST_PAUSES_MILLIS) {
            long until = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(pauseMillis);
            for (long left = pauseMillis; left > 0; left = millisUntil(until)) {
                flush();
                selector.select(this::serve, left);
            }
            relay.repeat();
        }
        writeOut(deadline);
        for (Upstream upstream : upstreams) {
            if (upstream.waiting() > 0) {
                log.error(
                        "{}: {} bytes could not be written within {} s and are lost",
                        upstream.server(),
                        upstream.waiting(),
                        LAST_MILLIS_MAX / 1000);
            }
        }
        if (relay.untold() > 0) {
            log.error(
                    "increments could not be sent, because their servers were unreachable, and are lost; counters: {}",
                    relay.untold());
        }
    }

    private void closeFronts() {
        if (udp != null) {
            closeQuietly(udp);
        }
        senders.close();
    }

    private void writeOut(long deadlineNanos) throws IOException {
        flush();
        while (waiting() > 0 && nanoClock.getAsLong() - deadlineNanos < 0) {
            selector.select(this::serve, TICK_MILLIS);
            for (Upstream upstream : upstreams) {
                upstream.tick();
            }
            flush();
        }
    }

    private void flush() {
        for (Upstream upstream : upstreams) {
            upstream.flush();
        }
    }

    private long waiting() {
        long bytes = 0;
        for (Upstream upstream : upstreams) {
            bytes += upstream.waiting();
        }
        return bytes;
    }

    private void closeSockets() {
        for (Upstream upstream : upstreams) {
            upstream.close();
        }
        leaving.forEach(left -> left.upstream.close());
        selector.keys().forEach(key -> closeQuietly(key.channel()));
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
