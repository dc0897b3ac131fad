package io.counters.collector.proxy;

import io.counters.collector.self.Keepalive;
import io.counters.collector.self.Self;
import io.counters.emit.CollectorAddress;
import io.counters.emit.Resolver;
import io.counters.emit.Transport;
import io.counters.wire.DatagramWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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
 * by {@link #look} while something is: see {@link Connection#seen}.
 */
final class TcpUpstream implements Upstream, Transport {
    private static final Logger log = LoggerFactory.getLogger(TcpUpstream.class);

    private static final long CONNECT_MILLIS_MAX = 10_000;
    private static final long STEADY_MILLIS = 5_000;
    private static final int SEND_BUFFER_BYTES = 256 * 1024;
    private static final int SEGMENT_BYTES_MAX = 64 * 1024;

    /** If a host acknowledges nothing for this long, and this many attempts are not answered, it or the path to it is gone. */
    private static final long SILENT_SECONDS_MAX = 6;

    private static final int UNANSWERED_MAX = 3;

    private final Server server;
    private final Supplier<MessageQueue> queues;
    private final Selector selector;
    private final LongSupplier nanoClock;
    private final RandomGenerator random;
    private final @Nullable Resolver resolver;
    private final InetAddress[] literal;
    private final int port;
    private final ByteBuffer answers = ByteBuffer.allocate(4096);
    private final LongAdder sent;
    private final LongAdder reconnects;
    private final LongAdder inDoubt;
    private final byte[] batch = new byte[DatagramWriter.BYTES_DEFAULT + Frames.BATCH_END.length];

    /** One or two; the first exists from the start. The array is replaced, never changed, because other threads read it. */
    private volatile Connection[] connections;

    private @Nullable Connection lines;
    private @Nullable Connection frames;

    /** The queues of these two, for direct access. */
    private @Nullable MessageQueue ofLines;

    private @Nullable MessageQueue ofFrames;
    private volatile boolean isUp;
    private boolean isSaidDown;
    private long lastBatch;

    /** Messages dropped by queues that are closed. */
    private final LongAdder droppedBefore = new LongAdder();

    /**
     * Connects with the first {@link #tick}.
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
            Self self) {
        this.server = server;
        this.queues = queues;
        this.selector = selector;
        this.nanoClock = nanoClock;
        this.random = random;
        sent = self.count("proxy_sent_total", "Messages sent to the server.", "server", server.toString());
        reconnects = self.count(
                "proxy_reconnects_total", "Connections to the server after the first.", "server", server.toString());
        inDoubt = self.count(
                "proxy_in_doubt_bytes_total",
                "Bytes that the send buffer may have held when a connection to the server broke.",
                "server",
                server.toString());
        CollectorAddress target = server.target();
        port = target.port();
        InetAddress written = target.literal();
        literal = written == null ? new InetAddress[0] : new InetAddress[] {written};
        resolver = written == null ? Resolver.started(target.host()) : null;
        connections = new Connection[] {new Connection()};
    }

    /** One connection, for lines or for frames; the attachment of its selection key. */
    final class Connection {
        private final Backoff backoff = new Backoff(random);
        private final MessageQueue queue = queues.get();
        private @Nullable SocketChannel channel;
        private @Nullable SelectionKey key;
        private String ends = "";
        private boolean isUp;
        private boolean wasUp;
        private boolean isDown;
        private boolean isFull;
        private long beganNanos;
        private long nextNanos = nanoClock.getAsLong();
        private int tries;
        private int sendBufferBytes;

        /** Bytes written to this socket, and how many of them the other kernel is known to have acknowledged. */
        private long handedOn;

        private long acknowledged;

        /** When something was last acknowledged, or began to wait for acknowledgment. */
        private long progressNanos;

        private void tick() {
            long now = nanoClock.getAsLong();
            if (channel == null && now - nextNanos >= 0) {
                connect(now);
            } else if (channel != null
                    && !isUp
                    && now - beganNanos > TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS_MAX)) {
                broken("did not accept a connection within " + CONNECT_MILLIS_MAX / 1000 + " s");
            }
        }

        private void connect(long now) {
            InetAddress[] known = resolver == null ? literal : resolver.addresses();
            if (known.length == 0) {
                pause(now);
                down(this, "has a name that does not resolve yet", 0);
                return;
            }
            beganNanos = now;
            handedOn = 0;
            acknowledged = 0;
            try {
                SocketChannel fresh = SocketChannel.open();
                channel = fresh;
                fresh.configureBlocking(false);
                fresh.setOption(StandardSocketOptions.TCP_NODELAY, true);
                Keepalive.OF_SERVERS.set(fresh);
                fresh.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
                sendBufferBytes = fresh.getOption(StandardSocketOptions.SO_SNDBUF);
                key = fresh.register(selector, SelectionKey.OP_CONNECT, this);
                if (fresh.connect(new InetSocketAddress(known[tries++ % known.length], port))) {
                    connected(fresh);
                }
            } catch (IOException | RuntimeException cannot) {
                broken(String.valueOf(cannot.getMessage()));
            }
        }

        /** Connects, reads or writes, whatever its socket is ready for. */
        void ready() {
            try {
                if (channel != null && !isUp && channel.finishConnect()) {
                    connected(channel);
                }
                if (channel != null && isUp) {
                    listen(channel);
                    isFull = false;
                    flush();
                }
            } catch (IOException failed) {
                broken(String.valueOf(failed.getMessage()));
            }
        }

        private void connected(SocketChannel open) throws IOException {
            ends = TcpTable.ends(
                    (InetSocketAddress) open.getLocalAddress(), (InetSocketAddress) open.getRemoteAddress());
            isUp = true;
            isDown = false;
            isFull = false;
            if (wasUp) {
                reconnects.increment();
            }
            wasUp = true;
            up();
            interest(SelectionKey.OP_READ);
            flush();
        }

        /** Servers send nothing; reading shows the end of a connection before the next message is written to it. */
        private void listen(SocketChannel open) throws IOException {
            // Only once: a server that never stops sending would block the loop. The rest is read in the next round.
            if (open.read(answers.clear()) < 0) {
                throw new IOException("closed the connection");
            }
        }

        private void flush() {
            if (channel == null || !isUp || isFull) {
                return;
            }
            try {
                if (handedOn == acknowledged) {
                    progressNanos = nanoClock.getAsLong();
                }
                for (ByteBuffer oldest = queue.oldest(); oldest != null; oldest = queue.oldest()) {
                    int count = channel.write(oldest);
                    handedOn += count;
                    isFull = oldest.hasRemaining();
                    sent.add(queue.handedOn(count));
                    if (isFull) {
                        interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
                        return;
                    }
                }
                interest(SelectionKey.OP_READ);
            } catch (IOException failed) {
                broken(String.valueOf(failed.getMessage()));
            }
        }

        private void interest(int operations) {
            if (key != null && key.isValid() && key.interestOps() != operations) {
                key.interestOps(operations);
            }
        }

        /**
         * Evaluates the kernel's row for this connection. A host is gone if it has acknowledged nothing for {@value
         * #SILENT_SECONDS_MAX} s, and {@value #UNANSWERED_MAX} retransmissions or probes in a row were not answered. A server
         * that only reads slowly, or is stopped, is not gone: its kernel announces a closed window, and answers probes.
         */
        private void seen(TcpTable.Row row, long now) {
            long newly = handedOn - row.unacknowledged();
            if (newly > acknowledged) {
                acknowledged = newly;
                progressNanos = now;
            } else if (now - progressNanos >= TimeUnit.SECONDS.toNanos(SILENT_SECONDS_MAX)
                    && row.unanswered() >= UNANSWERED_MAX) {
                broken("its host does not answer (no acknowledgment for "
                        + TimeUnit.NANOSECONDS.toSeconds(now - progressNanos) + " s, bytes unacknowledged: "
                        + row.unacknowledged() + ")");
            }
        }

        private void broken(String why) {
            long now = nanoClock.getAsLong();
            // On Linux the buffer is twice as large as reported, and the last segment is accepted completely.
            long doubtful = isUp ? Math.min(handedOn, 2L * sendBufferBytes + SEGMENT_BYTES_MAX) : 0;
            if (isUp) {
                sent.add(queue.rewind());
                inDoubt.add(doubtful);
                if (now - beganNanos > TimeUnit.MILLISECONDS.toNanos(STEADY_MILLIS)) {
                    backoff.reset();
                }
            }
            disconnect();
            pause(now);
            down(this, why, doubtful);
        }

        private void pause(long now) {
            nextNanos = now + TimeUnit.MILLISECONDS.toNanos(backoff.next());
        }

        private void disconnect() {
            isUp = false;
            SocketChannel open = channel;
            channel = null;
            key = null;
            if (open != null) {
                try {
                    open.close();
                } catch (IOException closedAllTheSame) {
                    log.debug("{}", server, closedAllTheSame);
                }
            }
        }
    }

    @Override
    public Server server() {
        return server;
    }

    @Override
    public long waiting() {
        long bytes = 0;
        for (Connection connection : connections) {
            bytes += connection.queue.bytes();
        }
        return bytes;
    }

    @Override
    public long dropped() {
        long messages = droppedBefore.sum();
        for (Connection connection : connections) {
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
        boolean isFrame = Frames.isFrame(in, begin);
        MessageQueue queue = isFrame ? ofFrames : ofLines;
        (queue == null ? begin(isFrame).queue : queue).add(in, begin, end);
    }

    /** The connection of a kind that has had none. */
    private Connection begin(boolean isFrame) {
        Connection open = connections[0];
        if (lines != null || frames != null) {
            open = new Connection();
            connections = new Connection[] {connections[0], open};
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
    public void tick() {
        for (Connection connection : connections) {
            connection.tick();
        }
    }

    @Override
    public void flush() {
        for (Connection connection : connections) {
            connection.flush();
        }
    }

    /** Reports the ends of the connections with something that may be unacknowledged. */
    void unacknowledged(Consumer<String> ends) {
        for (Connection connection : connections) {
            if (connection.isUp && connection.handedOn > connection.acknowledged) {
                ends.accept(connection.ends);
            }
        }
    }

    /** Evaluates the kernel's rows for those connections. */
    void look(Map<String, TcpTable.Row> rows) {
        long now = nanoClock.getAsLong();
        for (Connection connection : connections) {
            TcpTable.Row row = rows.get(connection.ends);
            if (connection.isUp && row != null) {
                connection.seen(row, now);
            }
        }
    }

    private void up() {
        isUp = Arrays.stream(connections).noneMatch(connection -> connection.isDown);
        if (isUp && isSaidDown) {
            isSaidDown = false;
            log.info("{} is back; {} bytes waited for it", server, waiting());
        }
    }

    private void down(Connection which, String why, long doubtful) {
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
        System.arraycopy(Frames.BATCH_END, 0, batch, length, Frames.BATCH_END.length);
        Connection open = lines == null ? begin(false) : lines;
        open.queue.add(batch, 0, length + Frames.BATCH_END.length);
        lastBatch = open.queue.added();
        return true;
    }

    /** Also disconnects; then the first connection is again for the kind that arrives first. */
    @Override
    public void drain(MessageQueue.Each each) {
        for (Connection connection : connections) {
            sent.add(connection.queue.rewind());
            connection.queue.drain(each);
            connection.disconnect();
        }
        if (connections.length > 1) {
            droppedBefore.add(connections[1].queue.dropped());
            connections[1].queue.close();
            connections = new Connection[] {connections[0]};
        }
        lines = null;
        frames = null;
        ofLines = null;
        ofFrames = null;
    }

    @Override
    public void close() {
        for (Connection connection : connections) {
            connection.disconnect();
            connection.queue.close();
        }
        if (resolver != null) {
            resolver.close();
        }
    }
}
