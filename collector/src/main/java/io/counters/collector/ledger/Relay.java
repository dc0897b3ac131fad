package io.counters.collector.ledger;

import io.counters.wire.Verb;

/**
 * One of this ledger's own streams to a peer: the totals of everything that was ever added to it. They are committed in
 * the transaction that reduces the values here, and before they are sent.
 */
final class Relay {
    /** The value of {@link #leftMillis} while the peer is on the list. */
    static final long NEVER = Long.MAX_VALUE;

    final int id;
    final String stream;
    final String peer;
    final boolean handsOver;
    final long bornMillis;

    /** When the peer left the list; {@link #NEVER} while it is on it. */
    long leftMillis = NEVER;

    boolean noted;

    /** The totals, in the same kind of table as the watermarks of other streams. */
    private final Stream totals;

    private long sum;

    /**
     * @param handsOver whether it carries whole values of counters that were owned here, or amounts that are passed on
     */
    Relay(int id, String stream, String peer, boolean handsOver, long bornMillis) {
        this.id = id;
        this.stream = stream;
        this.peer = peer;
        this.handsOver = handsOver;
        this.bornMillis = bornMillis;
        totals = new Stream(id, stream, true, new Arrivals(0), 0x9E3779B9);
    }

    /**
     * Adds an amount of a counter.
     *
     * @return what was added: all of it, up to the largest possible total
     */
    long add(int counter, long amount) {
        Verb verb = amount >= 0 ? Verb.INCREMENT : Verb.DECREMENT;
        long total = Math.max(0, totals.watermark(counter, verb));
        long taken = Math.min(Math.abs(amount), Long.MAX_VALUE - total);
        restore(counter, verb, total + taken);
        return verb.signed(taken);
    }

    private void restore(int counter, Verb verb, long total) {
        sum += total - Math.max(0, totals.watermark(counter, verb));
        totals.setWatermark(counter, verb, total);
    }

    /** The sum of all totals, modulo 2^63. */
    long sum() {
        return sum & Long.MAX_VALUE;
    }

    Relayed takeChanges() {
        Changes.Watermarks changed = totals.takeChanges();
        return new Relayed(
                id,
                stream,
                peer,
                handsOver,
                bornMillis,
                changed.counters(),
                changed.increments(),
                changed.decrements());
    }

    void putBack(Relayed failed) {
        totals.putBack(failed.counters());
    }

    /** Restores what an earlier run committed. */
    void restore(Relayed committed) {
        for (int i = 0; i < committed.counters().length; i++) {
            if (committed.increments()[i] != Stream.NONE) {
                restore(committed.counters()[i], Verb.INCREMENT, committed.increments()[i]);
            }
            if (committed.decrements()[i] != Stream.NONE) {
                restore(committed.counters()[i], Verb.DECREMENT, committed.decrements()[i]);
            }
        }
        totals.takeChanges();
    }
}
