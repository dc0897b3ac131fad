package io.counters.collector.query;

import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A request of {@code /api/query}.
 *
 * @param startMillis the first moment of the answer
 * @param endMillis the last one; it must be later
 * @param isMillis whether times in the answer are in milliseconds, not seconds
 * @param showsQuery whether each result has its sub-query
 */
record Query(long startMillis, long endMillis, List<SubQuery> queries, boolean isMillis, boolean showsQuery) {
    /** Grafana sends at most 26. */
    private static final int QUERIES_MAX = 100;

    private static final Pattern NUMBER = Pattern.compile("(\\d{1,13})(ms)?|(\\d{10})\\.(\\d{1,3})");
    private static final int SECOND_DIGITS = 10;

    /** Equal sub-queries are answered once. */
    Query {
        queries = queries.stream().distinct().toList();
        if (queries.isEmpty()) {
            throw RequestException.bad("there is no query; give at least one");
        }
        if (queries.size() > QUERIES_MAX) {
            throw RequestException.bad("there are " + queries.size() + " queries; at most " + QUERIES_MAX
                    + " are allowed in a request; send several requests");
        }
        if (endMillis <= startMillis) {
            throw RequestException.bad(
                    "the end " + endMillis + " is not later than the start " + startMillis + ", both in milliseconds");
        }
    }

    /**
     * A moment: {@code now}, {@code 1h-ago}, or Unix time in seconds or, with more than 10 digits, in milliseconds.
     *
     * @param place where it is, for the message
     * @param nowMillis Unix time
     */
    static long millis(String place, String text, long nowMillis) {
        String lower = text.toLowerCase(Locale.ROOT);
        if (lower.equals("now")) {
            return nowMillis;
        }
        try {
            if (lower.endsWith("-ago")) {
                return Math.max(0, nowMillis - Downsample.millis(lower.substring(0, lower.length() - 4)));
            }
        } catch (IllegalArgumentException rule) {
            throw RequestException.bad(place + " is " + Request.shown(text) + ": " + rule.getMessage());
        }
        Matcher number = NUMBER.matcher(lower);
        if (!number.matches()) {
            throw RequestException.bad(place + " is " + Request.shown(text)
                    + "; it must be Unix time in seconds (up to 10 digits) or milliseconds (up to 13), or a time ago such as"
                    + " 1h-ago, or now");
        }
        if (number.group(3) != null) {
            // The digits after the dot are read as a whole number of milliseconds, as OpenTSDB does.
            return Long.parseLong(number.group(3) + number.group(4));
        }
        long value = Long.parseLong(number.group(1));
        return number.group(2) == null && text.length() <= SECOND_DIGITS ? 1000 * value : value;
    }
}
