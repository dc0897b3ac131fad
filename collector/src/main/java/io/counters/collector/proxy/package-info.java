/**
 * The proxy: distributes the messages of StatsD and statsite clients, and our own commands, over several servers, so that
 * every name always reaches the same server. It replaces statsite-proxy, and uses the same configuration and the same ring.
 *
 * <pre>
 *   ports (TCP, UDP) -> MessageParser: first byte 0xAA a binary frame, else a line -> key -> Ring -> Upstream's queue -> bytes out
 *                                 increment NAME -> SumSender: a sum per name -> a stream for each server (core's Sweep)
 * </pre>
 *
 * <p>{@link io.counters.collector.proxy.Forwarder} is a single-threaded event loop over all sockets; only the selector
 * blocks. Messages are forwarded byte for byte and never split. A server gets lines and binary frames over separate
 * connections. {@link io.counters.collector.proxy.SilentHosts} detects hosts that disappear without closing their
 * connections. What senders can use up is limited to shares of the heap and of the file descriptors: {@link
 * io.counters.collector.proxy.QueueRoom} limits what waits for servers, {@link io.counters.collector.proxy.Senders} the
 * connections and their incomplete messages, and {@link io.counters.collector.proxy.CounterSums} the names. {@link
 * io.counters.collector.proxy.ProxyIni} and {@link io.counters.collector.proxy.ServersFile} read the two files; {@link
 * io.counters.collector.proxy.ProxyCommand} reads the command line.
 *
 * <p>The proxy is a separate product in the collector's jar: it uses neither the ledger nor the store, and publishes nothing.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.proxy;

import org.jspecify.annotations.NullMarked;
