package io.counters.collector.simulate;

import java.util.function.UnaryOperator;

/**
 * Breaks a rule on purpose, to check that the simulation detects it.
 *
 * @param datagrams changes every datagram
 */
record Sabotage(UnaryOperator<byte[]> datagrams, Broken broken) {
    static final Sabotage NONE = of(Broken.NOTHING);

    /** What is wrong with a collector. */
    enum Broken {
        NOTHING,
        /** A commit that fails leaves values without their watermarks. */
        HALF_COMMITS,
        /** It measures how long it has been listening by the wall clock, which jumps. */
        WALL_CLOCK
    }

    static Sabotage of(UnaryOperator<byte[]> datagrams) {
        return new Sabotage(datagrams, Broken.NOTHING);
    }

    static Sabotage of(Broken broken) {
        return new Sabotage(UnaryOperator.identity(), broken);
    }
}
