package io.counters.emit;

import io.counters.wire.DatagramWriter;

/** Where datagrams go. Called by the sweep's thread only. */
public interface Transport {
    /**
     * Sends one datagram and forgets it. A fault is the transport's to count and report: totals heal it.
     *
     * @param bytes the datagram is the first {@code length} of them; valid during the call only
     * @return false if it is too long for the way and was not sent: {@link #datagramBytes} says less from now on
     */
    boolean send(byte[] bytes, int length);

    /** The most bytes of a datagram here, 512 to 65,507; may shrink. */
    default int datagramBytes() {
        return DatagramWriter.BYTES_DEFAULT;
    }
}
