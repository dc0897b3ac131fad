package io.counters.collector.proxy;

import java.util.random.RandomGenerator;

/**
 * How long to wait before the next try: twice as long each time, up to a bound, and at random between half of that and all,
 * so that many who lost the same server do not come back to it at once. For one thread.
 */
final class Backoff {
    static final long MILLIS_MIN = 100;
    static final long MILLIS_MAX = 10_000;

    private final RandomGenerator random;
    private long atMost = MILLIS_MIN;

    Backoff(RandomGenerator random) {
        this.random = random;
    }

    /** Milliseconds to wait now. */
    long next() {
        long millis = atMost / 2 + random.nextLong(atMost / 2 + 1);
        atMost = Math.min(2 * atMost, MILLIS_MAX);
        return millis;
    }

    /** It went well for a while: begins anew. */
    void reset() {
        atMost = MILLIS_MIN;
    }
}
