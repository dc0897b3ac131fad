/**
 * Measures the cost of the agent at a JVM's start: a program of 5,000 classes, run repeatedly with and without the
 * agent.
 *
 * <p>{@code StartUp} builds the program and two small agents from the other classes of this package, runs them and
 * prints the table. It does not use JMH, because it measures the CPU time of whole processes.
 */
package io.counters.benchmarks.startup;
