package io.counters.collector.fleet;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.ledger.Details;
import io.counters.collector.ledger.Explanation;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.Removal;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.ledger.StreamReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The ledgers of the partitions that this collector owns at this moment, as one. The owner's thread changes which they are; any
 * thread reads.
 */
final class OwnedLedgers implements LedgerView {
    private final int partitions;
    private volatile List<OwnedPartition> owned = List.of();

    /** The names of the last {@link #snapshot}, and where they came from. */
    private volatile Names names = new Names(List.of(), new String[0]);

    @SuppressWarnings("ArrayRecordComponent") // Compared by identity.
    private record Names(List<Snapshot> of, String[] all) {
        /** Whether these are the names of snapshots like these. */
        @SuppressWarnings("ReferenceEquality") // Of the arrays, which only grow.
        boolean areOf(List<Snapshot> now) {
            boolean same = of.size() == now.size();
            for (int i = 0; same && i < of.size(); i++) {
                same = of.get(i).size() == now.get(i).size()
                        && of.get(i).names() == now.get(i).names();
            }
            return same;
        }
    }

    /** @param partitions how many the fleet has */
    OwnedLedgers(int partitions) {
        this.partitions = partitions;
    }

    // The owner's thread

    void add(OwnedPartition partition) {
        owned = Stream.concat(owned.stream(), Stream.of(partition))
                .sorted(Comparator.comparingInt(one -> one.number))
                .toList();
    }

    void remove(Collection<Integer> numbers) {
        owned = owned.stream().filter(one -> !numbers.contains(one.number)).toList();
    }

    // Any thread

    /** The partitions, by their numbers. */
    List<OwnedPartition> partitions() {
        return owned;
    }

    /** The partition with this number, if it is one of these. */
    @Nullable
    OwnedPartition partition(int number) {
        for (OwnedPartition one : owned) {
            if (one.number == number) {
                return one;
            }
        }
        return null;
    }

    /** The ledgers, by the numbers of their partitions. */
    List<Ledger> ledgers() {
        return owned.stream().map(one -> one.ledger).toList();
    }

    /** The ledger to which a name belongs, if its partition is one of these. */
    private @Nullable Ledger ledger(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        OwnedPartition of = partition(Partitions.of(bytes, 0, bytes.length, partitions, new CRC32C()));
        return of == null ? null : of.ledger;
    }

    @Override
    public Snapshot snapshot() {
        List<Snapshot> all = ledgers().stream().map(Ledger::snapshot).toList();
        int size = all.stream().mapToInt(Snapshot::size).sum();
        String[] of = names(all, size);
        long[] values = new long[size];
        int at = 0;
        for (Snapshot one : all) {
            System.arraycopy(one.values(), 0, values, at, one.size());
            at += one.size();
        }
        return new Snapshot(of, values, size);
    }

    /** One array for as long as no name is new, so that who shows it sees at a glance that nothing else has changed. */
    private String[] names(List<Snapshot> all, int size) {
        Names before = names;
        if (before.areOf(all)) {
            return before.all;
        }
        String[] now = new String[size];
        int at = 0;
        for (Snapshot one : all) {
            System.arraycopy(one.names(), 0, now, at, one.size());
            at += one.size();
        }
        // Without their values.
        names = new Names(
                all.stream()
                        .map(one -> new Snapshot(one.names(), new long[0], one.size()))
                        .toList(),
                now);
        return now;
    }

    @Override
    public Details details() {
        List<Details> all = ledgers().stream().map(Ledger::details).toList();
        int size = all.stream().mapToInt(Details::size).sum();
        String[] of = new String[size];
        long[] values = new long[size];
        long[] created = new long[size];
        long[] moved = new long[size];
        BitSet decremented = new BitSet();
        int at = 0;
        for (Details one : all) {
            System.arraycopy(one.names(), 0, of, at, one.size());
            System.arraycopy(one.values(), 0, values, at, one.size());
            System.arraycopy(one.createdSeconds(), 0, created, at, one.size());
            System.arraycopy(one.movedSeconds(), 0, moved, at, one.size());
            int begin = at;
            one.decremented().stream()
                    .filter(place -> place < one.size())
                    .forEach(place -> decremented.set(begin + place));
            at += one.size();
        }
        return new Details(of, values, created, moved, decremented, size);
    }

    @Override
    public OptionalLong committed(String name) {
        Ledger of = ledger(name);
        return of == null ? OptionalLong.empty() : of.committed(name);
    }

    @Override
    public @Nullable Explanation explain(String name) {
        Ledger of = ledger(name);
        return of == null ? null : of.explain(name);
    }

    @Override
    public @Nullable Removal remove(String name) {
        Ledger of = ledger(name);
        return of == null ? null : of.remove(name);
    }

    /** Each stream once: every partition knows all streams, and its home partition counts its datagrams. */
    @Override
    public List<StreamReport> reports() {
        Map<String, StreamReport> all = new HashMap<>();
        for (Ledger ledger : ledgers()) {
            ledger.reports().forEach(report -> all.merge(report.sender(), report, OwnedLedgers::together));
        }
        return new ArrayList<>(all.values());
    }

    private static StreamReport together(StreamReport one, StreamReport other) {
        return new StreamReport(
                one.sender(),
                one.whole() && other.whole(),
                one.quarantined() || other.quarantined(),
                one.cloned() || other.cloned(),
                one.counters() + other.counters(),
                one.sent() + other.sent(),
                one.received() + other.received(),
                one.repeated() + other.repeated(),
                one.healed() + other.healed(),
                Math.min(one.quietMillis(), other.quietMillis()));
    }

    @Override
    public int size() {
        return sum(Ledger::size);
    }

    /** The most streams that one of the partitions knows: each is told of all. */
    @Override
    public int streams() {
        return ledgers().stream().mapToInt(Ledger::streams).max().orElse(0);
    }

    @Override
    public int uncommitted() {
        return sum(Ledger::uncommitted);
    }

    @Override
    public int unanswered() {
        return sum(Ledger::unanswered);
    }

    private int sum(ToIntFunction<Ledger> number) {
        return ledgers().stream().mapToInt(number).sum();
    }

    @Override
    public String toString() {
        return "partitions "
                + Arrays.toString(owned.stream().mapToInt(one -> one.number).toArray());
    }
}
