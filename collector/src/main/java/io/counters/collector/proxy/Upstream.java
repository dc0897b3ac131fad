package io.counters.collector.proxy;

import io.counters.emit.Transport;
import org.jspecify.annotations.Nullable;

/** The connection to one server, with the messages that wait for it. For the loop's thread, which it never blocks. */
interface Upstream extends AutoCloseable {
    /** The server; its weight may be out of date. */
    Server server();

    /** Appends the complete message {@code in[begin, end)} to those that wait. */
    void add(byte[] in, int begin, int end);

    /** Sends as much of what waits as is possible without blocking. */
    void flush();

    /** Connects, and checks timeouts, if it is time to. Call it ten times a second. */
    void maintain();

    /** The transport for our own streams, or null while nothing should be assigned to them. */
    @Nullable
    Transport streams();

    /** How many bytes wait. From any thread; may be slightly out of date. */
    long waiting();

    /** How many messages were dropped so far. From any thread; may be slightly out of date. */
    long dropped();

    /** Whether it is connected; for UDP, whether the address is known and its host has not answered that no program listens there. */
    boolean isUp();

    /** Removes the messages that wait and were not sent, and passes them to {@code each}. */
    void drain(MessageQueue.Each each);

    @Override
    void close();
}
