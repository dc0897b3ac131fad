/**
 * What the agent costs a JVM's start: a program of 5,000 classes, run again and again with and without it.
 *
 * <p>{@code StartUp} builds the program and the empty agent out of the other classes here, runs them and prints the
 * table; it is no JMH benchmark, as what it measures is the CPU time of whole processes.
 */
package io.counters.benchmarks.startup;
