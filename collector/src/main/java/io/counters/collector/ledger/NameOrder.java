package io.counters.collector.ledger;

/** The order of counters by name, four bytes a counter. */
public final class NameOrder {
    private NameOrder() {}

    /**
     * Sorts numbers of names by the names. A merge sort of our own, because the JDK's would need an object for each number.
     *
     * @param some is changed
     */
    public static int[] of(String[] names, int[] some) {
        int size = some.length;
        int[] sorted = some;
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
}
