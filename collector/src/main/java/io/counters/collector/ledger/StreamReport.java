package io.counters.collector.ledger;

/**
 * What is known of one sender's stream, for people.
 *
 * @param whole whether nothing of it can have been applied and forgotten
 * @param quarantined whether it jumped by more than 2^53, so that only its amounts count
 * @param counters how many counters it has sent with totals
 * @param sent datagrams, as the highest number heard tells
 * @param received different datagrams that arrived
 * @param repeated datagrams that came once more
 * @param healed what totals brought that no amount had
 * @param quietMillis since it was last heard
 */
public record StreamReport(
        String sender,
        boolean whole,
        boolean quarantined,
        int counters,
        long sent,
        long received,
        long repeated,
        long healed,
        long quietMillis) {
    private static final long SPLIT_DATAGRAMS_MIN = 20;

    /** Datagrams that did not arrive, or not yet. */
    public long lost() {
        return Math.max(0, sent - received);
    }

    /** Whether over half is missing: its datagrams may be spread over several collectors, which totals can't bear. */
    public boolean isSplit() {
        return sent >= SPLIT_DATAGRAMS_MIN && lost() > received;
    }
}
