package io.counters.collector.proxy;

import io.counters.collector.common.Keepalive;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of a {@link TcpUpstream}, for lines or for frames, with its queue; the attachment of its selection key. It
 * connects again by itself. For the loop's thread.
 */
final class UpstreamConnection {
    private static final Logger log = LoggerFactory.getLogger(UpstreamConnection.class);

    private static final long CONNECT_MILLIS_MAX = 10_000;
    private static final long STEADY_MILLIS = 5_000;
    private static final int SEND_BUFFER_BYTES = 256 * 1024;
    private static final int SEGMENT_BYTES_MAX = 64 * 1024;

    /** If a host acknowledges nothing for this long, and this many attempts are not answered, it or the path to it is gone. */
    private static final long SILENT_SECONDS_MAX = 6;

    private static final int UNANSWERED_MAX = 3;

    private final TcpUpstream upstream;
    final MessageQueue queue;
    private final Selector selector;
    private final LongSupplier nanoClock;
    private final Backoff backoff;
    private final ByteBuffer answers = ByteBuffer.allocate(4096);
    private @Nullable SocketChannel channel;
    private @Nullable SelectionKey key;
    String ends = "";
    boolean isUp;
    private boolean wasUp;
    boolean isDown;
    private boolean isFull;
    private long beganNanos;
    private long nextNanos;
    private int tries;
    private int sendBufferBytes;

    /** Bytes written to this socket, and how many of them the other kernel is known to have acknowledged. */
    long handedOn;

    long acknowledged;

    /** When something was last acknowledged, or began to wait for acknowledgment. */
    private long progressNanos;

    UpstreamConnection(
            TcpUpstream upstream,
            MessageQueue queue,
            Selector selector,
            LongSupplier nanoClock,
            RandomGenerator random) {
        this.upstream = upstream;
        this.queue = queue;
        this.selector = selector;
        this.nanoClock = nanoClock;
        backoff = new Backoff(random);
        nextNanos = nanoClock.getAsLong();
    }

    void maintain() {
        long now = nanoClock.getAsLong();
        if (channel == null && now - nextNanos >= 0) {
            connect(now);
        } else if (channel != null && !isUp && now - beganNanos > TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS_MAX)) {
            broken("did not accept a connection within " + CONNECT_MILLIS_MAX / 1000 + " s");
        }
    }

    private void connect(long now) {
        InetAddress[] known = upstream.addresses();
        if (known.length == 0) {
            pause(now);
            upstream.down(this, "has a name that does not resolve yet", 0);
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
            if (fresh.connect(new InetSocketAddress(known[tries++ % known.length], upstream.port))) {
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
        ends = TcpTable.ends((InetSocketAddress) open.getLocalAddress(), (InetSocketAddress) open.getRemoteAddress());
        isUp = true;
        isDown = false;
        isFull = false;
        if (wasUp) {
            upstream.reconnects.increment();
        }
        wasUp = true;
        upstream.up();
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

    void flush() {
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
                upstream.sent.add(queue.handedOn(count));
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
    void seen(TcpTable.Row row, long now) {
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
            upstream.sent.add(queue.rewind());
            upstream.inDoubt.add(doubtful);
            if (now - beganNanos > TimeUnit.MILLISECONDS.toNanos(STEADY_MILLIS)) {
                backoff.reset();
            }
        }
        disconnect();
        pause(now);
        upstream.down(this, why, doubtful);
    }

    private void pause(long now) {
        nextNanos = now + TimeUnit.MILLISECONDS.toNanos(backoff.next());
    }

    void disconnect() {
        isUp = false;
        SocketChannel open = channel;
        channel = null;
        key = null;
        if (open != null) {
            try {
                open.close();
            } catch (IOException closedAllTheSame) {
                log.debug("{}", upstream.server(), closedAllTheSame);
            }
        }
    }
}
