/**
 * What keeps strangers out: the token and the client certificates of HTTP, TLS with its certificate, and the addresses whose
 * counts are taken. Used by every package that opens a port; opens none itself.
 *
 * <p>TLS is the JDK's; Netty's {@code SslHandler} drives its engine, on the HTTP ports as a handler, and on the TCP port for
 * lines inside a {@link io.counters.collector.access.TlsChannel}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.access;

import org.jspecify.annotations.NullMarked;
