package io.counters.collector.query;

import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Combines several values into one: those of an interval, or those of several series at one time. The result of whole numbers
 * is a whole number: their average, for example, is truncated. Among other numbers, NaN means that there is no value.
 */
final class AggregateFunction {
    private static final Map<String, AggregateFunction> ALL = new TreeMap<>();

    /** Leaves each series on its own. */
    static final AggregateFunction NONE =
            add("none", Interpolation.ZERO, (v, from, to) -> v[from], (v, from, to) -> v[from]);

    static {
        add("sum", Interpolation.LINE, AggregateFunction::sum, AggregateFunction::sum);
        add("zimsum", Interpolation.ZERO, AggregateFunction::sum, AggregateFunction::sum);
        add("pfsum", Interpolation.PREVIOUS, AggregateFunction::sum, AggregateFunction::sum);
        add("squareSum", Interpolation.ZERO, AggregateFunction::squareSum, AggregateFunction::squareSum);
        add("min", Interpolation.LINE, AggregateFunction::min, AggregateFunction::min);
        add("mimmin", Interpolation.MOST, AggregateFunction::min, AggregateFunction::min);
        add("max", Interpolation.LINE, AggregateFunction::max, AggregateFunction::max);
        add("mimmax", Interpolation.LEAST, AggregateFunction::max, AggregateFunction::max);
        add("avg", Interpolation.LINE, (v, from, to) -> sum(v, from, to) / (to - from), AggregateFunction::average);
        add("median", Interpolation.LINE, AggregateFunction::median, AggregateFunction::median);
        add("mult", Interpolation.LINE, AggregateFunction::product, AggregateFunction::product);
        add(
                "dev",
                Interpolation.LINE,
                (v, from, to) -> (long) deviation(reals(v, from, to), 0, to - from),
                AggregateFunction::deviation);
        add("diff", Interpolation.LINE, (v, from, to) -> v[to - 1] - v[from], AggregateFunction::difference);
        add("count", Interpolation.ZERO, (v, from, to) -> to - from, AggregateFunction::count);
        add("first", Interpolation.ZERO, (v, from, to) -> v[from], (v, from, to) -> v[from]);
        add("last", Interpolation.ZERO, (v, from, to) -> v[to - 1], (v, from, to) -> v[to - 1]);
        for (String digits : new String[] {"50", "75", "90", "95", "99", "999"}) {
            double part = (digits.equals("999") ? 99.9 : Double.parseDouble(digits)) / 100;
            addPercentile("p" + digits, part, Position.LEGACY);
            addPercentile("ep" + digits + "r3", part, Position.R3);
            addPercentile("ep" + digits + "r7", part, Position.R7);
        }
    }

    private final String name;
    private final Interpolation interpolation;
    private final Integers integers;
    private final Reals reals;

    @FunctionalInterface
    private interface Integers {
        long of(long[] values, int from, int to);
    }

    @FunctionalInterface
    private interface Reals {
        double of(double[] values, int from, int to);
    }

    private AggregateFunction(String name, Interpolation interpolation, Integers integers, Reals reals) {
        this.name = name;
        this.interpolation = interpolation;
        this.integers = integers;
        this.reals = reals;
    }

    private static AggregateFunction add(String name, Interpolation interpolation, Integers integers, Reals reals) {
        AggregateFunction added = new AggregateFunction(name, interpolation, integers, reals);
        ALL.put(name, added);
        return added;
    }

    private static void addPercentile(String name, double part, Position position) {
        // For numbers that are not whole, OpenTSDB estimates all percentiles by the first of its methods.
        add(
                name,
                Interpolation.LINE,
                (v, from, to) -> (long) percentile(reals(v, from, to), part, position),
                (v, from, to) -> percentile(numbers(v, from, to), part, Position.LEGACY));
    }

    /** All names, sorted. */
    static Iterable<String> names() {
        return Collections.unmodifiableSet(ALL.keySet());
    }

    /** The aggregator with this name; null if there is none. */
    static @Nullable AggregateFunction named(String name) {
        return ALL.get(name);
    }

    Interpolation interpolation() {
        return interpolation;
    }

    /** @param to exclusive; there is at least one value */
    long integer(long[] values, int from, int to) {
        return integers.of(values, from, to);
    }

    /** @param to exclusive; there is at least one value */
    double real(double[] values, int from, int to) {
        return reals.of(values, from, to);
    }

    @Override
    public String toString() {
        return name;
    }

    private static double[] reals(long[] values, int from, int to) {
        double[] reals = new double[to - from];
        for (int i = 0; i < reals.length; i++) {
            reals[i] = values[from + i];
        }
        return reals;
    }

