/**
 * Lines in, by UDP and TCP; commands out, to the ledger. Counts and shows what it could not read, by reason, and lets
 * nothing that came beside it suffer. One thread serves all sockets.
 */
@NullMarked
package io.counters.collector.intake;

import org.jspecify.annotations.NullMarked;
