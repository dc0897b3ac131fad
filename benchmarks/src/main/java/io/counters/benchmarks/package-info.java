/**
 * What counting and reading cost. Compiled in every build, run by hand on a quiet machine, with the figures in the
 * commit that changes them:
 *
 * <pre>
 *   mvn -q package -pl core,benchmarks -DskipTests
 *   java -jar benchmarks/target/benchmarks.jar CountBenchmark -t 1
 *   java -jar benchmarks/target/benchmarks.jar CountBenchmark -t 2
 *   java -jar benchmarks/target/benchmarks.jar WireBenchmark
 * </pre>
 */
package io.counters.benchmarks;
