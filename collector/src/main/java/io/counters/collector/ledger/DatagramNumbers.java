package io.counters.collector.ledger;

import io.counters.wire.Verb;
import java.util.BitSet;

/**
 * What a partition of a fleet knows about the order of a stream's lines. They come merged, from several collectors and in any
 * order, with the lowest and the highest number of the datagrams that they may be of. Lines of which the lowest number is
 * above each earlier one are newer than all that came before.
 *
 * <p>Only since the ledger was loaded: a watermark that was raised before, or by lines without numbers, may be of a later
 * datagram than those that arrive now. The ledger's lock protects it.
 */
final class DatagramNumbers {
    private long highest;

    /** Whether the present lines have numbers, none above {@link #highest}. */
    private boolean isKnown;

    /** The lines, as {@link #line} numbers them, whose watermark lines with numbers raised last. */
    private final BitSet raised = new BitSet();

    /** The number of a line in its stream, from 1. */
    static int line(int place, Verb verb) {
        return 2 * place + (verb == Verb.INCREMENT ? 1 : 2);
    }

    /** The order of the lines that follow, which are of datagrams with numbers from {@code first} to {@code last}. */
    ClonedStreams.Order begin(long first, long last) {
        if (highest > 0 && last - highest > Arrivals.AHEAD_MAX) {
            isKnown = false;
            return ClonedStreams.Order.OLDER;
        }
        long before = highest;
        highest = Math.max(highest, last);
        isKnown = true;
        return first > before
                ? ClonedStreams.Order.NEWEST
                : first == last && last == before ? ClonedStreams.Order.LATEST : ClonedStreams.Order.OLDER;
    }

    /** What follows has no numbers. */
    void end() {
        isKnown = false;
    }

    /** A watermark was set. */
    void raised(int line) {
        raised.set(line, isKnown);
    }

    /** Whether the watermark of a line is of a datagram whose number is at most the highest one. */
    boolean isKnown(int line) {
        return raised.get(line);
    }
}
