/**
 * The users' counters in Prometheus' text formats, {@code /metrics/counters}: what each counter is called there, its type, and
 * the text, piece by piece; and the same names for {@code publish} and {@code fleet}, which send points. Reads the ledger, never
 * writes. Called by {@code dashboard}. The program's own metrics are written
 * by {@code http}.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.prometheus;

import org.jspecify.annotations.NullMarked;
