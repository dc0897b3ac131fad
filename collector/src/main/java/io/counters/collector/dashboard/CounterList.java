package io.counters.collector.dashboard;

import io.counters.collector.ledger.CounterOrder;
import java.util.Arrays;
import java.util.function.IntToLongFunction;

/**
 * The counters that one query finds, in its order; shared by all tabs with this query. Used by one thread at a time.
 *
 * <p>New counters are added, and counters that move are sorted again, only so often that sorting takes at most a twentieth
 * of a processor core, however many counters there are.
 */
final class CounterList {
    private static final long RESORT_NANOS = 2_000_000_000L;
    private static final int REST = 20;

    private final CounterQuery query;

    /** The counters found, in the order of their names. */
    private int[] byName = {};

    private int[] order = {};
    private int looked;
    private int[] unsorted = {};
    private int unsortedSize;
    private boolean isSorted;
    private boolean hadRates;
    private long sortedNanos;
    private long sortingNanos;
    private int version;

    CounterList(CounterQuery query) {
        this.query = query;
    }

    /** How many counters it has. */
    int size() {
        return order.length;
    }

    /** The counter in a row. */
    int counter(int row) {
        return order[row];
    }

    /** A number that changes when the order does. */
    int version() {
        return version;
    }

    /** Starts again, because counters have new numbers. */
    void reset() {
        byName = new int[0];
        looked = 0;
        unsortedSize = 0;
        isSorted = false;
    }

    void update(CounterRates moment, long now) {
        for (; looked < moment.size(); looked++) {
            if (query.takes(moment.name(looked))) {
                if (unsortedSize == unsorted.length) {
                    unsorted = Arrays.copyOf(unsorted, Math.max(16, 2 * unsortedSize));
                }
                unsorted[unsortedSize++] = looked;
            }
        }
        boolean moves = query.sort() != CounterQuery.Sort.NAME;
        boolean isFirstRate = query.sort() == CounterQuery.Sort.RATE && moment.hasRates() && !hadRates;
        boolean isRested = now - sortedNanos >= REST * sortingNanos;
        boolean isDue = moves && now - sortedNanos >= RESORT_NANOS;
        if (!isSorted || isFirstRate || (isRested && (isDue || unsortedSize > 0))) {
            sort(moment);
            hadRates = moment.hasRates();
            isSorted = true;
            sortedNanos = now;
        }
    }

    /** Remembers how long {@link #update} took, if it sorted. */
    void updated(long begun, long now) {
        if (sortedNanos == begun) {
            sortingNanos = now - begun;
        }
    }

    private void sort(CounterRates moment) {
        if (unsortedSize > 0) {
            int[] all = Arrays.copyOf(byName, byName.length + unsortedSize);
            System.arraycopy(unsorted, 0, all, byName.length, unsortedSize);
            byName = CounterOrder.sorted(all, (one, other) -> moment.name(one).compareTo(moment.name(other)));
            unsorted = new int[0];
            unsortedSize = 0;
        }
        int[] next = switch (query.sort()) {
            case NAME -> named();
            case VALUE -> by(moment::value);
            case RATE -> by(counter -> sortable(moment.rate(counter)));
            case MOVED -> by(moment::movedSecond);
        };
        if (!Arrays.equals(order, next)) {
            order = next;
            version++;
        }
    }

    private int[] named() {
        if (!query.isDescending()) {
            return byName;
        }
        int[] reversed = new int[byName.length];
        for (int i = 0; i < reversed.length; i++) {
            reversed[i] = byName[byName.length - 1 - i];
        }
        return reversed;
    }

    /** Equal counters stay sorted by name. */
    private int[] by(IntToLongFunction key) {
        int sign = query.isDescending() ? -1 : 1;
        return CounterOrder.sorted(
                byName.clone(), (one, other) -> sign * Long.compare(key.applyAsLong(one), key.applyAsLong(other)));
    }

    /** A number that sorts like the rates; it is equal for rates that look equal on the page. */
    private static long sortable(double rate) {
        return Math.round(rate * 1000);
    }
}
