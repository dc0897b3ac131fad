package io.counters.collector.udp;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A socket that datagrams come in by. {@link #receive}, what tells of a sender, {@link #stopWaiting} and {@link #close} are
 * for one thread, the rest for any.
 */
public interface Datagrams extends AutoCloseable {
    /** "UDP" or "Unix", for the log. */
    String protocol();

    /** The most bytes of a datagram; of a longer one the rest is lost. */
    int bytesMax();

    /**
     * Takes the next datagram, after waiting for it.
     *
     * @param empty direct, with room for one byte more than a datagram may have, and at 0
     * @return its bytes, which stand from 0; -1 when there is none, as the wait was ended or there is no waiting any more
     */
    int receive(ByteBuffer empty) throws IOException;

    /** The key of who sent the datagram that was received last: see {@code AddressKey}. Allocates nothing. */
    long senderKey();

    /** The port of who sent the datagram that was received last; 0 where there is none. Allocates nothing. */
    int senderPort();

    /** Who sent the datagram that was received last, for the log. */
    String senderText();

    /** Ends the wait of {@link #receive}, once. */
    void wake();

    /** From now on {@link #receive} only takes what has arrived; no new sender comes where that can be helped. */
    void stopWaiting() throws IOException;

    /** Whether it was not closed. */
    boolean isOpen();

    @Override
    void close() throws IOException;
}
