package io.counters.collector.http;

/**
 * Who is at the other end of a connection.
 *
 * @param address the {@code AddressKey}
 * @param isCertified whether it has shown a client certificate of an authority that lets clients in
 */
record Peer(long address, boolean isCertified) {}
