package io.counters.collector.proxy;

import java.util.random.RandomGenerator;

/**
 * Computes the pause before the next attempt: its maximum doubles each time, up to a limit, and the pause is random between
 * half of that maximum and all of it, so that many proxies do not reconnect to a server at the same moment. For one thread.
 */
final class Backoff {
    static final long MILLIS_MIN = 100;
    static final long MILLIS_MAX = 10_000;

    private final RandomGenerator random;
    private long atMost = MILLIS_MIN;

    Backoff(RandomGenerator random) {
        this.random = random;
    }

    /** The next pause, in milliseconds. */
    long next() {
        long millis = atMost / 2 + random.nextLong(atMost / 2 + 1);
        atMost = Math.min(2 * atMost, MILLIS_MAX);
        return millis;
    }

    /** Begins again with the shortest pause; call it after a connection has lasted for a while. */
    void reset() {
        atMost = MILLIS_MIN;
    }
}
