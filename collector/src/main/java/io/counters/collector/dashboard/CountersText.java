package io.counters.collector.dashboard;

import io.counters.collector.http.Text;
import io.counters.collector.ledger.Snapshot;
import java.util.Arrays;

/**
 * One JSON object with all counters in the order of their names, whose characters need no escaping. In addition to the
 * snapshot it needs four bytes for each counter, for the order.
 */
final class CountersText implements Text {
    private final Snapshot counters;
    private final int[] order;
    private int next;

    CountersText(Snapshot counters) {
        this.counters = counters;
        order = order(counters.names(), counters.size());
    }

    /** A merge sort of the names' indexes; the JDK's would need an object for each. */
    private static int[] order(String[] names, int size) {
        int[] sorted = new int[size];
        Arrays.setAll(sorted, i -> i);
        int[] merged = new int[size];
        for (int run = 1; run < size; run *= 2) {
            for (int low = 0; low < size; low += 2 * run) {
                int middle = Math.min(low + run, size);
                merge(names, sorted, low, middle, Math.min(middle + run, size), merged);
            }
            int[] done = merged;
            merged = sorted;
            sorted = done;
        }
        return sorted;
    }

    private static void merge(String[] names, int[] from, int low, int middle, int high, int[] to) {
        int left = low;
        int right = middle;
        for (int i = low; i < high; i++) {
            boolean takesLeft =
                    right == high || (left < middle && names[from[left]].compareTo(names[from[right]]) <= 0);
            to[i] = from[takesLeft ? left++ : right++];
        }
    }

    @Override
    public boolean append(StringBuilder out) {
        if (next == order.length) {
            out.append(next == 0 ? "{\n}\n" : "\n}\n");
            return false;
        }
        int counter = order[next];
        out.append(next++ == 0 ? "{\n\"" : ",\n\"").append(counters.names()[counter]);
        out.append("\": ").append(counters.values()[counter]);
        return true;
    }
}
