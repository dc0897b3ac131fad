package io.counters.collector.ledger;

import java.util.Comparator;

/**
 * The state of one sender's stream, for display.
 *
 * @param whole whether nothing of it can have been applied and then forgotten
 * @param quarantined whether a total jumped by more than 2^53, so that only its amounts count
 * @param cloned whether a total fell in a datagram that is not older, so that two copies of its process may send in it
 * @param counters how many counters it has sent with totals
 * @param sent datagrams, judged by the highest number received
 * @param received distinct datagrams that arrived
 * @param repeated datagrams that arrived a second time
 * @param healed amounts that only totals brought
 * @param quietMillis time since it was last heard
 */
public record StreamReport(
        String sender,
        boolean whole,
        boolean quarantined,
        boolean cloned,
        int counters,
        long sent,
        long received,
        long repeated,
        long healed,
        long quietMillis) {
    /** Those that lost most, then those that were heard last. */
    public static final Comparator<StreamReport> WORST_FIRST = Comparator.comparingLong(StreamReport::lost)
            .reversed()
            .thenComparingLong(StreamReport::quietMillis)
            .thenComparing(StreamReport::sender);

    private static final long SPLIT_DATAGRAMS_MIN = 20;

    /** Datagrams that have not arrived. */
    public long lost() {
        return Math.max(0, sent - received);
    }

    /**
     * Whether more than half are missing: its datagrams may be spread over several collectors, for which totals do not
     * work.
     */
    public boolean isSplit() {
        return sent >= SPLIT_DATAGRAMS_MIN && lost() > received;
    }
}
