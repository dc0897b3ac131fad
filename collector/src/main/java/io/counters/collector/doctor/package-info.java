/**
 * {@code doctor}: checks what a collector needs, with the same settings as the collector, and gives the remedy for each
 * problem. Changes nothing: it reads the ledger only if no collector has it open, and deletes the only file that it writes.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.doctor;

import org.jspecify.annotations.NullMarked;
