/**
 * The HTTP server of the dashboard and of the proxy's page: one port on loopback, and a list of routes. It has no login, so
 * it assumes that any program on this machine, and any web page in a browser on it, may connect.
 *
 * <p>One event loop thread serves all connections and waits for none of them. Two worker threads create the answers that may
 * take time. Every answer is written in pieces, as fast as its client reads them. Connections, waiting requests, the size of
 * a request and the time of each step are limited; {@code /metrics} shows how many were refused.
 *
 * <p>Netty's types stay inside: the packages that use this one see {@link io.counters.collector.http.Route}, {@link
 * io.counters.collector.http.Answer} and {@link io.counters.collector.http.Text}.
 */
@NullMarked
package io.counters.collector.http;

import org.jspecify.annotations.NullMarked;
