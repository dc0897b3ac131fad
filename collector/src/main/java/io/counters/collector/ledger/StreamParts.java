package io.counters.collector.ledger;

import java.util.Collection;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;

/**
 * What streams have to do with the value of one counter.
 *
 * @param largest those that applied most, at most {@link Explanation#PARTS_MAX}
 * @param leftOut how many more there are
 * @param appliedLeftOut what those have applied
 * @param applied what all have applied
 */
record StreamParts(List<Explanation.Part> largest, int leftOut, long appliedLeftOut, long applied) {
    static StreamParts of(Collection<InboundStream> streams, int counter, long nowMillis) {
        long all = 0;
        long leftOut = 0;
        int count = 0;
        Queue<Explanation.Part> largest = new PriorityQueue<>(Explanation.Part.SMALLEST_FIRST);
        for (InboundStream stream : streams) {
            int place = stream.place(counter);
            if (place < 0) {
                continue;
            }
            count++;
            long applied = stream.appliedAt(place);
            all += applied;
            if (largest.size() < Explanation.PARTS_MAX) {
                largest.add(stream.part(place, nowMillis));
            } else if (Math.abs(applied) > Math.abs(largest.element().applied())) {
                leftOut += largest.remove().applied();
                largest.add(stream.part(place, nowMillis));
            } else {
                leftOut += applied;
            }
        }
        List<Explanation.Part> listed = largest.stream()
                .sorted(Explanation.Part.SMALLEST_FIRST.reversed())
                .toList();
        return new StreamParts(listed, count - listed.size(), leftOut, all);
    }
}
