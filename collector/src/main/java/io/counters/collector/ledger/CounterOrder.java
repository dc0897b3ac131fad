package io.counters.collector.ledger;

import java.util.function.IntBinaryOperator;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Sorts numbers of counters. The JDK's sort with a comparator would need an object for each. */
public final class CounterOrder {
    private CounterOrder() {}

    /** The numbers of those counters whose names are taken, in the order of the names. */
    public static int[] byName(Snapshot counters, Predicate<String> taken) {
        String[] names = counters.names();
        return sorted(
                IntStream.range(0, counters.size())
                        .filter(counter -> taken.test(names[counter]))
                        .toArray(),
                (one, other) -> names[one].compareTo(names[other]));
    }

    /**
     * A stable merge sort.
     *
     * @param some will be overwritten; use only the result
     * @param compare as a comparator
     */
    public static int[] sorted(int[] some, IntBinaryOperator compare) {
        int size = some.length;
        int[] sorted = some;
        int[] merged = new int[size];
        for (int run = 1; run < size; run *= 2) {
            for (int low = 0; low < size; low += 2 * run) {
                int middle = Math.min(low + run, size);
                merge(sorted, low, middle, Math.min(middle + run, size), merged, compare);
            }
            int[] done = merged;
            merged = sorted;
            sorted = done;
        }
        return sorted;
    }

    private static void merge(int[] from, int low, int middle, int high, int[] to, IntBinaryOperator compare) {
        int left = low;
        int right = middle;
        for (int i = low; i < high; i++) {
            boolean takesLeft = right == high || (left < middle && compare.applyAsInt(from[left], from[right]) <= 0);
            to[i] = from[takesLeft ? left++ : right++];
        }
    }
}
