package io.counters.collector.ledger;

/**
 * Counts which datagrams of a stream arrived, by their numbers; for display, not for the merge. A window of the last
 * {@value #WINDOW} numbers distinguishes a late datagram from a repeated one; an older one counts as late. A number
 * that is further ahead than any sender reaches is ignored.
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

    /** @param before the number before the first datagram that counts: 0 for a stream that was heard from its start */
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

    /** Records that datagram number {@code seq} arrived. */
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

    /** Records that all datagrams from number {@code first} to {@code last} arrived; takes the same time for any number. */
    void add(long first, long last) {
        long known = Math.min(last, highest);
        if (first <= known) {
            long inWindow = Math.max(first, highest - WINDOW + 1);
            if (first < inWindow) {
                received += Math.min(known, inWindow - 1) - first + 1;
                before = Math.min(before, first - 1);
            }
            // Counted down, because the last number may be the largest that there is.
            for (long left = known - inWindow; left >= 0; left--) {
                add(known - left);
            }
        }
        if (last > highest) {
            long next = Math.max(first, highest + 1);
            if (next - highest > AHEAD_MAX) {
                return;
            }
            long count = last - next + 1;
            long ahead = last - highest;
            window = (ahead < WINDOW ? window << ahead : 0) | (count < WINDOW ? (1L << count) - 1 : -1);
            highest = last;
            received += count;
        }
    }

    /**
     * All datagrams that arrived here or there. What exceeds the number sent has arrived twice; which of the others have is
     * not known.
     */
    Arrivals plus(Arrivals other) {
        if (received == 0 || other.received == 0) {
            return (received == 0 ? other : this).copy();
        }
        if (highest < other.highest) {
            return other.plus(this);
        }
        long ahead = highest - other.highest;
        long first = Math.min(before, other.before);
        long all = Values.sum(received, other.received);
        long distinct = Math.min(all, highest - first);
        return new Arrivals(
                first,
                highest,
                distinct,
                Values.sum(Values.sum(repeated, other.repeated), all - distinct),
                window | (ahead < WINDOW ? other.window << ahead : 0));
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

    /** Datagrams that the sender has sent, judged by the highest number received. */
    long sent() {
        return highest - before;
    }

    /** Distinct datagrams that arrived. */
    long received() {
        return received;
    }

    /** Datagrams that arrived a second time. */
    long repeated() {
        return repeated;
    }

    /** Datagrams that have not arrived. */
    long lost() {
        return Math.max(0, sent() - received);
    }
}
