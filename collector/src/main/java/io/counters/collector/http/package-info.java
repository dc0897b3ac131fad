/**
 * The HTTP server of the dashboard, of the proxy, and of the port for OTLP: one port and a list of routes. It assumes
 * that any program, and any web page in a browser, may connect; {@link io.counters.collector.http.Guard} says whom it answers.
 * Without a token or client certificates a port is on loopback; the settings see to that.
 *
 * <p>One event loop thread serves all connections and waits for none of them. Worker threads create the answers that may
 * take time. Every answer is written in pieces, as fast as its client reads them. Connections, waiting requests, the size of
 * a request and the time of each step are limited; {@code /metrics} shows how many were refused.
 *
 * <p>An answer may stay open for server-sent events, see {@link io.counters.collector.http.Listeners}. It needs no worker and no
 * place in a lane, and a client that reads slowly gets the newest state and not those in between.
 *
 * <p>No answer is compressed: pages are usually on loopback, where that costs more than it saves; and what is compressed and
 * encrypted together can leak. A reverse proxy may compress.
 *
 * <p>Netty's types stay in here, and its TLS in {@code access}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.http;

import org.jspecify.annotations.NullMarked;
