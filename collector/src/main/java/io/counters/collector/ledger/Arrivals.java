package io.counters.collector.ledger;

/**
 * Which datagrams of a stream arrived, as their numbers tell; for people, not for the merge. A window of the last {@value
 * #WINDOW} numbers tells a late datagram from one that came twice; what is older is taken for a late one. A number that is
 * further ahead than any sender gets is not believed.
 */
final class Arrivals {
    private static final int WINDOW = 64;

    /** A day of 10,000 datagrams a second. */
    static final long AHEAD_MAX = 1L << 30;

    private long before;
    private long highest;
    private long received;
    private long repeated;
    private long window;

    /** @param before the number of the last datagram that is not reckoned with: 0 for a stream heard from its birth */
    Arrivals(long before) {
        this(before, before, 0, 0, 0);
    }

    Arrivals(long before, long highest, long received, long repeated, long window) {
        this.before = before;
        this.highest = highest;
        this.received = received;
        this.repeated = repeated;
        this.window = window;
    }

    Arrivals copy() {
        return new Arrivals(before, highest, received, repeated, window);
    }

    /** Datagram number {@code seq} is here. */
    void add(long seq) {
        long ahead = seq - highest;
        if (ahead > AHEAD_MAX) {
            return;
        } else if (ahead > 0) {
            window = ahead < WINDOW ? window << ahead | 1 : 1;
            highest = seq;
            received++;
        } else if (-ahead < WINDOW && (window >>> -ahead & 1) != 0) {
            repeated++;
        } else {
            window |= -ahead < WINDOW ? 1L << -ahead : 0;
            before = Math.min(before, seq - 1);
            received++;
        }
    }

    long before() {
        return before;
    }

    long highest() {
        return highest;
    }

    long window() {
        return window;
    }

    /** Datagrams that the sender has sent, as far as is known here. */
    long sent() {
        return highest - before;
    }

    /** Different datagrams that arrived. */
    long received() {
        return received;
    }

    /** Datagrams that came once more. */
    long repeated() {
        return repeated;
    }

    /** Datagrams that did not arrive, or not yet. */
    long lost() {
        return Math.max(0, sent() - received);
    }
}
