package io.counters.collector.ledger;

import io.counters.collector.common.AddressKey;
import io.counters.collector.common.SeededHash;
import io.counters.wire.Verb;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger remembers of one sender's stream: the watermark of each verb of each counter that it ever sent.
 * Counters have a place in the stream, which is an index into two arrays of longs; an open table of ints finds it.
 */
public final class InboundStream {
    /** In place of a watermark: there is none. */
    static final long NONE = -1;

    /** While a stream sends nothing new, the time when it was last heard is committed only this often. */
    static final long HEARD_EVERY_MILLIS = 600_000;

    private static final int[] NO_PLACES = {};
    private static final byte[] NO_BYTES = {};
    private static final long MIXING = 0x9e37_79b9_7f4a_7c15L;

    int id;
    final String sender;
    boolean whole;
    boolean quarantined;

    /** When it began and when it was last heard, in time spent listening; -1 if it is not known when it began. */
    long bornMillis = NONE;

    long heardMillis;

    /** How often it sent: datagrams; over TCP, what arrives at once counts as one. After a restart, its datagrams. */
    long said;

    /** Its sender's address, as an {@link AddressKey}. */
    long address = AddressKey.UNKNOWN;

    /** The datagrams that arrived, by their numbers. */
    Arrivals arrivals;

    /** What {@link ClonedStreams} knows of it: the order of the present datagram, and a line that may show a clone. */
    ClonedStreams.Order order = ClonedStreams.Order.OLDER;

    int suspect;

    /** Whether two senders seem to continue it, and when that was noted last. */
    boolean cloned;

    long clonedMillis;

    /** In a fleet, what is known of the order of its lines; null before lines with numbers have come. */
    @Nullable
    DatagramNumbers numbers;

    /** Amounts that only totals brought: increments and decrements that were lost on the way. */
    long healed;

    /** Whether it is in the list of changed streams; and when it was last heard, as committed. */
    boolean noted;

    long committedHeardMillis;
    private long committedState;

    /** Whether the ledger remembers it; false as long as no total of it was applied. */
    boolean remembered;

    /** Whether its lines are never heard again once they were taken: they wait if it cannot be remembered. */
    boolean once;

    /** Whether its present lines come from a port for datagrams, where they may come again with a correct signature. */
    boolean fromDatagrams = true;

    /** Whether it was forgotten: a caller that still has it must get it from the ledger again. */
    boolean dropped;

    private int[] slots = new int[16];
    private int[] counters = new int[8];
    private long[] increments = new long[8];
    private long @Nullable [] decrements;
    private int size;
    private final BitSet changed = new BitSet();

    /**
     * The part of the totals of each counter, increments less decrements, that is not in its value; null if there is none.
     */
    private long @Nullable [] uncounted;

    private @Nullable BitSet changedUncounted;

    /** At how many places {@link #uncounted} is not 0. */
    private int uncountedSize;

    /** Odd, and secret, because the sender of a stream chooses which counters are in it. */
    private final int factor;

    InboundStream(int id, String sender, boolean whole, Arrivals arrivals, SeededHash hashing) {
        this.id = id;
        this.sender = sender;
        this.whole = whole;
        this.arrivals = arrivals;
        factor = (int) hashing.of(NO_BYTES, 0, 0) | 1;
    }

    /** Makes its lines wait if it cannot be remembered: all come in this {@link Ledger#batch}, each amount is its total. */
    public void comeOnce() {
        once = true;
    }

    /** In a fleet: its lines came by HTTP, where nobody can send them again, and nobody does once they were taken. */
    public void comeByHttp() {
        fromDatagrams = false;
    }

    /** In a fleet: its next lines in this {@link Ledger#batch} are of datagrams with these numbers, from 1. */
    public void among(long first, long last) {
        numbers = numbers == null ? new DatagramNumbers() : numbers;
        order = numbers.begin(first, last);
    }

    /**
     * When it began, or, if that is not known, was last heard. A signed datagram makes its stream look younger than it is by
     * at most the time for which its signature is accepted, so one that began later than that is another one, and whole.
     */
    long beganAtLatest() {
        return bornMillis == NONE ? heardMillis : Math.min(bornMillis, heardMillis);
    }

    /** Called when the ledger begins to remember it. */
    void begin(int number, boolean isWhole, long nowMillis) {
        id = number;
        whole = isWhole;
        remembered = true;
        said = 1;
        heardMillis = nowMillis;
        committedHeardMillis = nowMillis;
        long seq = arrivals.highest();
        if (seq > 0) {
            countFrom(seq);
            arrivals.add(seq);
        }
    }

