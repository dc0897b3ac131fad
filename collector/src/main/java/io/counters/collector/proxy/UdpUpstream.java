package io.counters.collector.proxy;

import io.counters.collector.common.Metrics;
import io.counters.emit.Destination;
import io.counters.emit.Transport;
import io.counters.emit.UdpTransport;
import io.counters.wire.DatagramWriter;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that is reached over UDP. A datagram contains complete messages, as many as fit into an Ethernet frame. What the
 * network or a full socket drops is lost, except in our own streams, which heal.
 *
 * <p>When the server's host answers that no program listens there (ICMP port unreachable), the messages in transit are counted as
 * dropped, and further messages wait. An empty line every {@value #TRY_MILLIS} ms finds out whether a program listens there again. A
 * host that does not answer is treated as up.
 *
 * <p>A datagram contains lines or binary frames, never both. statsite reads the datagrams that wait together, and treats all
 * of them like the first byte of the first. Therefore {@value #APART_MILLIS} ms pass between the last datagram of one kind
 * and the first of the other, so that statsite can read what it has.
 */
final class UdpUpstream implements Upstream, Transport {
    private static final Logger log = LoggerFactory.getLogger(UdpUpstream.class);

    private static final long TRY_MILLIS = 1_000;
    private static final byte[] EMPTY_LINE = {'\n'};
    private static final long TURN_MILLIS = 20;
    private static final long APART_MILLIS = 10;
    private static final String OUTCOME = "StatsD lines and frames in them are lost and counted"
            + " (counters_proxy_dropped_total); amounts of increment NAME are repeated in totals";

    private final Server server;
    private final Supplier<MessageQueue> queues;
    private final LongSupplier nanoClock;
    private final Destination destination;
    private final LongAdder sent;
    private final LongAdder tooLong;
    private final LongAdder lost = new LongAdder();
    private final byte[] datagram;
    private final MessageQueue lines;
    private volatile @Nullable MessageQueue frames;

    /** The queue that is being sent, since when, and when the last datagram was sent. */
    private MessageQueue turn;

    private long turnNanos;
    private long sentNanos;

    /** Messages sent before the last tick, and since: their host may still answer that no program listens there. */
    private long older;

    private long newer;

    private @Nullable UdpTransport known;
    private long refusals;
    private long faults;
    private boolean isRefused;
    private boolean hasTried;
    private long nextTryNanos;
    private volatile boolean isUp;

    /**
     * @param queues supplies a queue for each kind
     * @param datagram a buffer for the longest datagram, shared by all servers; used only during a call
     */
    UdpUpstream(
            Server server, Supplier<MessageQueue> queues, byte[] datagram, LongSupplier nanoClock, Metrics metrics) {
        this.server = server;
        this.queues = queues;
        this.datagram = datagram;
        this.nanoClock = nanoClock;
        lines = queues.get();
        turn = lines;
        turnNanos = nanoClock.getAsLong();
        sentNanos = turnNanos;
        destination = Destination.following(server.target(), line -> log.warn("{}", line));
        sent = metrics.count("proxy_sent_total", "Messages sent to the server.", "server", server.toString());
        tooLong = metrics.count(
                "proxy_too_long_total",
                "Messages that were too long for a datagram to the server.",
                "server",
                server.toString());
    }

    @Override
    public Server server() {
        return server;
    }

    @Override
    public long waiting() {
        MessageQueue ofFrames = frames;
        return lines.bytes() + (ofFrames == null ? 0 : ofFrames.bytes());
    }

    /** Includes what the kernel did not accept because its buffer was full, and what was in transit when no program listened there. */
    @Override
    public long dropped() {
        MessageQueue ofFrames = frames;
        return lines.dropped() + (ofFrames == null ? 0 : ofFrames.dropped()) + lost.sum();
    }

    @Override
    public boolean isUp() {
        return isUp;
    }

    @Override
    public void add(byte[] in, int begin, int end) {
        MessageQueue of = MessageParser.isFrame(in, begin) ? frames() : lines;
        boolean isFirst = of.added() == 0;
        of.add(in, begin, end);
        MessageQueue ofFrames = frames;
        if (isFirst && ofFrames != null && ofFrames.added() > 0 && lines.added() > 0) {
            log.warn(
                    "{} gets both lines and binary frames over UDP. statsite reads the datagrams that wait together and"
                            + " treats all of them like the first, so a busy statsite loses some; use TCP for this server"
                            + " (leave udp:// out)",
                    server);
        }
    }

    private MessageQueue frames() {
        MessageQueue ofFrames = frames;
        if (ofFrames == null) {
            ofFrames = queues.get();
            frames = ofFrames;
        }
        return ofFrames;
    }

    @Override
    public void maintain() {
        destination.connect();
        UdpTransport transport = destination.transport();
        if (transport != null) {
            listen(transport);
        }
        isUp = transport != null && !isRefused;
        sent.add(older);
        older = newer;
        newer = 0;
        flush();
    }

    private void listen(UdpTransport transport) {
        if (!transport.equals(known)) {
            known = transport;
            refusals = 0;
            faults = 0;
            isRefused = false;
        }
        transport.listen();
        heed(transport);
        long others = transport.faults() - transport.refusals();
        if (others > faults) {
            faults = others;
            destination.reportFaults(OUTCOME);
        }
        if (isRefused && nanoClock.getAsLong() - nextTryNanos >= 0) {
            if (hasTried) {
                isRefused = false;
                log.info("{} is back; {} bytes waited for it", server, waiting());
            } else {
                transport.send(EMPTY_LINE, EMPTY_LINE.length);
                tried(true);
                heed(transport);
            }
        }
    }

    /** Reacts if the server's host has answered that no program listens there. */
    private void heed(UdpTransport transport) {
        if (transport.refusals() == refusals) {
            return;
        }
        refusals = transport.refusals();
        long gone = older + newer;
        lost.add(gone);
        older = 0;
        newer = 0;
        tried(false);
        if (!isRefused) {
            isRefused = true;
            isUp = false;
            log.warn(
                    "{}: no program listens there (its host sent ICMP port unreachable). Messages in transit that may be lost:"
                            + " {} (counters_proxy_dropped_total). Further messages wait in the proxy's memory"
                            + " (queue_bytes). Amounts of increment NAME are repeated in totals, and arrive when a program"
                            + " listens there again",
                    server,
                    gone);
        }
    }

    private void tried(boolean isSent) {
        hasTried = isSent;
        nextTryNanos = nanoClock.getAsLong() + TimeUnit.MILLISECONDS.toNanos(TRY_MILLIS);
    }

    @Override
    public void flush() {
        UdpTransport transport = destination.transport();
        MessageQueue queue = transport == null || waiting() == 0 ? null : turn();
        if (transport == null || queue == null || queue.isEmpty()) {
            return;
        }
        while (!queue.isEmpty() && !isRefused) {
            send(transport, queue);
            heed(transport);
        }
        if (!queue.isEmpty()) {
            // No message was sent in part, so the room may drop any that waits.
            queue.rewind();
        }
    }

    /** The queue whose messages are sent now, or null during the pause between kinds. */
    private @Nullable MessageQueue turn() {
        MessageQueue ofFrames = frames;
        if (ofFrames == null) {
            return lines;
        }
        long now = nanoClock.getAsLong();
        MessageQueue other = turn.equals(lines) ? ofFrames : lines;
        if (other.isEmpty() || (!turn.isEmpty() && now - turnNanos < TimeUnit.MILLISECONDS.toNanos(TURN_MILLIS))) {
            return turn;
        }
        if (now - sentNanos < TimeUnit.MILLISECONDS.toNanos(APART_MILLIS)) {
            return null;
        }
        turn = other;
        turnNanos = now;
        return turn;
    }

    /** Sends the oldest messages, as many as fit into a datagram. */
    private void send(UdpTransport transport, MessageQueue queue) {
        ByteBuffer oldest = queue.oldest();
        if (oldest == null) {
            return;
        }
        byte[] in = oldest.array();
        int begin = oldest.arrayOffset() + oldest.position();
        int last = begin + oldest.remaining();
        int end = MessageParser.next(in, begin, last);
        int messages = 1;
        while (end < last) {
            int next = MessageParser.next(in, end, last);
            if (next - begin > DatagramWriter.BYTES_DEFAULT) {
                break;
            }
            end = next;
            messages++;
        }
        int length = end - begin;
        if (length > DatagramWriter.BYTES_MAX) {
            tooLong.increment();
        } else {
            System.arraycopy(in, begin, datagram, 0, length);
            send(transport, length, messages);
        }
        oldest.position(oldest.position() + length);
        queue.handedOn(length);
    }

    private void send(UdpTransport transport, int length, int messages) {
        long otherFaults = transport.faults() - transport.refusals();
        sentNanos = nanoClock.getAsLong();
        if (length > transport.datagramBytes() || !transport.send(datagram, length)) {
            tooLong.add(messages);
        } else if (transport.faults() - transport.refusals() > otherFaults) {
            lost.add(messages);
        } else {
            // A refusal that is reported now is about earlier datagrams, not this one.
            heed(transport);
            newer += messages;
        }
    }

    @Override
    public @Nullable Transport streams() {
        return destination.transport() != null && !isRefused ? this : null;
    }

    @Override
    public boolean send(byte[] bytes, int length) {
        UdpTransport transport = destination.transport();
        return transport == null || transport.send(bytes, length);
    }

    @Override
    public int datagramBytes() {
        UdpTransport transport = destination.transport();
        return transport == null ? DatagramWriter.BYTES_DEFAULT : transport.datagramBytes();
    }

    @Override
    public void drain(MessageQueue.Each each) {
        lines.drain(each);
        MessageQueue ofFrames = frames;
        if (ofFrames != null) {
            ofFrames.drain(each);
        }
    }

    @Override
    public void close() {
        lines.close();
        MessageQueue ofFrames = frames;
        if (ofFrames != null) {
            ofFrames.close();
        }
        destination.close();
    }
}
