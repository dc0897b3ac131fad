/**
 * What a person, a program or a monitor may look at, by HTTP on loopback: the page and what it is told live, {@code
 * /api/counters}, {@code /api/streams}, {@code /api/rejected}, {@code /metrics}, {@code /healthz} and {@code /readyz}. Reads
 * the ledger, the history, the program's own counters and its examples of rejected lines; never writes, except that a request
 * may remove a counter.
 */
@NullMarked
package io.counters.collector.dashboard;

import org.jspecify.annotations.NullMarked;
