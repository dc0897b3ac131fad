package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.SeededHash;
import io.counters.wire.Verb;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the earlier runs of a ledger have committed, as it is read. The parts may come in any order, only the counters must come
 * in that of their numbers. Then {@link Ledger}'s constructor takes it over, and it is used for nothing else. One thread
 * fills it; others may ask how much it has.
 */
public final class LedgerState {
    final SeededHash hashing;
    private final long id;
    final NameTable names;
    final Values values = new Values();
    final Values rests = new Values();
    final CounterFacts facts = new CounterFacts();
    final LastMoves moves = new LastMoves();

    /** The counters whose keys in the store are claimed. */
    final BitSet claimed = new BitSet();

    final Map<StreamKey, InboundStream> streams = new HashMap<>();
    private Changes.Head head;
    private List<UsedSeconds.Run> published = List.of();

    /**
     * The state of a ledger that has counted nothing, and whose memory of streams is complete.
     *
     * @param id a random number that no other ledger has
     * @param hashing for names and the IDs of streams
     */
    public LedgerState(long id, SeededHash hashing) {
        this.hashing = hashing;
        this.id = id;
        names = new NameTable(hashing);
        head = Changes.Head.first(id);
    }

    /** The state of such a ledger once more: what this one has taken is not in it. */
    LedgerState anew() {
        return new LedgerState(id, hashing);
    }

    /** Takes what the last commit says about the ledger itself; if there was none, the ledger stays a new one. */
    synchronized void set(Changes.Head committed) {
        if (committed.commit() > 0) {
            head = committed;
        }
    }

    /** Takes the seconds that points were published for. */
    synchronized void set(List<UsedSeconds.Run> used) {
        published = List.copyOf(used);
    }

    /** Takes a counter. */
    synchronized void add(Changes.CounterRow row) {
        restore(row, names, values, rests, facts);
        claimed.set(row.id(), row.isClaimed());
        moves.restore(row.id(), row.moved());
    }

    /** Adds a counter to those with lower numbers. */
    static void restore(Changes.CounterRow row, NameTable names, Values values, Values rests, CounterFacts facts) {
        if (row.id() != names.size()) {
            throw new IllegalStateException(
                    "found counter " + row.id() + " where counter " + names.size() + " was expected");
        }
        byte[] name = row.name().getBytes(ISO_8859_1);
        names.add(name, 0, name.length);
        values.restore(row.id(), row.value());
        rests.add(row.id());
        if (row.rest() != 0) {
            rests.move(row.id(), row.rest());
        }
        facts.restore(row);
    }

    /**
     * Takes a stream with all its watermarks.
     *
     * @throws IllegalStateException if a stream of the same sender was taken
     */
    synchronized void add(Changes.Watermarks watermarks) {
        Changes.StreamRow row = watermarks.stream();
        InboundStream stream = new InboundStream(
                row.id(), row.sender(), row.whole(), row.arrivals().copy(), hashing);
        stream.remembered = true;
        stream.said = row.said();
        stream.quarantined = row.quarantined();
        stream.heardMillis = row.heardMillis();
        stream.healed = row.healed();
        for (int i = 0; i < watermarks.counters().length; i++) {
            stream.setWatermark(
                    watermarks.counters()[i], Verb.INCREMENT, watermarks.increments()[i]);
            stream.setWatermark(
                    watermarks.counters()[i], Verb.DECREMENT, watermarks.decrements()[i]);
            if (watermarks.decrements()[i] > 0) {
                // If an earlier version of the collector has applied it.
                facts.decrement(watermarks.counters()[i]);
            }
        }
        stream.restore(watermarks.uncounted());
        stream.takeChanges(1);
        if (streams.put(new StreamKey(stream.sender, hashing), stream) != null) {
            throw new IllegalStateException("found the stream " + stream.sender + " twice");
        }
    }

    /** The ledger's time at the last commit, in milliseconds; 0 for a new ledger. */
    public synchronized long committedMillis() {
        return head.clockMillis();
    }

    /** How many counters were read, also those that were removed. */
    public synchronized int counters() {
        return names.size();
    }

    /** How many streams were read. */
    public synchronized int streams() {
        return streams.size();
    }

    synchronized Changes.Head head() {
        return head;
    }

    synchronized List<UsedSeconds.Run> published() {
        return published;
    }
}
