package io.counters.collector.ledger;

import java.util.Map;
import java.util.SortedMap;

/**
 * Whether records of a ledger are missing, because somebody or a broker has deleted some of its log. A ledger that went on
 * without them would begin counters at 0 again, or apply a total twice. Only what the others point to is missed: after the
 * loss of the last streams or of the last blocks, for example, nothing does.
 */
final class MissingRecords {
    private MissingRecords() {}

    /**
     * Refuses records without those that were always written before them.
     *
     * @param names by block
     * @param ofBlocks other records, by block
     * @param streams by stream
     * @param watermarks by stream and group
     * @throws IllegalStateException if some are missing
     */
    static void refuse(
            SortedMap<Integer, byte[]> names,
            Iterable<SortedMap<Integer, byte[]>> ofBlocks,
            SortedMap<Integer, byte[]> streams,
            SortedMap<Integer, SortedMap<Integer, byte[]>> watermarks) {
        for (SortedMap<Integer, byte[]> of : ofBlocks) {
            for (int block : of.keySet()) {
                if (!names.containsKey(block)) {
                    throw missing("block " + block + " has no names");
                }
            }
        }
        for (Map.Entry<Integer, SortedMap<Integer, byte[]>> groups : watermarks.entrySet()) {
            SortedMap<Integer, byte[]> of = groups.getValue();
            if (of.isEmpty()) {
                continue;
            }
            if (!streams.containsKey(groups.getKey())) {
                throw missing("there are totals of stream " + groups.getKey() + ", which is not there");
            }
            if (of.lastKey() != of.size() - 1) {
                throw missing("totals of stream " + groups.getKey() + " are not there");
            }
        }
    }

    static IllegalStateException missing(String what) {
        return new IllegalStateException(
                what + ", so records of it were deleted. Restore them, or begin at 0 with another --prefix");
    }
}
