/**
 * Measures the cost of counting and of reading. Compiled in every build, run by hand on a quiet machine; a commit that
 * changes the figures contains them:
 *
 * <pre>
 *   bin/bench count      CountBenchmark, under the agent, as a table
 *   bin/bench start      startup.StartUp
 *   bin/bench parts      WireBenchmark, LedgerBenchmark, RingBenchmark, SweepBenchmark, or one of them
 *   bin/bench collector  collector.CollectorTable
 *   bin/bench layers     collector.Layers
 * </pre>
 */
package io.counters.benchmarks;