    /** Counts the datagrams, of which the one with this number was the first that arrived. */
    void countFrom(long seq) {
        arrivals = new Arrivals(whole && seq <= Arrivals.AHEAD_MAX ? 0 : seq - 1);
    }

    /** How many counters it has a watermark for. */
    int size() {
        return size;
    }

    /** The place of this counter's watermarks, or -1; places never change. */
    int place(int counter) {
        int mask = slots.length - 1;
        for (int i = slot(counter, mask); slots[i] != 0; i = (i + 1) & mask) {
            if (counters[slots[i] - 1] == counter) {
                return slots[i] - 1;
            }
        }
        return -1;
    }

    /** The number of the counter at this place. */
    int counterAt(int place) {
        return counters[place];
    }

    /** The highest total applied at this place, or {@link #NONE}. */
    long watermarkAt(int place, Verb verb) {
        long[] watermarks = watermarks(verb);
        return watermarks == null ? NONE : watermarks[place];
    }

    /** Sets a watermark at its counter's place. */
    void setWatermarkAt(int place, Verb verb, long total) {
        long[] watermarks = watermarks(verb);
        if (watermarks == null && total != NONE) {
            watermarks = new long[counters.length];
            Arrays.fill(watermarks, NONE);
            decrements = watermarks;
        }
        if (watermarks != null) {
            watermarks[place] = total;
        }
        if (numbers != null) {
            numbers.raised(DatagramNumbers.line(place, verb));
        }
        changed.set(place);
    }

    /** Sets a watermark, and makes a place for the counter if it has none. */
    void setWatermark(int counter, Verb verb, long total) {
        int place = place(counter);
        setWatermarkAt(place < 0 ? add(counter) : place, verb, total);
    }

    /** The part of the totals at this place, increments less decrements, that is not in the counter's value. */
    long uncountedAt(int place) {
        return uncounted == null ? 0 : uncounted[place];
    }

    /** Sets {@link #uncountedAt}. */
    void setUncountedAt(int place, long amount) {
        long before = uncountedAt(place);
        if (amount == before) {
            return;
        }
        if (uncounted == null || changedUncounted == null) {
            uncounted = new long[counters.length];
            changedUncounted = new BitSet();
        }
        uncounted[place] = amount;
        uncountedSize += (amount == 0 ? 0 : 1) - (before == 0 ? 0 : 1);
        changedUncounted.set(place);
    }

    /** Increments less decrements at this place, as the totals have them. */
    long netTotalAt(int place) {
        return Math.max(0, watermarkAt(place, Verb.INCREMENT)) - Math.max(0, watermarkAt(place, Verb.DECREMENT));
    }

    /** How much of the totals at this place is in the counter's value. */
    long appliedAt(int place) {
        return netTotalAt(place) - uncountedAt(place);
    }

    /** What the totals at this place have to do with their counter's value. */
    Explanation.Part part(int place, long nowMillis) {
        return new Explanation.Part(
                sender,
                Math.max(0, watermarkAt(place, Verb.INCREMENT)),
                Math.max(0, watermarkAt(place, Verb.DECREMENT)),
                appliedAt(place),
                nowMillis - heardMillis,
                arrivals.lost(),
                healed,
                whole,
                quarantined);
    }

    /** Its present state, for display. */
    StreamReport report(long nowMillis) {
        return new StreamReport(
                sender,
                whole,
                quarantined,
                cloned,
                size,
                arrivals.sent(),
                arrivals.received(),
                arrivals.repeated(),
                healed,
                nowMillis - heardMillis);
    }

    /** Restores what an earlier run committed; all watermarks are restored. */
    void restore(Changes.Uncounted committed) {
        for (int i = 0; i < committed.counters().length; i++) {
            int place = place(committed.counters()[i]);
            if (place >= 0) {
                setUncountedAt(place, committed.amounts()[i]);
            }
        }
    }

    /** Marks these watermarks as changed again, because their commit failed. */
    void putBack(Changes.Watermarks failed) {
        for (int counter : failed.counters()) {
            changed.set(place(counter));
        }
        putBack(failed.uncounted());
        committedState = failed.isRowChanged() ? 0 : committedState;
    }

    private void putBack(Changes.Uncounted failed) {
        for (int counter : failed.counters()) {
            if (changedUncounted != null) {
                changedUncounted.set(place(counter));
            }
        }
    }

