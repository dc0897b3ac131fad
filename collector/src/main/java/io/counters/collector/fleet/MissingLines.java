package io.counters.collector.fleet;

import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/** Lines that their owners do not get: with totals, without, and numbers of datagrams. */
final class MissingLines {
    private final LongAdder totals;
    private final LongAdder amounts;
    private final LongAdder numbers;

    MissingLines(Function<String, LongAdder> ofKind) {
        totals = ofKind.apply("total");
        amounts = ofKind.apply("amount");
        numbers = ofKind.apply("number");
    }

    void add(long ofTotals, long ofAmounts, long ofNumbers) {
        totals.add(ofTotals);
        amounts.add(ofAmounts);
        numbers.add(ofNumbers);
    }

    /** How many, without the numbers. */
    long sum() {
        return totals.sum() + amounts.sum();
    }
}
