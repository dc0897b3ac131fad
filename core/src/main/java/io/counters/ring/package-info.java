/**
 * Chooses the server that owns a key, exactly as libketama does, so that every sender and every proxy with one list
 * chooses alike. Pure arithmetic: no sockets, no clock, no logging, no threads.
 *
 * <p>Entered by {@code emit}, and by whoever spreads keys over servers; depends on the JDK only.
 */
package io.counters.ring;
