/**
 * Lines in, by UDP and TCP; commands out, to the ledger. Counts and shows what it could not read, by reason, and lets
 * nothing that came beside it suffer. A thread waits for datagrams,
 * another serves all of TCP; both merge under the ledger's lock, a datagram or a read at a time.
 */
@NullMarked
package io.counters.collector.intake;

import org.jspecify.annotations.NullMarked;
