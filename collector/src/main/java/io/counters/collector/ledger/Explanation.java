package io.counters.collector.ledger;

import java.util.Comparator;
import java.util.List;

/**
 * How a counter came to its value: {@code value = adopted + applied of all streams + rest}, as long as the value never
 * reached the end of its range.
 *
 * @param value committed or not
 * @param committed the value that is published and pushed
 * @param createdSecond Unix time of the commit that first contained it; 0 if it is not known, because an earlier
 *     version of the collector created it
 * @param movedSecond Unix time of the last commit that changed its value; after a crash up to 5 minutes too early; 0 if it
 *     is not known
 * @param isDecremented whether it was ever decremented; this is remembered even after a removal
 * @param adopted the value of its key in the store before this ledger first wrote it
 * @param parts the streams whose totals made it, those that applied most first; at most {@value #PARTS_MAX}
 * @param partsLeftOut how many more there are
 * @param appliedLeftOut what those have applied
 * @param rest what arrived in lines without totals, and from streams that were forgotten; of a stream in quarantine, what
 *     arrived since. If an earlier version of the collector did not apply a first total completely, because its stream was
 *     not whole, the missing part is subtracted
 */
public record Explanation(
        String name,
        long value,
        long committed,
        long createdSecond,
        long movedSecond,
        boolean isDecremented,
        long adopted,
        List<Part> parts,
        int partsLeftOut,
        long appliedLeftOut,
        long rest) {
    /** The maximum number of streams that are listed. */
    public static final int PARTS_MAX = 100;

    public Explanation {
        parts = List.copyOf(parts);
    }

    /**
     * One stream that has sent totals of this counter.
     *
     * @param increments the highest total applied
     * @param decrements likewise
     * @param applied how much of these totals is in the value. It is not everything if the stream was not whole when its
     *     first total arrived, or if the counter was removed since
     * @param quietMillis time since the stream was last heard
     * @param lost datagrams of the stream that have not arrived
     * @param healed amounts of all counters of the stream that were lost and restored by later totals
     * @param isWhole whether nothing of the stream can have been applied and then forgotten
     * @param isQuarantined whether a total of the stream jumped by more than 2^53, so that only its amounts count
     */
    public record Part(
            String sender,
            long increments,
            long decrements,
            long applied,
            long quietMillis,
            long lost,
            long healed,
            boolean isWhole,
            boolean isQuarantined) {
        static final Comparator<Part> SMALLEST_FIRST = Comparator.<Part>comparingLong(part -> Math.abs(part.applied))
                .thenComparing(Part::sender, Comparator.reverseOrder());
    }
}
