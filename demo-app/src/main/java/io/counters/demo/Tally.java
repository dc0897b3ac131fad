package io.counters.demo;

import java.util.SortedMap;
import java.util.TreeMap;

/** The expected values of the counters by name, computed without any counter. Thread-safe. */
final class Tally {
    private final SortedMap<String, Long> amounts = new TreeMap<>();

    /** Adds an amount of either sign; 0 adds only the name. */
    synchronized void add(String name, long amount) {
        amounts.merge(name, amount, Long::sum);
    }

    /** A copy, by name. */
    synchronized SortedMap<String, Long> amounts() {
        return new TreeMap<>(amounts);
    }

    /** A line {@code name amount} for each name, sorted by name. */
    @Override
    public String toString() {
        StringBuilder lines = new StringBuilder();
        amounts()
                .forEach((name, amount) ->
                        lines.append(name).append(' ').append(amount).append('\n'));
        return lines.toString();
    }
}
