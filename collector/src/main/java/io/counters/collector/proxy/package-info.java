/**
 * The proxy: spreads what StatsD's and statsite's clients send, and our own commands, over several servers, so that every
 * name lands on one of them. statsite-proxy's successor, with its configuration and its ring.
 *
 * <pre>
 *   front (TCP, UDP) -> Frames: first byte 0xAA a binary frame, else a line -> key -> Ring -> Upstream's queue -> bytes out
 *                                 increment NAME -> Relay: a sum per name -> a stream for each server (core's Sweep)
 * </pre>
 *
 * <p>{@link io.counters.collector.proxy.Forwarder} is a single-threaded event loop over all sockets; only the selector
 * blocks. Messages are forwarded byte for byte and never split; lines and binary frames go to a server by connections of their own. {@link
 * io.counters.collector.proxy.SilentHosts} finds hosts that vanished without a word. What strangers may take is bounded, in shares of the heap and of the descriptors: {@link
 * io.counters.collector.proxy.QueueRoom} has what waits for servers, {@link io.counters.collector.proxy.Senders} the
 * connections and their half messages, {@link io.counters.collector.proxy.Amounts} the names. {@link io.counters.collector.proxy.ProxySettings} and {@link
 * io.counters.collector.proxy.ServersFile} read the two files, {@link io.counters.collector.proxy.ProxyCommand} the command
 * line.
 *
 * <p>A product of its own in the collector's jar: it never meets the ledger, the store or what is published.
 */
@NullMarked
package io.counters.collector.proxy;

import org.jspecify.annotations.NullMarked;
