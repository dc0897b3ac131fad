package io.counters.collector.fleet;

import io.counters.collector.ledger.Snapshot;
import io.counters.collector.publish.IdleFilter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A partition whose ticks a {@link TickSink} reads: how far it was read, and how far its sink is done with it. */
final class SinkPart {
    /** Points of one second that are given to the sink at once. */
    static final class Batch {
        final List<Snapshot> values = new ArrayList<>();

        /** Set by whatever thread of the sink. */
        volatile boolean done;

        static Batch done() {
            Batch none = new Batch();
            none.done = true;
            return none;
        }
    }

    /**
     * A record that was read.
     *
     * @param end the offset behind it
     * @param second with it, the ticks up to this second are complete
     */
    record Pending(long end, long second, Batch batch) {}

    final @Nullable IdleFilter idle;

    /** One above the largest number of a counter of which it is known whether it is idle. */
    int idleEnd;

    final Deque<Pending> pending = new ArrayDeque<>();

    /** The offset behind the last record that the sink is done with, and with all before it; -1 if there is none yet. */
    long confirmed = -1;

    long confirmedSecond;
    long committed = -1;

    /** The last second that the sink was done with when the partition's offsets were others. */
    long takenSecond;

    /** What was read without a gap: from which offset, up to which, and its points; -1 if nothing was. */
    long begin = -1;

    long end = -1;
    long points;

    /** The last second that was read. */
    long second = Long.MAX_VALUE;

    /** Offsets that were deleted unread; how many points they had is known when the next record is read. */
    long deleted;

    SinkPart(@Nullable IdleFilter idle) {
        this.idle = idle;
    }

    /** About how many points so many offsets have. The end of a transaction is an offset, too. */
    long points(long offsets) {
        return offsets * points / (end + 1 - begin);
    }

    void confirm() {
        for (Pending first = pending.peek(); first != null && first.batch.done; first = pending.peek()) {
            confirmed = first.end;
            confirmedSecond = first.second;
            pending.remove();
        }
    }

    /** Called when Kafka has this offset. One that is not confirmed is one of before a cut; those to come may be lower. */
    void committed(long offset) {
        if (offset <= confirmed) {
            committed = Math.max(committed, offset);
        }
    }
}
