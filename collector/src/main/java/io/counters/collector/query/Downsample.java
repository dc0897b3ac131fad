package io.counters.collector.query;

import io.counters.collector.http.Request;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One value for each interval, or one for the whole time: {@code 10s-avg}, {@code 1m-max-zero}, {@code 0all-sum}. Intervals
 * begin at multiples of their length since 1970; the beginning is the time of their value.
 *
 * @param text as the request has it
 * @param intervalMillis 0 for one value of the whole time
 * @param function any but {@code none}
 * @param fill the value of intervals without points
 */
record Downsample(String text, long intervalMillis, AggregateFunction function, Fill fill) {
    private static final Pattern INTERVAL = Pattern.compile("(\\d{1,12})(ms|[smhdwny])");
    private static final long YEARS_MAX = 300;
    private static final long YEAR_MILLIS = 365 * 86_400_000L;

    /** The value of an interval without points. */
    enum Fill {
        /** No value: the interval is left out. */
        NONE(0),
        ZERO(0),
        NAN(Double.NaN),
        NULL(Double.NaN);

        private final double value;

        Fill(double value) {
            this.value = value;
        }
    }

    /** @throws IllegalArgumentException when it breaks a rule; the message gives the rule */
    static Downsample of(String text) {
        String[] parts = text.split("-", -1);
        if (parts.length < 2 || parts.length > 3) {
            throw new IllegalArgumentException(
                    "it must be INTERVAL-FUNCTION or INTERVAL-FUNCTION-FILL, such as 1m-avg or 1m-sum-zero");
        }
        AggregateFunction function = AggregateFunction.named(parts[1]);
        if (function == null || function == AggregateFunction.NONE) {
            throw new IllegalArgumentException(
                    "its function " + Request.shown(parts[1]) + " is not one of /api/aggregators, or is none");
        }
        return new Downsample(
                text,
                parts[0].contains("all") ? 0 : millis(parts[0]),
                function,
                fill(parts.length == 3 ? parts[2] : "none"));
    }

    private static Fill fill(String text) {
        for (Fill fill : Fill.values()) {
            if (fill.name().equalsIgnoreCase(text)) {
                return fill;
            }
        }
        throw new IllegalArgumentException(
                "its fill policy is " + Request.shown(text) + "; allowed are none, zero, nan and null");
    }

    /**
     * The length of a duration such as {@code 10s}.
     *
     * @throws IllegalArgumentException when it is not a duration
     */
    static long millis(String text) {
        Matcher matcher = INTERVAL.matcher(text.toLowerCase(Locale.ROOT));
        long number = matcher.matches() ? Long.parseLong(matcher.group(1)) : 0;
        long unit = matcher.matches() ? unitMillis(matcher.group(2)) : 1;
        // More would exceed 64 bits in what is computed with it.
        if (number == 0 || number > YEARS_MAX * YEAR_MILLIS / unit) {
            throw new IllegalArgumentException("the duration " + Request.shown(text)
                    + " must be a whole number of at least 1, followed by ms, s, m, h, d, w, n (30 days) or y (365"
                    + " days), and at most " + YEARS_MAX + " years; intervals of the calendar are not supported");
        }
        return number * unit;
    }

    private static long unitMillis(String unit) {
        return switch (unit) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            case "h" -> 3_600_000;
            case "d" -> 86_400_000;
            case "w" -> 7 * 86_400_000L;
            case "n" -> 30 * 86_400_000L;
            default -> YEAR_MILLIS;
        };
    }

    /** The maximum number of points that it creates from this many. */
    long sizeMax(int size, TimeWindow window) {
        return fill == Fill.NONE || intervalMillis == 0
                ? size
                : (window.toMillis() - window.fromMillis()) / intervalMillis + 1;
    }

    /** Downsamples all points of a window; the result has fewer points, or with a fill policy perhaps more. */
    Points apply(Points raw, TimeWindow window) {
        double[] values = new double[raw.size];
        for (int i = 0; i < raw.size; i++) {
            values[i] = raw.real(i);
        }
        return intervalMillis == 0 ? integer(raw, values, window) : intervals(raw, values, window);
    }

    private Points integer(Points raw, double[] values, TimeWindow window) {
        int from = raw.first(window.startMillis());
        int to = raw.first(window.endMillis());
        Points.Builder points = new Points.Builder(1, false);
        if (from < to) {
            points.add(window.startMillis(), function.real(values, from, to));
        }
        return points.build();
    }

    private Points intervals(Points raw, double[] values, TimeWindow window) {
        // An interval that the window's beginning cuts off has no points; one that its end cuts off is not filled.
        int next = raw.first(begin(window.fromMillis() + intervalMillis - 1));
        long filled = begin(window.fromMillis());
        long end = fill == Fill.NONE ? filled : begin(window.toMillis());
        Points.Builder points = new Points.Builder((int) Math.min(sizeMax(raw.size, window), Integer.MAX_VALUE), false);
        while (next < raw.size || filled < end) {
            long begin = next < raw.size ? begin(raw.millis[next]) : Long.MAX_VALUE;
            if (filled < end && filled < begin) {
                points.add(filled, fill.value);
                filled += intervalMillis;
                continue;
            }
            int to = next;
            while (to < raw.size && raw.millis[to] < begin + intervalMillis) {
                to++;
            }
            if (fill == Fill.NONE || begin < end) {
                points.add(begin, function.real(values, next, to));
            }
            filled = begin + intervalMillis;
            next = to;
        }
        return points.build();
    }

    private long begin(long millis) {
        return millis - millis % intervalMillis;
    }
}
