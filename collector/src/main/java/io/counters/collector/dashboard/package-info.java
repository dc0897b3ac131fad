/**
 * What people and monitoring can read over HTTP on loopback: the page and its live events, {@code /api/counters}, {@code /api/streams}, {@code
 * /api/rejected}, {@code /metrics}, {@code /metrics/counters}, {@code /healthz} and {@code /readyz}. Reads the ledger, the
 * history, the program's own metrics and its examples of rejected lines; writes nothing but the removal of a counter.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.dashboard;

import org.jspecify.annotations.NullMarked;
