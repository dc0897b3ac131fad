package io.counters.benchmarks.collector;

import java.util.Arrays;
import java.util.Locale;

/**
 * A line of the table.
 *
 * @param yardstick the same of the sink; empty where there is none
 * @param ratio of the two; empty where there is none
 * @param asked what the collector is to reach; empty where nothing is
 */
record Row(String what, String collector, String yardstick, String ratio, String asked) {
    /** Of something that no sink does. */
    Row(String what, String collector, String asked) {
        this(what, collector, "", "", asked);
    }

    static String head() {
        return "| what | collector | sink | ratio | asked |\n| --- | --- | --- | --- | --- |";
    }

    String markdown() {
        return "| " + String.join(" | ", what, collector, yardstick, ratio, asked) + " |";
    }

    static String text(String format, Object... of) {
        return String.format(Locale.ROOT, format, of);
    }

    static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
