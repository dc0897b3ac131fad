/**
 * What people and monitoring can read over HTTP on loopback: the page, {@code /api/counters}, {@code /api/streams}, {@code
 * /api/rejected}, {@code /metrics} and {@code /healthz}. Reads the ledger, the program's metrics and its examples of
 * rejected lines; never writes.
 */
@NullMarked
package io.counters.collector.dashboard;

import org.jspecify.annotations.NullMarked;
