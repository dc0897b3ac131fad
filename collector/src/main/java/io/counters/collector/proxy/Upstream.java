package io.counters.collector.proxy;

import io.counters.emit.Transport;
import org.jspecify.annotations.Nullable;

/** The way to one server, with what waits for it. For the loop's thread, which it never keeps waiting. */
interface Upstream extends AutoCloseable {
    /** Whom it leads to; what that weighs may be out of date. */
    Server server();

    /** Puts the whole message {@code in[begin, end)} behind those that wait. */
    void add(byte[] in, int begin, int end);

    /** Sends what waits, as much as goes without waiting. */
    void flush();

    /** Does what is due: connects, gives up. To be called ten times a second. */
    void tick();

    /** The way of our own streams, or null as long as nothing should be assigned to them. */
    @Nullable
    Transport streams();

    /** How many bytes wait. From any thread, of a moment ago. */
    long waiting();

    /** Messages that were thrown away, ever. From any thread, of a moment ago. */
    long dropped();

    /** Whether it is connected; of UDP, whether the server's address is known and nobody said that no one listens there. */
    boolean isUp();

    /** Hands out the messages that wait and were not sent. */
    void drain(MessageQueue.Each each);

    @Override
    void close();
}
