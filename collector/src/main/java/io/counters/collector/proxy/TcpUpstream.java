package io.counters.collector.proxy;

import io.counters.collector.common.Keepalive;
import io.counters.collector.common.Metrics;
import io.counters.emit.CollectorAddress;
import io.counters.emit.Resolver;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import java.net.InetAddress;
import java.nio.channels.Selector;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that is reached over TCP. While it is not connected, messages wait for it and keep their server. After a
 * connection has broken, the message that was cut is sent again, completely, on the next connection: its end was never sent,
 * so a server that processes complete messages has not processed it. What the kernel had accepted and the server had not read
 * is lost with the connection. How much that was is not known: at most the content of both sockets' buffers. What this
 * side's buffer may have held is counted as bytes in doubt. It is not sent again, so nothing arrives twice.
 *
 * <p>Lines and binary frames use separate connections, each with its queue: statsite treats everything that it reads at once
 * like the first byte, and loses messages of the other kind. The connection that is opened at the start is for the kind that
 * arrives first. The other is opened when the first message of the other kind arrives, so a server that gets only one kind has
 * one connection.
 *
 * <p>A host that disappears without closing its connections is detected by {@link Keepalive} while nothing is in transit, and
 * by {@link #look} while something is: see {@link UpstreamConnection#seen}.
 */
final class TcpUpstream implements Upstream, Transport {
    private static final Logger log = LoggerFactory.getLogger(TcpUpstream.class);

    private final Server server;
    private final Supplier<MessageQueue> queues;
    private final Selector selector;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final @Nullable Resolver resolver;
    private final InetAddress[] literal;
    final int port;
    final LongAdder sent;
    final LongAdder reconnects;
    final LongAdder inDoubt;
    private final byte[] batch = new byte[DatagramWriter.BYTES_DEFAULT + MessageParser.BATCH_END.length];

    /** One or two; the first exists from the start. The array is replaced, never changed, because other threads read it. */
    private volatile UpstreamConnection[] connections;

    private @Nullable UpstreamConnection lines;
    private @Nullable UpstreamConnection frames;

    /** The queues of these two, for direct access. */
    private @Nullable MessageQueue ofLines;

    private @Nullable MessageQueue ofFrames;
    private volatile boolean isUp;
    private boolean isSaidDown;
    private long lastBatch;

    /** Messages dropped by queues that are closed. */
    private final LongAdder droppedBefore = new LongAdder();

    /**
     * Connects with the first {@link #maintain}.
     *
     * @param queues supplies a queue for each connection
     * @param selector the loop's
     */
    TcpUpstream(
            Server server,
            Supplier<MessageQueue> queues,
            Selector selector,
            LongSupplier nanoClock,
            RandomGenerator random,
            Metrics metrics) {
        this.server = server;
        this.queues = queues;
        this.selector = selector;
        this.nanoClock = nanoClock;
        this.random = random;
        sent = metrics.count("proxy_sent_total", "Messages sent to the server.", "server", server.toString());
        reconnects = metrics.count(
                "proxy_reconnects_total", "Connections to the server after the first.", "server", server.toString());
        inDoubt = metrics.count(
                "proxy_in_doubt_bytes_total",
                "Bytes that the send buffer may have held when a connection to the server broke.",
                "server",
                server.toString());
        CollectorAddress target = server.target();
        port = target.port();
        InetAddress written = target.literal();
        literal = written == null ? new InetAddress[0] : new InetAddress[] {written};
        resolver = written == null ? Resolver.started(target.host()) : null;
        connections =
                new UpstreamConnection[] {new UpstreamConnection(this, queues.get(), selector, nanoClock, random)};
    }

    /** The addresses of the server that are known; none if its name has not been resolved yet. */
    InetAddress[] addresses() {
        return resolver == null ? literal : resolver.addresses();
    }

    @Override
    public Server server() {
        return server;
    }

    @Override
    public long waiting() {
        long bytes = 0;
        for (UpstreamConnection connection : connections) {
            bytes += connection.queue.bytes();
        }
        return bytes;
    }

    @Override
    public long dropped() {
        long messages = droppedBefore.sum();
        for (UpstreamConnection connection : connections) {
            messages += connection.queue.dropped();
        }
        return messages;
    }

    @Override
    public boolean isUp() {
        return isUp;
    }

    @Override
    public void add(byte[] in, int begin, int end) {
        boolean isFrame = MessageParser.isFrame(in, begin);
        MessageQueue queue = isFrame ? ofFrames : ofLines;
        (queue == null ? begin(isFrame).queue : queue).add(in, begin, end);
    }

    /** The connection of a kind that has had none. */
    private UpstreamConnection begin(boolean isFrame) {
        UpstreamConnection open = connections[0];
        if (lines != null || frames != null) {
            open = new UpstreamConnection(this, queues.get(), selector, nanoClock, random);
            connections = new UpstreamConnection[] {connections[0], open};
        }
        if (isFrame) {
            frames = open;
            ofFrames = open.queue;
        } else {
            lines = open;
            ofLines = open.queue;
        }
        return open;
    }

    @Override
    public void maintain() {
        for (UpstreamConnection connection : connections) {
            connection.maintain();
        }
    }

    @Override
    public void flush() {
        for (UpstreamConnection connection : connections) {
            connection.flush();
        }
    }

    /** Reports the ends of the connections with something that may be unacknowledged. */
    void unacknowledged(Consumer<String> ends) {
        for (UpstreamConnection connection : connections) {
            if (connection.isUp && connection.handedOn > connection.acknowledged) {
                ends.accept(connection.ends);
            }
        }
    }

    /** Evaluates the kernel's rows for those connections. */
    void look(Map<String, TcpTable.Row> rows) {
        long now = nanoClock.getAsLong();
        for (UpstreamConnection connection : connections) {
            TcpTable.Row row = rows.get(connection.ends);
            if (connection.isUp && row != null) {
                connection.seen(row, now);
            }
        }
    }

    /** A connection is up. */
    void up() {
        isUp = Arrays.stream(connections).noneMatch(connection -> connection.isDown);
        if (isUp && isSaidDown) {
            isSaidDown = false;
            log.info("{} is back; {} bytes waited for it", server, waiting());
        }
    }

    void down(UpstreamConnection which, String why, long doubtful) {
        which.isDown = true;
        isUp = false;
        if (!isSaidDown) {
            isSaidDown = true;
            log.warn(
                    "{}: {}; {}messages for it wait in the proxy's memory (queue_bytes)",
                    server,
                    why,
                    doubtful == 0
                            ? ""
                            : "up to " + doubtful + " bytes that had been sent are in doubt"
                                    + " (counters_proxy_in_doubt_bytes_total), and ");
        } else {
            log.debug("{}: {}", server, why);
        }
    }

    /** Null while an earlier batch waits, so that for a slow server one number for each name waits, not many. */
    @Override
    public @Nullable Transport streams() {
        if (lines == null) {
            return isUp ? this : null;
        }
        return lines.isUp && lines.queue.taken() >= lastBatch ? this : null;
    }

    @Override
    public boolean send(byte[] bytes, int length) {
        System.arraycopy(bytes, 0, batch, 0, length);
        System.arraycopy(MessageParser.BATCH_END, 0, batch, length, MessageParser.BATCH_END.length);
        UpstreamConnection open = lines == null ? begin(false) : lines;
        open.queue.add(batch, 0, length + MessageParser.BATCH_END.length);
        lastBatch = open.queue.added();
        return true;
    }

    @Override
    public boolean isSignable() {
        return false;
    }

    /** Also disconnects; then the first connection is again for the kind that arrives first. */
    @Override
    public void drain(MessageQueue.Each each) {
        for (UpstreamConnection connection : connections) {
            sent.add(connection.queue.rewind());
            connection.queue.drain(each);
            connection.disconnect();
        }
        if (connections.length > 1) {
            droppedBefore.add(connections[1].queue.dropped());
            connections[1].queue.close();
            connections = new UpstreamConnection[] {connections[0]};
        }
        lines = null;
        frames = null;
        ofLines = null;
        ofFrames = null;
    }

    @Override
    public void close() {
        for (UpstreamConnection connection : connections) {
            connection.disconnect();
            connection.queue.close();
        }
        if (resolver != null) {
            resolver.close();
        }
    }
}
