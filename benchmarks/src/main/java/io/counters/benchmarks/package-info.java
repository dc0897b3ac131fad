/**
 * What counting and reading cost. Compiled in every build, run by hand on a quiet machine, with the figures in the
 * commit that changes them:
 *
 * <pre>
 *   bin/bench count      CountBenchmark, under the agent, as a table
 *   bin/bench start      startup.StartUp
 *   java -jar benchmarks/target/benchmarks.jar WireBenchmark
 *   java -jar benchmarks/target/benchmarks.jar SweepBenchmark
 * </pre>
 */
package io.counters.benchmarks;
