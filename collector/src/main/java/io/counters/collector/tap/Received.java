package io.counters.collector.tap;

import io.counters.wire.Rejection;
import org.jspecify.annotations.Nullable;

/**
 * What was received at one moment: a datagram, complete lines of a TCP connection, or one rejected line.
 *
 * @param number counts from 0 each time that the tap is opened
 * @param atMillis Unix time
 * @param protocol "UDP", "TCP" or "Unix"
 * @param addressKey the sender's {@code AddressKey}
 * @param port the sender's; 0 if it has none
 * @param why the reason if it is a rejected line, else null
 * @param isKept false if there was no room for its bytes
 */
@SuppressWarnings("ArrayRecordComponent") // Handed on at once, never compared.
record Received(
        long number,
        long atMillis,
        String protocol,
        long addressKey,
        int port,
        @Nullable Rejection why,
        byte[] bytes,
        boolean isKept) {
    /** The same, without its bytes. */
    Received without(byte[] nothing) {
        return new Received(number, atMillis, protocol, addressKey, port, why, nothing, false);
    }
}
