/**
 * What a person or a monitor may look at, by HTTP on loopback: the page, {@code /api/counters}, {@code
 * /api/streams}, {@code /metrics} and {@code /healthz}. Reads the ledger and the program's own counters, never writes.
 */
@NullMarked
package io.counters.collector.dashboard;

import org.jspecify.annotations.NullMarked;
