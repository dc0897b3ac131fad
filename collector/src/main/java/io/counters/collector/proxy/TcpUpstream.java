package io.counters.collector.proxy;

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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that is reached by TCP. As long as it is not, messages wait and keep their server. After a break the message
 * that was cut goes again, whole, on the next connection: its end was never sent, so a server that takes whole messages
 * has not taken it. What the kernel had taken and the server had not read is lost with the connection, and nobody can
 * say how much that was: at most what the two sockets' buffers hold. It is counted as bytes in doubt, as much as this
 * side's buffer may have held; it is not sent again, so nothing comes twice.
 */
final class TcpUpstream implements Upstream, Transport {
    private static final Logger log = LoggerFactory.getLogger(TcpUpstream.class);

    private static final long CONNECT_MILLIS_MAX = 10_000;
    private static final long STEADY_MILLIS = 5_000;
    private static final int SEND_BUFFER_BYTES = 256 * 1024;

    private final Server server;
    private final Selector selector;
    private final LongSupplier nanoClock;
    private final Backoff backoff;
    private final MessageQueue queue;
    private final @Nullable Resolver resolver;
    private final InetAddress[] literal;
    private final int port;
    private final ByteBuffer answers = ByteBuffer.allocate(4096);
    private final LongAdder sent;
    private final LongAdder reconnects;
    private final LongAdder inDoubt;
    private final byte[] batch = new byte[DatagramWriter.BYTES_DEFAULT + Frames.BATCH_END.length];

    private @Nullable SocketChannel channel;
    private @Nullable SelectionKey key;
    private volatile boolean isUp;
    private boolean wasUp;
    private boolean isFull;
    private boolean isSaidDown;
    private long beganNanos;
    private long nextNanos;
    private int tries;
    private long handedOnHere;
    private int sendBufferBytes;
    private long lastBatch;

    /**
     * Connects with the first {@link #tick}.
     *
     * @param selector where the loop waits for it
     */
    TcpUpstream(
            Server server,
            MessageQueue queue,
            Selector selector,
            LongSupplier nanoClock,
            RandomGenerator random,
            Self self) {
        this.server = server;
        this.selector = selector;
        this.nanoClock = nanoClock;
        backoff = new Backoff(random);
        this.queue = queue;
        sent = self.count("proxy_sent_total", "server", server.toString());
        reconnects = self.count("proxy_reconnects_total", "server", server.toString());
        inDoubt = self.count("proxy_in_doubt_bytes_total", "server", server.toString());
        CollectorAddress target = server.target();
        port = target.port();
        InetAddress written = target.literal();
        literal = written == null ? new InetAddress[0] : new InetAddress[] {written};
        resolver = written == null ? Resolver.started(target.host()) : null;
        nextNanos = nanoClock.getAsLong();
    }

    @Override
    public Server server() {
        return server;
    }

    @Override
    public MessageQueue queue() {
        return queue;
    }

    @Override
    public long dropped() {
        return queue.dropped();
    }

    @Override
    public boolean isUp() {
        return isUp;
    }

    @Override
    public void add(byte[] in, int begin, int end) {
        queue.add(in, begin, end);
    }

    @Override
    public void tick() {
        long now = nanoClock.getAsLong();
        if (channel == null && now - nextNanos >= 0) {
            connect(now);
        } else if (channel != null && !isUp && now - beganNanos > TimeUnit.MILLISECONDS.toNanos(CONNECT_MILLIS_MAX)) {
            broken("did not answer in " + CONNECT_MILLIS_MAX / 1000 + " s");
        }
    }

    private void connect(long now) {
        InetAddress[] known = resolver == null ? literal : resolver.addresses();
        if (known.length == 0) {
            pause(now);
            down("has a name that does not resolve yet");
            return;
        }
        beganNanos = now;
        handedOnHere = 0;
        try {
            SocketChannel fresh = SocketChannel.open();
            channel = fresh;
            fresh.configureBlocking(false);
            fresh.setOption(StandardSocketOptions.TCP_NODELAY, true);
            fresh.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
            fresh.setOption(StandardSocketOptions.SO_SNDBUF, SEND_BUFFER_BYTES);
            sendBufferBytes = fresh.getOption(StandardSocketOptions.SO_SNDBUF);
            key = fresh.register(selector, SelectionKey.OP_CONNECT, this);
            if (fresh.connect(new InetSocketAddress(known[tries++ % known.length], port))) {
                up();
            }
        } catch (IOException | RuntimeException cannot) {
            broken(String.valueOf(cannot.getMessage()));
        }
    }

    /** Goes on where its socket is ready. */
    void ready() {
        try {
            if (channel != null && !isUp && channel.finishConnect()) {
                up();
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

    private void up() {
        isUp = true;
        isFull = false;
        if (wasUp) {
            reconnects.increment();
        }
        if (isSaidDown) {
            log.info("{} is back; {} bytes waited for it", server, queue.bytes());
        }
        wasUp = true;
        isSaidDown = false;
        interest(SelectionKey.OP_READ);
        flush();
    }

    /** Servers say nothing, but it is so that the end of a connection is seen before the next message is sent there. */
    private void listen(SocketChannel open) throws IOException {
        // Once: one that never stops talking would keep the loop here. What is left is read in the next round.
        if (open.read(answers.clear()) < 0) {
            throw new IOException("closed the connection");
        }
    }

    @Override
    public void flush() {
        if (channel == null || !isUp || isFull) {
            return;
        }
        try {
            for (ByteBuffer oldest = queue.oldest(); oldest != null; oldest = queue.oldest()) {
                int count = channel.write(oldest);
                handedOnHere += count;
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

    private void broken(String why) {
        long now = nanoClock.getAsLong();
        if (isUp) {
            sent.add(queue.rewind());
            // Linux keeps twice what it says, for its own needs.
            inDoubt.add(Math.min(handedOnHere, 2L * sendBufferBytes));
            if (now - beganNanos > TimeUnit.MILLISECONDS.toNanos(STEADY_MILLIS)) {
                backoff.reset();
            }
        }
        disconnect();
        pause(now);
        down(why);
    }

    private void down(String why) {
        if (!isSaidDown) {
            isSaidDown = true;
            log.warn("{}: {}; what is for it waits in the proxy's memory (queue_bytes)", server, why);
        } else {
            log.debug("{}: {}", server, why);
        }
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

    /** None while an earlier batch waits: so a server that reads slowly has one number per name to wait for, not many. */
    @Override
    public @Nullable Transport streams() {
        return isUp && queue.taken() >= lastBatch ? this : null;
    }

    @Override
    public boolean send(byte[] bytes, int length) {
        System.arraycopy(bytes, 0, batch, 0, length);
        System.arraycopy(Frames.BATCH_END, 0, batch, length, Frames.BATCH_END.length);
        queue.add(batch, 0, length + Frames.BATCH_END.length);
        lastBatch = queue.added();
        return true;
    }

    @Override
    public void drain(MessageQueue.Each each) {
        sent.add(queue.rewind());
        queue.drain(each);
        disconnect();
    }

    @Override
    public void close() {
        disconnect();
        queue.close();
        if (resolver != null) {
            resolver.close();
        }
    }
}
