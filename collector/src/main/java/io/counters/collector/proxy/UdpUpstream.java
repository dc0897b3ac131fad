package io.counters.collector.proxy;

import io.counters.collector.self.Self;
import io.counters.emit.Destination;
import io.counters.emit.Transport;
import io.counters.emit.UdpTransport;
import io.counters.wire.DatagramWriter;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A server that is reached by UDP: whole messages, as many to a datagram as an Ethernet frame holds. Nothing waits but
 * for the server's name to resolve; what the network or a full socket loses is lost, but for our own streams, which heal.
 */
final class UdpUpstream implements Upstream {
    private static final Logger log = LoggerFactory.getLogger(UdpUpstream.class);

    private final Server server;
    private final MessageQueue queue;
    private final Destination destination;
    private final LongAdder sent;
    private final LongAdder tooLong;
    private final LongAdder refused = new LongAdder();
    private final byte[] datagram;
    private int length;
    private int messages;

    /** @param datagram room for the longest, in which nothing stays: one for all servers */
    UdpUpstream(Server server, MessageQueue queue, byte[] datagram, Self self) {
        this.server = server;
        this.queue = queue;
        this.datagram = datagram;
        destination = Destination.peer(server.target(), line -> log.warn("{}", line));
        sent = self.count("proxy_sent_total", "server", server.toString());
        tooLong = self.count("proxy_too_long_total", "server", server.toString());
    }

    @Override
    public Server server() {
        return server;
    }

    @Override
    public MessageQueue queue() {
        return queue;
    }

    /** Also what the kernel did not take: its buffer was full, or nobody listens there. */
    @Override
    public long dropped() {
        return queue.dropped() + refused.sum();
    }

    @Override
    public boolean isUp() {
        return destination.transport() != null;
    }

    @Override
    public void add(byte[] in, int begin, int end) {
        queue.add(in, begin, end);
    }

    @Override
    public void tick() {
        destination.connect();
        destination.reportFaults();
        flush();
    }

    @Override
    public void flush() {
        UdpTransport transport = destination.transport();
        if (transport != null && !queue.isEmpty()) {
            queue.drain((in, begin, end) -> pack(transport, in, begin, end));
            send(transport);
        }
    }

    private void pack(UdpTransport transport, byte[] in, int begin, int end) {
        if (length + end - begin > DatagramWriter.BYTES_DEFAULT) {
            send(transport);
        }
        if (end - begin > DatagramWriter.BYTES_MAX) {
            tooLong.increment();
            return;
        }
        System.arraycopy(in, begin, datagram, length, end - begin);
        length += end - begin;
        messages++;
    }

    private void send(UdpTransport transport) {
        long before = transport.faults();
        if (length > 0 && length <= transport.datagramBytes() && transport.send(datagram, length)) {
            if (transport.faults() == before) {
                sent.add(messages);
            } else {
                refused.add(messages);
            }
        } else {
            tooLong.add(messages);
        }
        length = 0;
        messages = 0;
    }

    @Override
    public @Nullable Transport streams() {
        return destination.transport();
    }

    @Override
    public void drain(MessageQueue.Each each) {
        queue.drain(each);
    }

    @Override
    public void close() {
        queue.close();
        destination.close();
    }
}
