package io.counters.collector.dashboard;

import io.counters.collector.ledger.Snapshot;
import org.jspecify.annotations.Nullable;

/**
 * Every counter at one moment, with what is needed to compute its rate. Its arrays never change once a later moment exists.
 *
 * @param earlier values of some seconds ago, from which rates are computed; null if there are none yet
 * @param movedSeconds the Unix second in which each counter last moved; 0 if that is not known
 */
@SuppressWarnings("ArrayRecordComponent") // A million counters.
record CounterRates(Snapshot now, long nanos, @Nullable Snapshot earlier, long earlierNanos, long[] movedSeconds) {
    private static final double NANOS = 1e9;

    int size() {
        return now.size();
    }

    String name(int counter) {
        return now.names()[counter];
    }

    long value(int counter) {
        return now.values()[counter];
    }

    long movedSecond(int counter) {
        return movedSeconds[counter];
    }

    /** Whether rates are known: they need two moments. */
    boolean hasRates() {
        return earlier != null;
    }

    /** A counter's rate per second, on average over the last 5 to 10 s; 0 if it is not known. */
    double rate(int counter) {
        Snapshot before = earlier;
        if (before == null) {
            return 0;
        }
        // A counter that was created since then started at 0.
        long base = counter < before.size() ? before.values()[counter] : 0;
        return (double) (now.values()[counter] - base) * NANOS / (nanos - earlierNanos);
    }
}
