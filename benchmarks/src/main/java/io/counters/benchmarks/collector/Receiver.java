package io.counters.benchmarks.collector;

import java.io.IOException;

/** A process that takes datagrams and counts them. */
interface Receiver extends AutoCloseable {
    /** Of UDP, on loopback. */
    int port();

    /** How many datagrams it took since it began; to be asked when nothing is sent, and waits until all was taken. */
    long datagrams() throws IOException, InterruptedException;

    /** Its process. */
    Child child();

    @Override
    default void close() throws IOException {
        child().close();
    }
}
