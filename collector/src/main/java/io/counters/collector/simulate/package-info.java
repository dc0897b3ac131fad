/**
 * Runs the real sender and the real ledger against a simulated clock, network, disk and store, by seed. Each seed runs in one
 * thread, without waiting: days pass in milliseconds, and a seed always has the same outcome.
 *
 * <p>{@link io.counters.collector.simulate.Simulate} is the command; a {@link io.counters.collector.simulate.World} runs one
 * seed. After every step the invariants of each collector are checked: no more of a stream was applied than its sender had
 * assigned to it, and watermarks explain each counter's value. At the end every counter must be exact, or, in scenarios for
 * which the protocol does not guarantee exactness, within a bound. Calls {@code core} and {@code ledger}; only the command
 * line calls it.
 *
 * <p>Internal: any release may change it.
 */
@NullMarked
package io.counters.collector.simulate;

import org.jspecify.annotations.NullMarked;
