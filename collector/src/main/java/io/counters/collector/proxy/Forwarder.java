package io.counters.collector.proxy;

import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.common.FaultLog;
import io.counters.collector.common.JoinedLines;
import io.counters.collector.common.LineSender;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SeededHash;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.util.ArrayList;
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
public final class Forwarder implements Runnable, AutoCloseable, MessageParser.Taker {
    private static final Logger log = LoggerFactory.getLogger(Forwarder.class);

    /** The loop wakes at least every {@value #TICK_MILLIS} ms, so a loop that finishes no round for this long hangs. */
    private static final long ROUND_NANOS_MAX = TimeUnit.SECONDS.toNanos(5);

    /** How long to wait until the loop has accepted or refused a list of servers. */
    private static final long ANSWER_SECONDS_MAX = 5;

    private static final long TICK_MILLIS = 100;

    /** Minimum time between writes of few messages: a write costs more than the messages in it. */
    private static final long GATHER_MILLIS = 2;

    private static final int GATHER_BYTES = 16 * 1024;
    private static final int ROUNDS_A_SWEEP = 10;

    /** The folder with the connections of this process' network namespace. */
    private static final Path TCP_TABLE = Path.of("/proc/self/net");

    private static final long LAST_MILLIS_MAX = 5_000;
    private static final long LAST_READS_MILLIS_MAX = 1_000;
    private static final long[] LAST_PAUSES_MILLIS = {50, 150};
    private static final long[] NO_PAUSES = {};

    private final ProxyIni settings;
    private final LongSupplier nanoClock;
    private final FaultLog faults;
    private final Selector selector;
    private final Ports ports;
    private final MessageParser parser = new MessageParser(this);
    private final MessageRejections rejections;
    private final LongAdder messages;
    private final Senders senders;
    private final SumSender sums;
    private final SilentHosts silentHosts;
    private final AtomicReference<@Nullable Change> next = new AtomicReference<>();

    private final Upstreams upstreams;
    private Ring ring;
    private long rounds;
    private long nextTickNanos;
    private long nextFlushNanos;
    private boolean gathers;

    private volatile boolean closing;

    /** When the loop last finished a round. */
    private volatile long roundNanos;

