/**
 * Receives lines over UDP, a Unix socket and TCP, and hands them to a
 * {@link io.counters.collector.intake.LineTarget}, which is the ledger or, in a fleet, the way to it. Rejected lines are counted and shown by
 * reason and sender, and do not affect the lines next to them. Each datagram socket has its own thread, and another one
 * serves all TCP connections; each merges one datagram or one read at a time under the target's lock. Nothing is logged
 * under that lock.
 *
 * <p>With keys, the signature of a datagram is checked before any of its lines is read, and outside of the lock ({@link
 * io.counters.collector.intake.Signatures}).
 *
 * <p>The ports are open to strangers. A TCP connection with HTTP or TLS is closed. The number of connections is bounded, and
 * a new one replaces the one that has been silent longest. A temporary failure is counted and tried again; a permanent one
 * is thrown out of its thread and ends the process: no thread of this package ends silently.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.intake;

import org.jspecify.annotations.NullMarked;
