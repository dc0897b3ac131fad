/**
 * Lines in, by UDP, a Unix socket and TCP; commands out, to the ledger. Counts and shows what it could not read, by reason
 * and sender, and lets nothing that came beside it suffer. A thread for each kind of datagrams waits for them, another serves
 * all of TCP; all merge under the ledger's lock, a datagram or a read at a time. Nothing is logged under that lock.
 *
 * <p>The ports are open to strangers. Who speaks HTTP or TLS by TCP is shut out; connections have a bound, and the one that
 * is silent longest gives way to a new one. What fails in passing is counted and tried again; what does not pass goes out of its thread, which ends the
 * process: a thread of this room never ends quietly.
 */
@NullMarked
package io.counters.collector.intake;

import org.jspecify.annotations.NullMarked;
