package io.counters.collector.query;

import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a query from the URL: {@code start=1h-ago&m=sum:1m-avg:rate:orders.placed{method=*}}. */
final class QueryParameters {
    private static final int PARTS_MAX = 6;
    private static final String COUNTER = "counter";
    private static final Set<String> RATES = Set.of("", COUNTER, "drop" + COUNTER);

    private QueryParameters() {}

    /** @throws RequestException when it is not a query, with the place, the value and the rule */
    static Query read(Request request, long nowMillis) {
        String start = request.parameter("start");
        if (start == null) {
            throw RequestException.bad("the parameter start is missing; give Unix time, or a time ago such as 1h-ago");
        }
        List<SubQuery> queries = new ArrayList<>();
        for (String m : request.parameters("m")) {
            queries.add(subQuery(m));
        }
        return new Query(
                Query.millis("start", start, nowMillis),
                Query.millis("end", Objects.requireNonNullElse(request.parameter("end"), "now"), nowMillis),
                queries,
                isSet(request, "ms"),
                isSet(request, "show_query"));
    }

    /** Whether a parameter is there, with or without a value. */
    static boolean isSet(Request request, String parameter) {
        String value = request.parameter(parameter);
        return value != null && !value.equals("false");
    }

    private static SubQuery subQuery(String m) {
        String place = "the parameter m, " + Request.shown(m) + ",";
        List<String> parts = parts(m);
        if (parts.size() < 2 || parts.size() > PARTS_MAX) {
            throw RequestException.bad(
                    place + " must be AGGREGATOR:METRIC{TAG=VALUE}, perhaps with INTERVAL-FUNCTION: and rate:"
                            + " before METRIC");
        }
        String downsample = "";
        Rate rate = null;
        boolean isExplicit = false;
        for (String part : parts.subList(1, parts.size() - 1)) {
            String lower = part.toLowerCase(Locale.ROOT);
            if (lower.startsWith("rate")) {
                rate = rate(place, part.substring("rate".length()));
            } else if (lower.equals("explicit_tags")) {
                isExplicit = true;
            } else if (!part.isEmpty() && Character.isDigit(part.charAt(0))) {
                downsample = part;
            } else {
                throw RequestException.bad(place + " has " + Request.shown(part)
                        + "; allowed there are INTERVAL-FUNCTION, rate and explicit_tags");
            }
        }
        String last = parts.get(parts.size() - 1);
        int bracket = last.indexOf('{');
        List<Filter> filters = new ArrayList<>();
        if (bracket >= 0) {
            filters(place, last.substring(bracket), filters);
        }
        return QueryReader.subQuery(
                place,
                bracket < 0 ? last : last.substring(0, bracket),
                parts.get(0),
                downsample,
                rate,
                filters,
                isExplicit);
    }

    /** The parts between colons, except colons inside the braces of the tags. */
    private static List<String> parts(String m) {
        int bracket = m.indexOf("}{") < 0 ? m.lastIndexOf('{') : m.lastIndexOf('{', m.indexOf("}{"));
        // The braces of rate{counter} are followed by a colon.
        int end = bracket < 0 || m.indexOf("}:", bracket) >= 0 ? m.length() : bracket;
        List<String> parts = new ArrayList<>(List.of(m.substring(0, end).split(":", -1)));
        parts.set(parts.size() - 1, parts.get(parts.size() - 1) + m.substring(end));
        return parts;
    }

    /** @param text {@code {counter,MAX,RESET}}, where max and reset may be left out, or nothing */
    private static Rate rate(String place, String text) {
        if (text.isEmpty()) {
            return Rate.PLAIN;
        }
        String[] parts = text.length() < 2
                ? new String[0]
                : text.substring(1, text.length() - 1).split(",", -1);
        try {
            if (text.startsWith("{") && text.endsWith("}") && parts.length <= 3 && RATES.contains(parts[0])) {
                return new Rate(
                        parts[0].endsWith(COUNTER),
                        number(parts, 1, Rate.PLAIN.counterMax()),
                        number(parts, 2, 0),
                        parts[0].equals("drop" + COUNTER));
            }
        } catch (NumberFormatException noNumber) {
            // Reported below, with the rule.
        }
        throw RequestException.bad(place + " has rate" + text + "; it must be rate, rate{counter}, rate{dropcounter} or"
                + " rate{counter,MAX,RESET} with whole numbers");
    }

    private static long number(String[] parts, int part, long absent) {
        return part < parts.length && !parts[part].isEmpty() ? Long.parseLong(parts[part]) : absent;
    }

    /** @param text {@code {TAG=VALUE,...}}, which groups, and perhaps a second one, which does not */
    private static void filters(String place, String text, List<Filter> filters) {
        int second = text.indexOf("}{");
        if (!text.endsWith("}")) {
            throw RequestException.bad(place + " must end with }");
        }
        add(place, text.substring(1, second < 0 ? text.length() - 1 : second), true, filters);
        if (second >= 0) {
            add(place, text.substring(second + 2, text.length() - 1), false, filters);
        }
    }

    private static void add(String place, String text, boolean isGroupBy, List<Filter> filters) {
        for (String tag : text.split(",", -1)) {
            int equals = tag.indexOf('=');
            if (tag.isEmpty()) {
                continue;
            }
            try {
                if (equals < 1) {
                    throw new IllegalArgumentException("it must be TAG=VALUE");
                }
                filters.add(Filter.ofTag(tag.substring(0, equals), tag.substring(equals + 1), isGroupBy));
            } catch (IllegalArgumentException rule) {
                throw RequestException.bad(place + " has " + Request.shown(tag) + ": " + rule.getMessage());
            }
        }
    }

    /**
     * The metric and the tags of a lookup: {@code METRIC{TAG=VALUE,...}}, where a value may be {@code *}.
     *
     * @throws RequestException when it is none
     */
    static SubQuery lookup(@Nullable String m) {
        if (m == null || m.isEmpty() || m.startsWith("{")) {
            throw RequestException.bad("the parameter m is " + (m == null ? "missing" : Request.shown(m))
                    + "; it must be METRIC or METRIC{TAG=*}");
        }
        return subQuery("none:" + m);
    }
}
