/**
 * What the collector costs as its users run it: a process that is sent load over loopback and whose CPU time is read from
 * the kernel, beside that of a sink that throws the same datagrams away. What machines differ in is so in both; the ratio
 * is what can be told from one to another.
 *
 * <pre>
 *   CollectorTable   all of it, as one table: IntakeRows, HistoryRows, ScaleRows
 *   Layers           which way to get at datagrams costs a Java program least
 *   Blast            sends Datagrams; loopback only, a minute at the longest
 *   Sink             the yardstick: receives by a Layer, counts in a Tally, throws away
 * </pre>
 *
 * <p>Nothing but {@code bin/bench} calls this room. No JMH here: what is measured is whole processes.
 */
package io.counters.benchmarks.collector;
