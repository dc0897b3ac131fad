package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Counters;
import io.counters.collector.ledger.Changes.Dropped;
import io.counters.collector.ledger.Changes.Facts;
import io.counters.collector.ledger.Changes.Head;
import io.counters.collector.ledger.Changes.Moves;
import io.counters.collector.ledger.Changes.StreamRow;
import io.counters.collector.ledger.Changes.Uncounted;
import io.counters.collector.ledger.Changes.Watermarks;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Commits a ledger to memory that outlives it, in the form of the ledger's file, without the cost of one. */
final class Disk {
    private Head head = Head.first(0);
    private final List<CounterRow> counters = new ArrayList<>();
    private final SortedMap<Integer, StreamRow> streams = new TreeMap<>();
    private final SortedMap<Integer, SortedMap<Integer, long[]>> watermarks = new TreeMap<>();
    private final SortedMap<Integer, SortedMap<Integer, Long>> uncounted = new TreeMap<>();
    private List<UsedSeconds.Run> published = List.of();

    /** Commits what changed in the ledger. */
    void commit(Ledger ledger) {
        Changes changes = ledger.changes(1);
        if (changes != null) {
            write(changes);
            ledger.committed(changes);
        }
    }

    /** Makes a commit fail, as on a full disk. */
    void fail(Ledger ledger) {
        Changes changes = ledger.changes(1);
        if (changes != null) {
            ledger.putBack(changes);
        }
    }

    private void write(Changes changes) {
        head = changes.head();
        write(changes.counters());
        write(changes.moves());
        for (Watermarks stream : changes.streams()) {
            int id = stream.stream().id();
            streams.put(id, stream.stream());
            SortedMap<Integer, long[]> stamps = watermarks.computeIfAbsent(id, fresh -> new TreeMap<>());
            for (int i = 0; i < stream.counters().length; i++) {
                stamps.put(stream.counters()[i], new long[] {stream.increments()[i], stream.decrements()[i]});
            }
            SortedMap<Integer, Long> parts = uncounted.computeIfAbsent(id, fresh -> new TreeMap<>());
            for (int i = 0; i < stream.uncounted().counters().length; i++) {
                parts.put(stream.uncounted().counters()[i], stream.uncounted().amounts()[i]);
            }
        }
        for (Dropped dropped : changes.dropped()) {
            streams.remove(dropped.stream());
            watermarks.remove(dropped.stream());
            uncounted.remove(dropped.stream());
        }
        if (changes.published() != null) {
            published = changes.published();
        }
        requireSizes(changes);
    }

    /** The numbers of rows that a commit states are those that the file has then; else it would count as damaged. */
    private void requireSizes(Changes changes) {
        require(changes.remembered(), streams.size(), "streams");
        for (Watermarks of : changes.streams()) {
            int id = of.stream().id();
            require(of.all(), rows(watermarks, id).size(), "watermarks of stream " + id);
            long uncountedParts = rows(uncounted, id).values().stream()
                    .filter(amount -> amount != 0)
                    .count();
            require(of.allUncounted(), uncountedParts, "uncounted parts of stream " + id);
        }
    }

    private static <V> SortedMap<Integer, V> rows(SortedMap<Integer, SortedMap<Integer, V>> of, int stream) {
        return of.getOrDefault(stream, new TreeMap<>());
    }

    private static void require(long stated, long found, String what) {
        if (stated != found) {
            throw new AssertionError(what + ": " + stated + " by the commit, but " + found + " rows");
        }
    }

    private void write(Counters changed) {
        for (int id = counters.size(); id < changed.size(); id++) {
            counters.add(new CounterRow(id, changed.names()[id], 0, 0, false, 0, 0, false, false, 0));
        }
        for (int i = 0; i < changed.blocks().length; i++) {
            int begin = changed.blocks()[i] * Values.BLOCK;
            long[] rests = changed.rests()[i];
            for (int id = begin; id < Math.min(begin + Values.BLOCK, counters.size()); id++) {
                CounterRow row = counters.get(id);
                counters.set(
                        id,
                        new CounterRow(
                                id,
                                row.name(),
                                changed.values()[i][id - begin],
                                rests == null ? row.rest() : rests[id - begin],
                                changed.claimed().get(id),
                                row.created(),
                                row.moved(),
                                row.isDecremented(),
                                row.isRemoved(),
                                row.adopted()));
            }
        }
        write(changed.facts());
    }

    private void write(Moves moves) {
        for (int i = 0; i < moves.blocks().length; i++) {
            int begin = moves.blocks()[i] * Values.BLOCK;
            for (int id = begin; id < Math.min(begin + Values.BLOCK, counters.size()); id++) {
                CounterRow row = counters.get(id);
                counters.set(
                        id,
                        new CounterRow(
                                id,
                                row.name(),
                                row.value(),
                                row.rest(),
                                row.isClaimed(),
                                row.created(),
                                moves.seconds()[i][id - begin],
                                row.isDecremented(),
                                row.isRemoved(),
                                row.adopted()));
            }
        }
    }

    private void write(Facts facts) {
        for (int i = 0; i < facts.blocks().length; i++) {
            int begin = facts.blocks()[i] * Values.BLOCK;
            BitSet decremented = BitSet.valueOf(facts.decremented()[i]);
            BitSet removed = BitSet.valueOf(facts.removed()[i]);
            long[] adopted = facts.adopted()[i];
            for (int id = begin; id < Math.min(begin + Values.BLOCK, counters.size()); id++) {
                CounterRow row = counters.get(id);
                counters.set(
                        id,
                        new CounterRow(
                                id,
                                row.name(),
                                row.value(),
                                row.rest(),
                                row.isClaimed(),
                                facts.created()[i][id - begin],
                                row.moved(),
                                decremented.get(id - begin),
                                removed.get(id - begin),
                                adopted == null ? 0 : adopted[id - begin]));
            }
        }
    }

    /** Fills the state of a new ledger with everything that was committed, and returns it. */
    LedgerState load(LedgerState state) {
        state.set(head);
        state.set(published);
        counters.forEach(state::add);
        streams.forEach((id, stream) -> {
            SortedMap<Integer, long[]> stamps = watermarks.getOrDefault(id, new TreeMap<>());
            SortedMap<Integer, Long> parts = uncounted.getOrDefault(id, new TreeMap<>());
            state.add(Watermarks.restored(
                    stream,
                    stamps.keySet().stream().mapToInt(Integer::intValue).toArray(),
                    stamps.values().stream().mapToLong(stamp -> stamp[0]).toArray(),
                    stamps.values().stream().mapToLong(stamp -> stamp[1]).toArray(),
                    new Uncounted(
                            parts.keySet().stream().mapToInt(Integer::intValue).toArray(),
                            parts.values().stream().mapToLong(Long::longValue).toArray())));
        });
        return state;
    }

    /** Every counter's committed value. */
    SortedMap<String, Long> values() {
        SortedMap<String, Long> values = new TreeMap<>();
        counters.forEach(row -> values.put(row.name(), row.value()));
        return values;
    }

    /** The counter as in the last commit. */
    CounterRow counter(int id) {
        return counters.get(id);
    }
}
