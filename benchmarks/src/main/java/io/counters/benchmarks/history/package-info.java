/** Measures the collector's history; {@code bin/bench history} prints it. */
package io.counters.benchmarks.history;
