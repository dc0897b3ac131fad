package io.counters.emit;

/** Where datagrams go. Called by the sweep's thread only. */
public interface Transport {
    /**
     * Sends one datagram and forgets it. A fault is the transport's to count and report: totals heal it.
     *
     * @param bytes the datagram is the first {@code length} of them; valid during the call only
     */
    void send(byte[] bytes, int length);
}
