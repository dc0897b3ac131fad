package io.counters.collector.ledger;

import io.counters.collector.common.Metrics;
import io.counters.wire.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;

/**
 * Notes streams that two senders seem to continue, because a running process was copied. The totals of one sender only grow
 * with the numbers of its datagrams, whatever the network does to these. So in a datagram whose number is higher than that
 * of each earlier one, no total of one sender is below the watermark. Nor is it when the highest number is repeated, unless
 * the datagram has a line for the name again, with the watermark. Copies use the same numbers, each with totals of its own,
 * so sooner or later one of them sends such a line.
 *
 * <p>For display and the log, not for the merge. The ledger's lock protects it.
 */
final class ClonedStreams {
    /** A stream is logged once in this time, which is spent listening. */
    private static final long AGAIN_MILLIS = 60_000;

    private static final int LATELY_MAX = 100;

    /**
     * How the number of a datagram compares with those that arrived earlier: it is higher, the highest again, or neither.
     */
    enum Order {
        NEWEST,
        LATEST,
        OLDER
    }

    private final ListeningClock listening;

    /** Those to log, at most {@value #LATELY_MAX}. */
    private final List<InboundStream> lately = new ArrayList<>();

    private final LongAdder cloned;

    ClonedStreams(ListeningClock listening, Metrics metrics) {
        this.listening = listening;
        cloned = metrics.count(
                "ledger_cloned_streams_total",
                "Streams in which a total fell, as if two copies of a process sent in them.");
    }

    /** The order of a datagram that has not been added to the stream's arrivals yet; one without a number, 0, is older. */
    static Order order(InboundStream stream, long seq) {
        if (seq <= 0) {
            return Order.OLDER;
        }
        long ahead = seq - stream.arrivals.highest();
        return ahead > 0 && ahead <= Arrivals.AHEAD_MAX ? Order.NEWEST : ahead == 0 ? Order.LATEST : Order.OLDER;
    }

    /**
     * Called for a total at or below the watermark, unless its datagram is older.
     *
     * @param place of its counter in the stream
     */
    void judge(InboundStream stream, int place, Verb verb, boolean isBelow) {
        int line = DatagramNumbers.line(place, verb);
        if (stream.numbers != null && !stream.numbers.isKnown(line)) {
            return;
        } else if (!isBelow) {
            stream.suspect = stream.suspect == line ? 0 : stream.suspect;
        } else if (stream.order == Order.NEWEST) {
            note(stream);
        } else if (stream.suspect == 0) {
            stream.suspect = line;
        }
    }

    /** Called when the lines of a datagram are over. The next lines may be of any datagram. */
    void end(InboundStream stream) {
        if (stream.suspect != 0) {
            stream.suspect = 0;
            note(stream);
        }
        stream.order = Order.OLDER;
        if (stream.numbers != null) {
            stream.numbers.end();
        }
    }

    private void note(InboundStream stream) {
        long now = listening.millis();
        if (stream.cloned && now - stream.clonedMillis < AGAIN_MILLIS) {
            return;
        }
        if (!stream.cloned) {
            cloned.increment();
        }
        stream.cloned = true;
        stream.clonedMillis = now;
        if (lately.size() < LATELY_MAX) {
            lately.add(stream);
        }
    }

    /** Takes those that were noted since the last call. */
    List<InboundStream> take() {
        List<InboundStream> taken = List.copyOf(lately);
        lately.clear();
        return taken;
    }
}
