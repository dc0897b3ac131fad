package io.counters.benchmarks.collector;

import java.io.IOException;

/** A process that receives datagrams and counts them. */
interface Receiver extends AutoCloseable {
    /** Its UDP port on loopback. */
    int port();

    /**
     * The number of datagrams received so far. Call this only while nothing is sent; it waits until all are received.
     */
    long datagrams() throws IOException, InterruptedException;

    /** Its process. */
    Child child();

    @Override
    default void close() throws IOException {
        child().close();
    }
}
