package io.counters.collector.ledger;

import java.util.List;

/**
 * What one commit writes, all of it or nothing.
 *
 * @param number of this commit, from 1
 * @param clockMillis the ledger's time
 * @param watchMillis since when the memory of streams is complete
 * @param publishedSecond the highest second that points were published for
 */
record Changes(
        long number,
        long clockMillis,
        long watchMillis,
        long publishedSecond,
        List<CounterRow> counters,
        List<Watermarks> streams) {
    /** One counter as it stands, with what is known of its key in the shared store. */
    record CounterRow(int id, String name, long value, Projected projected, long pushed, long goal) {}

    /** One stream and those of its watermarks that changed; the arrays run side by side. */
    @SuppressWarnings("ArrayRecordComponent") // Numbers by the thousand, written once and never compared.
    record Watermarks(
            int stream,
            String sender,
            boolean whole,
            boolean quarantined,
            long heardMillis,
            int[] counters,
            long[] increments,
            long[] decrements) {}
}
