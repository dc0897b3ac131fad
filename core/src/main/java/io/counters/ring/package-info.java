/**
 * Chooses the server that owns a key, exactly as libketama does, so that all senders and proxies with the same list
 * choose the same server. Pure arithmetic: no sockets, no clock, no logging, no threads.
 *
 * <p>Called by {@code emit}, and by all other code that distributes keys over servers; depends only on the JDK.
 *
 * <p>Internal: any release may change it.
 */
package io.counters.ring;