    /**
     * Takes what changed since the last call.
     *
     * @param atOnce how many watermarks, by their places, are taken together if one of them changed; beyond 1, a stream that
     *     was only heard has not changed, unless that was long ago
     */
    Changes.Watermarks takeChanges(int atOnce) {
        if (atOnce > 1) {
            changeTogether(atOnce);
        }
        int count = changed.cardinality();
        int[] places = atOnce == 1 ? NO_PLACES : new int[count];
        int[] changedCounters = new int[count];
        long[] ups = new long[count];
        long[] downs = new long[count];
        int i = 0;
        for (int place = changed.nextSetBit(0); place >= 0; place = changed.nextSetBit(place + 1)) {
            if (atOnce > 1) {
                places[i] = place;
            }
            changedCounters[i] = counters[place];
            ups[i] = increments[place];
            downs[i] = decrements == null ? NONE : decrements[place];
            i++;
        }
        changed.clear();
        long state = state();
        boolean isRowChanged =
                atOnce == 1 || state != committedState || heardMillis - committedHeardMillis > HEARD_EVERY_MILLIS;
        if (isRowChanged) {
            committedState = state;
            committedHeardMillis = heardMillis;
        }
        return new Changes.Watermarks(
                new Changes.StreamRow(id, sender, whole, quarantined, heardMillis, said, arrivals.copy(), healed),
                isRowChanged,
                places,
                changedCounters,
                ups,
                downs,
                takeUncounted(),
                size,
                uncountedSize);
    }

    private void changeTogether(int atOnce) {
        if (uncounted != null && changedUncounted != null) {
            changed.or(changedUncounted);
        }
        for (int place = changed.nextSetBit(0); place >= 0; ) {
            int end = Math.min(size, place - place % atOnce + atOnce);
            changed.set(place - place % atOnce, end);
            place = changed.nextSetBit(end);
        }
        if (uncounted != null && changedUncounted != null) {
            for (int place = changed.nextSetBit(0); place >= 0; place = changed.nextSetBit(place + 1)) {
                changedUncounted.set(place, uncounted[place] != 0);
            }
        }
    }

    /** A hash of what a commit contains of the stream besides its watermarks and when it was heard; never 0. */
    private long state() {
        long state = (whole ? 1L : 2L) + (quarantined ? 4L : 0L);
        for (long part : new long[] {
            healed, arrivals.before(), arrivals.highest(), arrivals.received(), arrivals.repeated(), arrivals.window()
        }) {
            state = (state ^ part) * MIXING;
            state ^= state >>> 32;
        }
        return state | 1;
    }

    private Changes.Uncounted takeUncounted() {
        if (uncounted == null || changedUncounted == null || changedUncounted.isEmpty()) {
            return Changes.Uncounted.NONE;
        }
        int[] places = changedUncounted.stream().toArray();
        changedUncounted.clear();
        int[] of = new int[places.length];
        long[] amounts = new long[places.length];
        for (int i = 0; i < places.length; i++) {
            of[i] = counters[places[i]];
            amounts[i] = uncounted[places[i]];
        }
        return new Changes.Uncounted(of, amounts);
    }

    private long @Nullable [] watermarks(Verb verb) {
        return verb == Verb.INCREMENT ? increments : decrements;
    }

    /** Makes a place for the watermarks of a counter that has none. */
    int add(int counter) {
        if (size == counters.length) {
            int length = size + (size >> 1);
            increments = Arrays.copyOf(increments, length);
            if (decrements != null) {
                decrements = Arrays.copyOf(decrements, length);
                Arrays.fill(decrements, size, length, NONE);
            }
            if (uncounted != null) {
                uncounted = Arrays.copyOf(uncounted, length);
            }
            // The last one, because the other ones must not be shorter if there is no memory.
            counters = Arrays.copyOf(counters, length);
        }
        if (4 * (size + 1) > 3 * slots.length) {
            slots = new int[2 * slots.length];
            for (int place = 0; place < size; place++) {
                seat(place);
            }
        }
        counters[size] = counter;
        increments[size] = NONE;
        // A commit states how many watermarks there are, so it must have this one.
        changed.set(size);
        seat(size);
        return size++;
    }

    private void seat(int place) {
        int mask = slots.length - 1;
        int i = slot(counters[place], mask);
        while (slots[i] != 0) {
            i = (i + 1) & mask;
        }
        slots[i] = place + 1;
    }

    private int slot(int counter, int mask) {
        int mixed = counter * factor;
        return (mixed ^ (mixed >>> 16)) & mask;
    }
}
