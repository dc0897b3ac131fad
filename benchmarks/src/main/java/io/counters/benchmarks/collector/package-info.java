/**
 * Measures the collector's cost in the way that users run it: as a process that receives load over loopback, and whose
 * CPU time is read from the kernel. It is compared with a sink that discards the same datagrams. Differences between
 * machines affect both, so only the ratio can be compared between machines.
 *
 * <pre>
 *   CollectorTable   all results as one table: IntakeRows, HistoryRows, ScaleRows
 *   Layers           compares the ways in which a Java program can receive datagrams
 *   Blast            sends Datagrams; only to loopback, for at most a minute
 *   Sink             the yardstick: receives by a Layer, counts in a Tally, discards
 * </pre>
 *
 * <p>Only {@code bin/bench} calls this package. It does not use JMH, because it measures whole processes.
 */
package io.counters.benchmarks.collector;
