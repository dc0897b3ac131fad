package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Metrics;
import io.counters.wire.Commands;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/**
 * The counters by their numbers: names, values, rests, and what else is known of them, now and as committed. Decides which new
 * names get room. The ledger's lock protects it.
 */
final class CounterTable {
    private final LedgerSettings bounds;
    private final ListeningClock listening;

    /** Numbers the counters densely: everything else here has an entry for each of these numbers. None is ever removed. */
    private final NameTable names;

    private final Values values;

    /**
     * The rest of each counter beyond its value, in parts of {@link Commands#ONE}: from minus one half to below one
     * half.
     */
    private final Values rests;

    private final CounterFacts facts;

    /** The counters that differ from the last commit taken. */
    private BitSet changed = new BitSet();

    /** The counters in the commit that is being written; none if none is. */
    private BitSet committing = new BitSet();

    /** The counters with numbers below this are in the last commit. */
    private int committedSize;

    /** The memory that new names may still take in this minute. */
    private final MinuteBudget newNames;

    private final LongAdder applied;
    private final LongAdder saturated;

    /** Log messages about sums that reached the end of the range: the first of each kind. */
    private final List<String> saturations = new ArrayList<>();

    /** @param state taken over */
    CounterTable(LedgerSettings bounds, ListeningClock listening, LedgerState state, Metrics metrics) {
        this.bounds = bounds;
        this.listening = listening;
        names = state.names;
        values = state.values;
        rests = state.rests;
        facts = state.facts;
        committedSize = names.size();
        newNames = new MinuteBudget(bounds.newNamesBytes());
        applied = metrics.count("ledger_applied_lines_total", "Lines that changed a counter.");
        saturated = metrics.count(
                "ledger_saturated_lines_total",
                "Lines that were not added, because they would lead out of the range of 64 bits.");
    }

    // Names

    /** The number of the counter with this name; -1 if there is none. */
    int find(byte[] name, int begin, int end) {
        return names.find(name, begin, end);
    }

    /** The same. */
    int find(String name) {
        byte[] bytes = name.getBytes(ISO_8859_1);
        return names.find(bytes, 0, bytes.length);
    }

    /** The number of a counter that is not removed; -1 if there is none. */
    int shown(String name) {
        int counter = find(name);
        return counter >= 0 && !facts.isRemoved(counter) ? counter : -1;
    }

    /** Whether there is no room for a new name of this length, however long it waits. */
    boolean isFull(int length) {
        return names.memory() + NameTable.memory(length) > bounds.namesBytes();
    }

    /** Whether there is room for a new name of this length now. */
    boolean hasRoom(int length) {
        return NameTable.memory(length) <= newNames.left(listening.millis()) && !isFull(length);
    }

    /** Adds a name for which there is room. */
    int admit(byte[] name, int begin, int end) {
        newNames.take(NameTable.memory(end - begin));
        return add(name, begin, end);
    }

    /** Adds a name that is not in the table, however little room is left; returns its number. */
    int add(byte[] name, int begin, int end) {
        int counter = names.add(name, begin, end);
        changed.set(counter);
        values.add(counter);
        rests.add(counter);
        facts.add(counter);
        return counter;
    }

    // Values

    /** Applies a difference that was counted. */
    void apply(int counter, long difference) {
        applied.increment();
        move(counter, difference);
        facts.applied(counter, difference);
    }

    /** Applies an amount that is not a whole number, rounded down, and what it has beyond that. */
    void apply(int counter, long integer, long rest) {
        boolean carries = rests.get(counter) + rest >= Commands.ONE / 2;
        rests.move(counter, carries ? rest - Commands.ONE : rest);
        if (integer < 0) {
            facts.decrement(counter);
        }
        apply(counter, carries ? integer + 1 : integer);
    }

    /** Adds what was found in the store before the first push there. */
    void adopt(int counter, long value) {
        move(counter, value);
        facts.adopt(counter, value);
    }

    private void move(int counter, long difference) {
        changed.set(counter);
        if (!values.move(counter, difference)) {
            saturate(counter, difference);
        }
    }

    private void saturate(int counter, long difference) {
        saturated.increment();
        if (saturations.isEmpty()) {
            saturations.add("counter " + names.name(counter) + " stays at " + values.get(counter) + ": adding "
                    + difference + " would exceed its range, -2^63 to 2^63-1; find the sender of far"
                    + " too large amounts");
        }
    }

    /** Returns the log messages about sums that reached the end of the range since the last call. */
    List<String> takeSaturations() {
        List<String> taken = List.copyOf(saturations);
        saturations.clear();
        return taken;
    }

    /** Removes a counter; it keeps its number. */
    void remove(int counter) {
        values.reset(counter);
        rests.reset(counter);
        facts.remove(counter);
        changed.set(counter);
    }

    // Commits

    /** Makes the next commit contain a counter. */
    void note(int counter) {
        changed.set(counter);
    }

    boolean isChanged() {
        return !changed.isEmpty() || facts.isChanged();
    }