    /** Those values that are not NaN. */
    private static double[] numbers(double[] values, int from, int to) {
        return Arrays.stream(values, from, to)
                .filter(value -> !Double.isNaN(value))
                .toArray();
    }

    private static long sum(long[] values, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += values[i];
        }
        return sum;
    }

    private static double sum(double[] values, int from, int to) {
        double sum = 0;
        boolean isKnown = false;
        for (int i = from; i < to; i++) {
            if (!Double.isNaN(values[i])) {
                sum += values[i];
                isKnown = true;
            }
        }
        return isKnown ? sum : Double.NaN;
    }

    private static long squareSum(long[] values, int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += values[i] * values[i];
        }
        return sum;
    }

    private static double squareSum(double[] values, int from, int to) {
        double[] squares = numbers(values, from, to);
        for (int i = 0; i < squares.length; i++) {
            squares[i] *= squares[i];
        }
        return sum(squares, 0, squares.length);
    }

    private static long min(long[] values, int from, int to) {
        long min = values[from];
        for (int i = from + 1; i < to; i++) {
            min = Math.min(min, values[i]);
        }
        return min;
    }

    private static double min(double[] values, int from, int to) {
        double min = Double.POSITIVE_INFINITY;
        for (int i = from; i < to; i++) {
            if (values[i] < min) {
                min = values[i];
            }
        }
        return min == Double.POSITIVE_INFINITY ? Double.NaN : min;
    }

    private static long max(long[] values, int from, int to) {
        long max = values[from];
        for (int i = from + 1; i < to; i++) {
            max = Math.max(max, values[i]);
        }
        return max;
    }

    private static double max(double[] values, int from, int to) {
        double max = Double.NEGATIVE_INFINITY;
        for (int i = from; i < to; i++) {
            if (values[i] > max) {
                max = values[i];
            }
        }
        return max == Double.NEGATIVE_INFINITY ? Double.NaN : max;
    }

    private static double average(double[] values, int from, int to) {
        double[] numbers = numbers(values, from, to);
        return sum(numbers, 0, numbers.length) / numbers.length;
    }

    /** For an even number of values, the upper one of the two in the middle. */
    private static long median(long[] values, int from, int to) {
        long[] sorted = Arrays.copyOfRange(values, from, to);
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private static double median(double[] values, int from, int to) {
        double[] sorted = numbers(values, from, to);
        Arrays.sort(sorted);
        return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
    }

    private static long product(long[] values, int from, int to) {
        long product = 1;
        for (int i = from; i < to; i++) {
            product *= values[i];
        }
        return product;
    }

    private static double product(double[] values, int from, int to) {
        double product = 1;
        for (int i = from; i < to; i++) {
            product *= values[i];
        }
        return product;
    }

    /** As OpenTSDB computes it: the sum of the squares is divided by the number of values. */
    private static double deviation(double[] values, int from, int to) {
        double[] numbers = numbers(values, from, to);
        if (numbers.length == 0) {
            return Double.NaN;
        }
        double mean = numbers[0];
        double squares = 0;
        for (int i = 1; i < numbers.length; i++) {
            double before = mean;
            mean += (numbers[i] - mean) / (i + 1);
            squares += (numbers[i] - before) * (numbers[i] - mean);
        }
        return Math.sqrt(squares / numbers.length);
    }

    /** The last value minus the first number. */
    private static double difference(double[] values, int from, int to) {
        int first = from;
        while (first < to - 1 && Double.isNaN(values[first])) {
            first++;
        }
        return values[to - 1] - values[first];
    }

    private static double count(double[] values, int from, int to) {
        return numbers(values, from, to).length;
    }

    /** The percentile's position among sorted values, counted from 1; between two values it is interpolated. */
    @FunctionalInterface
    private interface Position {
        Position LEGACY = (part, size) -> part * (size + 1);
        Position R3 = (part, size) -> Math.rint(part * size);
        Position R7 = (part, size) -> 1 + part * (size - 1);

        double of(double part, int size);
    }

    /** @param numbers may be sorted by this method */
    private static double percentile(double[] numbers, double part, Position position) {
        int size = numbers.length;
        if (size == 0) {
            return Double.NaN;
        }
        Arrays.sort(numbers);
        double place = position.of(part, size);
        if (place < 1 || size == 1) {
            return numbers[0];
        }
        if (place >= size) {
            return numbers[size - 1];
        }
        int below = (int) place;
        return numbers[below - 1] + (place - below) * (numbers[below] - numbers[below - 1]);
    }
}
