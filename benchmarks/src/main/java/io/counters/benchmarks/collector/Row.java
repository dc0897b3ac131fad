package io.counters.benchmarks.collector;

import java.util.Arrays;
import java.util.Locale;

/**
 * A row of the table.
 *
 * @param yardstick the sink's result; empty if there is none
 * @param ratio of the two results; empty if there is no sink
 * @param asked the collector's target; empty if there is none
 */
record Row(String what, String collector, String yardstick, String ratio, String asked) {
    /** A row without a sink. */
    Row(String what, String collector, String asked) {
        this(what, collector, "", "", asked);
    }

    static String head() {
        return "| what | collector | sink | ratio | target |\n| --- | --- | --- | --- | --- |";
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
