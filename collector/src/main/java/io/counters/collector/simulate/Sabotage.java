package io.counters.collector.simulate;

import java.util.function.UnaryOperator;

/**
 * A rule that is broken on purpose, to see that a simulation finds it out.
 *
 * @param datagrams done to every datagram
 * @param halfCommits a commit that fails leaves values without their watermarks
 * @param wallClock collectors take the wall clock, which jumps, for the time that they have been listening
 */
record Sabotage(UnaryOperator<byte[]> datagrams, boolean halfCommits, boolean wallClock) {
    static final Sabotage NONE = new Sabotage(UnaryOperator.identity(), false, false);

    static Sabotage of(UnaryOperator<byte[]> datagrams) {
        return new Sabotage(datagrams, false, false);
    }
}
