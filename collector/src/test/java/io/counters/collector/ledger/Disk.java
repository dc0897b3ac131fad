package io.counters.collector.ledger;

import io.counters.collector.ledger.Changes.CounterRow;
import io.counters.collector.ledger.Changes.Watermarks;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Keeps what was committed, as the ledger's file does, and outlives the ledger; without the cost of a file. */
final class Disk {
    private final SortedMap<Integer, CounterRow> counters = new TreeMap<>();
    private final SortedMap<Integer, Watermarks> streams = new TreeMap<>();
    private final SortedMap<Integer, SortedMap<Integer, long[]>> watermarks = new TreeMap<>();
    private long commit;
    private long watch = Ledger.FOR_EVER;
    private long published;

    /** Commits what changed in the ledger. */
    void commit(Ledger ledger) {
        Changes changes = ledger.changes();
        if (changes != null) {
            write(changes);
            ledger.committed(changes);
        }
    }

    void write(Changes changes) {
        commit = changes.number();
        watch = changes.watchMillis();
        published = changes.publishedSecond();
        changes.counters().forEach(row -> counters.put(row.id(), row));
        for (Watermarks stream : changes.streams()) {
            streams.put(stream.stream(), stream);
            SortedMap<Integer, long[]> marks = watermarks.computeIfAbsent(stream.stream(), fresh -> new TreeMap<>());
            for (int i = 0; i < stream.counters().length; i++) {
                marks.put(stream.counters()[i], new long[] {stream.increments()[i], stream.decrements()[i]});
            }
        }
    }

    /** Gives an empty ledger all that was committed. */
    void load(Ledger ledger) {
        ledger.restore(commit, watch, published);
        counters.values().forEach(ledger::restore);
        streams.forEach((id, stream) -> {
            SortedMap<Integer, long[]> marks = watermarks.getOrDefault(id, new TreeMap<>());
            ledger.restore(new Watermarks(
                    id,
                    stream.sender(),
                    stream.whole(),
                    stream.quarantined(),
                    stream.heardMillis(),
                    marks.keySet().stream().mapToInt(Integer::intValue).toArray(),
                    marks.values().stream().mapToLong(mark -> mark[0]).toArray(),
                    marks.values().stream().mapToLong(mark -> mark[1]).toArray()));
        });
    }

    /** The counter as the last commit has it. */
    @Nullable
    CounterRow counter(int id) {
        return counters.get(id);
    }

    /** Every counter's committed value. */
    SortedMap<String, Long> values() {
        SortedMap<String, Long> values = new TreeMap<>();
        counters.values().forEach(row -> values.put(row.name(), row.value()));
        return values;
    }
}