    /** @param refusal the reason why the servers are not used, empty if they are; completed by the loop */
    private record Change(List<Server> servers, CompletableFuture<Optional<String>> refusal) {}

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
            ProxyIni settings,
            LongSupplier nanoClock,
            LongSupplier wallMillis,
            RandomGenerator random,
            long descriptors,
            Supplier<String> ids,
            FaultLog faults,
            Metrics metrics)
            throws IOException {
        this.settings = settings;
        this.nanoClock = nanoClock;
        this.faults = faults;
        messages = metrics.count("proxy_messages_total", "StatsD and statsite messages forwarded.");
        rejections = new MessageRejections(faults, this::sender, metrics);
        ring = new Ring(settings.list(), settings.dropTags());
        CounterSums empty = new CounterSums(settings.namesBytes(), new SeededHash(random));
        sums = new SumSender(ring, empty, settings.sums(), nanoClock, wallMillis, ids, rejections, metrics);
        silentHosts = new SilentHosts(new TcpTable(TCP_TABLE), faults);
        selector = Selector.open();
        upstreams = new Upstreams(
                selector, new QueueRoom(settings.queueBytes(), faults, metrics), nanoClock, random, metrics);
        ProxyIni.SenderLimits limits = settings.senders();
        senders = new Senders(
                settings.senderBytes(),
                (int) Math.min(limits.connections(), Math.max(1, descriptors / 2)),
                limits.idle(),
                new Gate(Port.TCP, limits.allowed(Port.TCP), faults, metrics),
                selector,
                this,
                nanoClock,
                faults,
                metrics);
        try {
            ports = new Ports(settings, selector, senders, this, nanoClock, faults, metrics);
        } catch (IOException cannot) {
            closeSockets();
            throw cannot;
        }
        nextTickNanos = nanoClock.getAsLong();
        nextFlushNanos = nextTickNanos;
        roundNanos = nextTickNanos;
        upstreams.use(ring.servers());
    }

    /** The address on which TCP connections are accepted, with the actual port; null when TCP is off. */
    public @Nullable InetSocketAddress tcpAddress() throws IOException {
        return ports.tcpAddress();
    }

    /** The address on which datagrams are received, with the actual port; null when UDP is off. */
    public @Nullable InetSocketAddress udpAddress() {
        return ports.udpAddress();
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
        List<String> troubles = new ArrayList<>(hangs());
        troubles.addAll(ports.troubles());
        return troubles;
    }

    /** The same, of those that only a restart ends. */
    public List<String> hangs() {
        long age = nanoClock.getAsLong() - roundNanos;
        return age <= ROUND_NANOS_MAX
                ? List.of()
                : List.of(
                        "the proxy's loop has not finished a round for " + TimeUnit.NANOSECONDS.toSeconds(age) + " s");
    }

    /** How many servers are connected, or can be sent to over UDP. From any thread; may be slightly out of date. */
    public long serversUp() {
        return upstreams.up();
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
        for (Upstream upstream : upstreams.all()) {
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
            maintain();
        }
        roundNanos = now;
    }

    private long millisUntil(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - nanoClock.getAsLong());
    }

    private void maintain() {
        long now = nanoClock.getAsLong();
        nextTickNanos = now + TimeUnit.MILLISECONDS.toNanos(TICK_MILLIS);
        Change change = next.getAndSet(null);
        if (change != null) {
            change.refusal.complete(change(change.servers));
        }
        ports.maintain(selector);
        upstreams.maintain();
        upstreams.endLeaving();
        if (rounds++ % ROUNDS_A_SWEEP == 0) {
            senders.maintain();
            silentHosts.look(upstreams.withLeaving());
            sums.sweep(upstreams::streams);
        }
    }

    /** Uses another list; returns the reason if it does not. */
    private Optional<String> change(List<Server> list) {
        Optional<String> noRoom = settings.noRoom(list.size()).or(() -> sums.noRoom(list));
        if (noRoom.isPresent()) {
            return noRoom;
        }
        Ring fresh = new Ring(list, settings.dropTags());
        log.info(
                "the list of servers has changed: servers before {}, now {}; {} % of all keys move",
                ring.servers().size(), list.size(), String.format(Locale.ROOT, "%.2f", 100 * ring.moved(fresh)));
        List<Upstream> removed = upstreams.use(list);
        ring = fresh;
        sums.use(fresh);
        for (Upstream upstream : removed) {
            log.info(
                    "{} was removed; {} bytes that waited for it are sent to the new owners",
                    upstream.server(),
                    upstream.waiting());
            // A batch is not sent to another server: its totals belong to the stream of this one.
            upstream.drain((in, begin, end) -> {
                if (!MessageParser.isBatch(in, begin, end)) {
                    parser.take(in, begin, end);
                    messages.decrement();
                }
            });
            if (sums.isEmpty()) {
                upstreams.forget(upstream);
            } else {
                upstreams.leave(upstream);
            }
        }
        return Optional.empty();
    }

    private void serve(SelectionKey key) {
        try {
            if (key.attachment() instanceof UpstreamConnection connection) {
                connection.ready();
            } else if (key.attachment() instanceof Senders.Sender sender) {
                senders.read(sender);
            } else {
                ports.serve(key);
            }
        } catch (CancelledKeyException closedMeanwhile) {
            // This connection was closed earlier in the same round.
        }
    }

    @Override
    public void message(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
        messages.increment();
        upstreams.all()[ring.owner(in, begin, end, keyBegin, keyEnd)].add(in, begin, end);
    }

    @Override
    public void command(byte[] in, int begin, int end) {
        sums.line(in, begin, end);
    }

    @Override
    public void refused(MessageRejection why, byte[] in, int begin, int end) {
        rejections.add(why, in, begin, end);
    }

    @Override
    public void passedOver(long bytes, long counts) {
        rejections.passedOver(bytes, counts);
    }

    @Override
    public void unended(JoinedLines held, long bytes) {
        rejections.unended(held, bytes);
    }

    private LineSender sender() {
        return ports.sender();
    }

    /** Ends {@link #run}, which first reads what has arrived and writes what waits. From any thread; idempotent. */
    @Override
    public void close() {
        closing = true;
        selector.wakeup();
    }

    private void end() throws IOException {
        long deadline = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_MILLIS_MAX);
        ports.closeTcp();
        // What had arrived before the end is still read; senders that keep sending are not waited for.
        long lastRead = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(LAST_READS_MILLIS_MAX);
        while (selector.selectNow(this::serve) > 0 && nanoClock.getAsLong() - lastRead < 0) {
            upstreams.flush();
        }
        closeFronts();
        writeOut(deadline);
        sums.last(upstreams::streams);
        for (long pauseMillis : sums.isEmpty() ? NO_PAUSES : LAST_PAUSES_MILLIS) {
            long until = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(pauseMillis);
            for (long left = pauseMillis; left > 0; left = millisUntil(until)) {
                upstreams.flush();
                selector.select(this::serve, left);
            }
            sums.repeat();
        }
        writeOut(deadline);
        for (Upstream upstream : upstreams.all()) {
            if (upstream.waiting() > 0) {
                log.error(
                        "{}: {} bytes could not be written within {} s and are lost",
                        upstream.server(),
                        upstream.waiting(),
                        LAST_MILLIS_MAX / 1000);
            }
        }
        if (sums.untold() > 0) {
            log.error(
                    "increments could not be sent, because their servers were unreachable, and are lost; counters: {}",
                    sums.untold());
        }
    }

    private void closeFronts() {
        ports.closeUdp();
        senders.close();
    }

    private void writeOut(long deadlineNanos) throws IOException {
        upstreams.flush();
        while (upstreams.waiting() > 0 && nanoClock.getAsLong() - deadlineNanos < 0) {
            selector.select(this::serve, TICK_MILLIS);
            upstreams.maintain();
            upstreams.flush();
        }
    }

    private void closeSockets() {
        upstreams.close();
        selector.keys().forEach(key -> Ports.close(key.channel(), faults));
        Ports.close(selector, faults);
    }
}