    /**
     * Takes what the next commit must write.
     *
     * @param second in which it creates the new counters
     * @param claimed the counters whose keys in the store are claimed
     */
    Changes.Counters take(int second, BitSet claimed) {
        committing = changed;
        changed = new BitSet(names.size());
        int[] blocks = Values.blocks(committing);
        return new Changes.Counters(
                names.names(),
                committedSize,
                names.size(),
                committing,
                blocks,
                values.take(blocks),
                rests.takeChanged(blocks),
                claimed,
                values.committed(blocks),
                facts.isChanged() ? facts.take(second) : Changes.Facts.AS_BEFORE);
    }

    /** Called when what was taken is committed. */
    void committed(Changes.Counters counters) {
        committedSize = counters.size();
        values.committed(counters.blocks(), counters.values());
        rests.committed(counters.blocks(), counters.rests());
        committing = new BitSet();
        if (counters.facts().blocks().length > 0) {
            facts.committed();
        }
    }

    /** Called when what was taken did not reach the disk. */
    void putBack(Changes.Counters counters) {
        committing = new BitSet();
        changed.or(counters.changed());
        facts.putBack();
    }

    /** The counters with changes that are not committed. */
    BitSet uncommitted() {
        BitSet all = (BitSet) changed.clone();
        all.or(committing);
        return all;
    }

    /** The counters that are removed, as committed; callers must not change it. */
    BitSet committedRemoved() {
        return facts.committedRemoved();
    }

    // What is known of the counters

    /** How many have a number. */
    int size() {
        return names.size();
    }

    /** How many are removed. */
    int removed() {
        return facts.removed();
    }

    long memory() {
        return names.memory();
    }

    String name(int counter) {
        return names.name(counter);
    }

    long value(int counter) {
        return values.get(counter);
    }

    long rest(int counter) {
        return rests.get(counter);
    }

    /** The committed value; 0 if no commit contains the counter. */
    long committed(int counter) {
        return counter < committedSize ? values.committed(counter) : 0;
    }

    /** The committed value of a counter that is in {@link #shared()}. */
    OptionalLong committed(String name) {
        int counter = find(name);
        boolean isShown = counter >= 0
                && counter < committedSize
                && !facts.committedRemoved().get(counter);
        return isShown ? OptionalLong.of(values.committed(counter)) : OptionalLong.empty();
    }

    /** For reading; to change them, use the methods above. */
    CounterFacts facts() {
        return facts;
    }

    /**
     * How this counter came to its value.
     *
     * @param parts what streams have to do with it
     */
    Explanation explain(int counter, LastMoves moves, StreamParts parts) {
        return new Explanation(
                names.name(counter),
                value(counter),
                committed(counter),
                facts.createdSecond(counter),
                Math.max(facts.createdSecond(counter), moves.second(counter)),
                facts.isDecremented(counter),
                facts.adopted(counter),
                parts.largest(),
                parts.leftOut(),
                parts.appliedLeftOut(),
                value(counter) - facts.adopted(counter) - parts.applied());
    }

    /** What is committed. */
    SnapshotParts shared() {
        return SnapshotParts.of(names.names(), values.committed(), committedSize, facts.committedRemoved());
    }

    /** These with what else is known; to be called without the lock, so that intake does not wait. */
    Supplier<Details> detailed(SnapshotParts parts, LastMoves moves) {
        int[][] created = facts.created();
        BitSet decremented = facts.decremented();
        return () -> parts.details(created, moves, decremented);
    }

    /** What will be committed with what was taken last. */
    SnapshotParts shared(Changes.Counters counters) {
        long[][] next = values.committed();
        for (int i = 0; i < counters.blocks().length; i++) {
            next[counters.blocks()[i]] = counters.values()[i];
        }
        boolean isAsBefore = counters.facts().blocks().length == 0;
        return SnapshotParts.of(
                names.names(),
                next,
                counters.size(),
                isAsBefore ? facts.committedRemoved() : facts.committingRemoved());
    }

    // Import

    /** Adds a counter of another ledger, whose name is not in the table, with the number that the row has. */
    void append(Changes.CounterRow row) {
        LedgerState.restore(row, names, values, rests, facts);
        facts.note(row.id());
        changed.set(row.id());
    }

    /** Adds to a counter what another ledger has counted under its name. */
    void add(int counter, Changes.CounterRow row) {
        facts.add(counter, row);
        long rest = rests.get(counter) + row.rest();
        long carry = rest >= Commands.ONE / 2 ? 1 : rest < -Commands.ONE / 2 ? -1 : 0;
        rests.move(counter, row.rest() - carry * Commands.ONE);
        addTo(counter, row.value());
        addTo(counter, carry);
    }

    /** @throws IllegalArgumentException if the sum exceeds the range */
    void addTo(int counter, long difference) {
        if (!values.move(counter, difference)) {
            throw new IllegalArgumentException(
                    "the sum of the counter " + names.name(counter) + " would exceed its range, -2^63 to 2^63-1");
        }
        changed.set(counter);
    }
}
