package io.counters.collector.query;

import io.counters.collector.http.RequestException;
import java.util.List;

/**
 * Aggregates the series of a group. There is a value at each time at which one of them has a point; the others are
 * interpolated there. A series counts from its first point to its last one. Rates are not interpolated: the previous rate
 * applies.
 */
final class Merge {
    private static final int UNCHECKED = 100_000;

    private final List<Points> series;
    private final boolean isRate;
    private final AggregateFunction aggregator;
    private final TimeWindow window;
    private final Budget budget;

    /** The next point, and the one before it; -1 if the series has not begun or has ended. */
    private final int[] next;

    private final int[] before;

    private final boolean isInteger;
    private final long[] integers;
    private final double[] reals;

    Merge(List<Points> series, boolean isRate, AggregateFunction aggregator, TimeWindow window, Budget budget) {
        this.series = series;
        this.isRate = isRate;
        this.aggregator = aggregator;
        this.window = window;
        this.budget = budget;
        isInteger = series.stream().allMatch(points -> points.isInteger);
        next = new int[series.size()];
        before = new int[series.size()];
        integers = new long[series.size()];
        reals = new double[series.size()];
    }

    Points merged() {
        int longest = 0;
        for (int i = 0; i < next.length; i++) {
            Points points = series.get(i);
            next[i] = points.first(window.fromMillis());
            before[i] = -1;
            if (isRate && next[i] < points.size) {
                before[i] = next[i]++;
            }
            longest = Math.max(longest, points.size);
        }
        Points.Builder merged = new Points.Builder(longest, isInteger);
        int unchecked = 0;
        for (long millis = step(); millis != Long.MAX_VALUE; millis = step()) {
            if (window.answers(millis) && isInteger) {
                merged.addInteger(millis, integer(millis));
            } else if (window.answers(millis)) {
                merged.add(millis, real(millis));
            }
            unchecked += next.length;
            if (unchecked > UNCHECKED) {
                unchecked = 0;
                budget.check();
            }
        }
        return merged.build();
    }

    /** Moves on to the next time; {@link Long#MAX_VALUE} at the end. */
    private long step() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < next.length; i++) {
            Points points = series.get(i);
            if (next[i] < points.size) {
                least = Math.min(least, points.millis[next[i]]);
            } else {
                before[i] = -1;
            }
        }
        for (int i = 0; i < next.length && least != Long.MAX_VALUE; i++) {
            Points points = series.get(i);
            if (next[i] < points.size && points.millis[next[i]] == least) {
                before[i] = next[i]++;
            }
        }
        return least;
    }

    private long integer(long millis) {
        int size = 0;
        for (int i = 0; i < before.length; i++) {
            if (before[i] >= 0) {
                Points points = series.get(i);
                int at = before[i];
                integers[size++] = points.millis[at] == millis
                        ? points.integer(at)
                        : aggregator
                                .interpolation()
                                .integer(
                                        millis,
                                        points.millis[at],
                                        points.integer(at),
                                        points.millis[next[i]],
                                        points.integer(next[i]));
            }
        }
        return aggregator.integer(integers, 0, size);
    }

    private double real(long millis) {
        int size = 0;
        for (int i = 0; i < before.length; i++) {
            if (before[i] >= 0) {
                Points points = series.get(i);
                int at = before[i];
                reals[size++] = isRate || points.millis[at] == millis
                        ? points.real(at)
                        : aggregator
                                .interpolation()
                                .real(
                                        millis,
                                        points.millis[at],
                                        points.real(at),
                                        points.millis[next[i]],
                                        points.real(next[i]));
            }
        }
        double value = aggregator.real(reals, 0, size);
        if (Double.isInfinite(value)) {
            throw RequestException.bad("the result of the aggregator " + aggregator + " is infinite at " + millis
                    + " ms, which JSON cannot contain; use another one");
        }
        return value;
    }
}
