/**
 * {@code doctor}: checks what a collector needs, with the same settings as the collector, and says what to do about each
 * problem. Changes nothing: it reads the ledger only if no collector has it open, and writes only a file that it deletes again.
 */
@NullMarked
package io.counters.collector.doctor;

import org.jspecify.annotations.NullMarked;
