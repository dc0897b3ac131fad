package io.counters.collector.udp;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A socket that receives datagrams. {@link #receive}, the methods about the sender, {@link #stopWaiting} and {@link #close}
 * are for one thread, the others for any.
 */
public interface Datagrams extends AutoCloseable {
    /** "UDP" or "Unix", for the log. */
    String protocol();

    /** The maximum bytes of a datagram; of a longer one the rest is lost. */
    int bytesMax();

    /**
     * Waits for the next datagram and reads it.
     *
     * @param empty direct, with room for one byte more than a datagram may have, at position 0
     * @return the number of its bytes, which begin at 0; -1 if there is none, because {@link #wake} or {@link #stopWaiting}
     *     was called
     */
    int receive(ByteBuffer empty) throws IOException;

    /** The {@code AddressKey} of the last datagram's sender. Allocates nothing. */
    long senderKey();

    /** The port of the last datagram's sender; 0 if it has none. Allocates nothing. */
    int senderPort();

    /** The last datagram's sender, for the log. */
    String senderText();

    /** Ends the wait of {@link #receive}, once. */
    void wake();

    /** From now on {@link #receive} does not wait; new senders are kept out if that is possible. */
    void stopWaiting() throws IOException;

    /**
     * Whether datagrams that are not read stay for the next process. Otherwise they are lost when the socket is closed, so they
     * are read before.
     */
    default boolean keepsUnread() {
        return false;
    }

    /** Whether the socket is open. */
    boolean isOpen();

    @Override
    void close() throws IOException;
}
