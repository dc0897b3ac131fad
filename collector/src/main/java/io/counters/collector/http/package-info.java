/**
 * The HTTP server of the dashboard, of the proxy's page, and of the port for OTLP: one port and a list of routes. It has no
 * login. A page is on loopback, and assumes that any program on this machine, and any web page in a browser on it, may connect;
 * {@link io.counters.collector.http.Listening} says what differs on a port for other machines.
 *
 * <p>One event loop thread serves all connections and waits for none of them. Two worker threads create the answers that may
 * take time. Every answer is written in pieces, as fast as its client reads them. Connections, waiting requests, the size of
 * a request and the time of each step are limited; {@code /metrics} shows how many were refused.
 *
 * <p>An answer may stay open for server-sent events, see {@link io.counters.collector.http.Listeners}. It needs no worker and no
 * place in a lane, and a client that reads slowly gets the newest state and not those in between.
 *
 * <p>No answer is compressed: pages are on loopback, where that costs more than it saves. A reverse proxy may compress.
 *
 * <p>No other package uses Netty's types.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.http;

import org.jspecify.annotations.NullMarked;
