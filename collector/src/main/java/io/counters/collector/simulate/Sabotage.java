package io.counters.collector.simulate;

import java.util.function.UnaryOperator;

/**
 * Breaks a rule on purpose, to check that the simulation detects it.
 *
 * @param datagrams changes every datagram
 * @param halfCommits a commit that fails leaves values without their watermarks
 * @param wallClock collectors measure how long they have been listening by the wall clock, which jumps
 */
record Sabotage(UnaryOperator<byte[]> datagrams, boolean halfCommits, boolean wallClock) {
    static final Sabotage NONE = new Sabotage(UnaryOperator.identity(), false, false);

    static Sabotage of(UnaryOperator<byte[]> datagrams) {
        return new Sabotage(datagrams, false, false);
    }
}
