package io.counters.emit;

import io.counters.wire.DatagramWriter;

/** Sends datagrams. Called by the sweep's thread only. */
public interface Transport {
    /**
     * Sends one datagram. The transport counts and reports failures itself; later totals heal them.
     *
     * @param bytes the datagram is the first {@code length} of them; valid during the call only
     * @return false if it is too long for the path and was not sent; {@link #datagramBytes} is smaller from now on
     */
    boolean send(byte[] bytes, int length);

    /** The maximum bytes of a datagram, 512 to 65,507; it may become smaller. */
    default int datagramBytes() {
        return DatagramWriter.BYTES_DEFAULT;
    }

    /** Whether datagrams arrive as they are, so that they can be signed; false if they become part of a TCP stream. */
    default boolean isSignable() {
        return true;
    }
}
