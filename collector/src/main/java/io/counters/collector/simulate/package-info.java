/**
 * The real sender and the real ledger against a simulated clock, network, disk and store, by seed. One thread a seed,
 * no waiting: days pass in milliseconds, and a seed always does the same.
 *
 * <p>{@link io.counters.collector.simulate.Simulate} is the command; a {@link io.counters.collector.simulate.World} is
 * one seed. After every step each collector is held to what must be true at any moment: no stream was applied beyond
 * what its sender had assigned to it, and a counter's value is explained by watermarks. At rest every counter must be
 * exact, or, in the scenarios that the protocol does not promise exactness for, within their bound. Calls {@code core}
 * and {@code ledger}; nobody calls it but the command line.
 */
@NullMarked
package io.counters.collector.simulate;

import org.jspecify.annotations.NullMarked;
