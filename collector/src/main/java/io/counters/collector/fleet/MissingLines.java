package io.counters.collector.fleet;

import io.counters.collector.common.Metrics;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;

/** Lines that their owners do not get: with totals, without, and numbers of datagrams. */
final class MissingLines {
    private final LongAdder totals;
    private final LongAdder amounts;
    private final LongAdder numbers;

    private MissingLines(Function<String, LongAdder> ofKind) {
        totals = ofKind.apply("total");
        amounts = ofKind.apply("amount");
        numbers = ofKind.apply("number");
    }

    /** Those for which there was no room. */
    static MissingLines dropped(Metrics metrics) {
        return new MissingLines(kind -> metrics.count(
                "fleet_dropped_lines_total",
                "Lines that were dropped because there was no room for them until Kafka takes them, by kind.",
                "kind",
                kind));
    }

    /** Those that Kafka did not take. */
    static MissingLines lost(Metrics metrics) {
        return new MissingLines(kind -> metrics.count(
                "fleet_lost_lines_total",
                "Lines, after merging, that Kafka refused or did not acknowledge in time, by kind.",
                "kind",
                kind));
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
