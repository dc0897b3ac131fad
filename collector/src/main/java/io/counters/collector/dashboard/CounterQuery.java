package io.counters.collector.dashboard;

import io.counters.collector.http.Request;
import io.counters.collector.http.RequestException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Which counters a tab lists, and in which order.
 *
 * @param terms each must be a part of the name or its tags; case does not matter
 * @param tags each is {@code key=value}, or {@code key=} for any value; a counter has all of them
 */
record CounterQuery(List<String> terms, List<String> tags, Sort sort, boolean isDescending) {
    static final int TAGS_MAX = 16;
    private static final int TERMS_CHARACTERS_MAX = 500;

    /** The columns by which a list can be sorted. */
    enum Sort {
        NAME,
        VALUE,
        RATE,
        MOVED
    }

    CounterQuery {
        terms = List.copyOf(terms);
        tags = List.copyOf(tags);
    }

    /** Reads {@code q}, {@code tag}, {@code sort} and {@code order}. */
    static CounterQuery of(Request request) {
        String text = Objects.requireNonNullElse(request.parameter("q"), "").strip();
        List<String> tags = request.parameters("tag");
        if (text.length() > TERMS_CHARACTERS_MAX || tags.size() > TAGS_MAX) {
            throw RequestException.bad("q may have at most " + TERMS_CHARACTERS_MAX
                    + " characters, and tag may be given at most " + TAGS_MAX + " times");
        }
        for (String tag : tags) {
            if (tag.indexOf('=') < 1) {
                throw RequestException.bad("the parameter tag is " + Request.shown(tag) + "; it must be key=value");
            }
        }
        List<String> terms = Arrays.stream(text.toLowerCase(Locale.ROOT).split("\\s+"))
                .filter(term -> !term.isEmpty())
                .sorted()
                .distinct()
                .toList();
        String sort = Objects.requireNonNullElse(request.parameter("sort"), "name");
        String order = Objects.requireNonNullElse(request.parameter("order"), "asc");
        boolean isDescending = order.equals("desc");
        if (!isDescending && !order.equals("asc")) {
            throw RequestException.bad("the parameter order is " + Request.shown(order) + "; it must be asc or desc");
        }
        return new CounterQuery(terms, tags.stream().sorted().distinct().toList(), sort(sort), isDescending);
    }

    private static Sort sort(String text) {
        return switch (text) {
            case "name" -> Sort.NAME;
            case "value" -> Sort.VALUE;
            case "rate" -> Sort.RATE;
            case "moved" -> Sort.MOVED;
            default ->
                throw RequestException.bad(
                        "the parameter sort is " + Request.shown(text) + "; it must be name, value, rate or moved");
        };
    }

    boolean takes(String name) {
        for (String term : terms) {
            if (!contains(name, term)) {
                return false;
            }
        }
        for (String tag : tags) {
            if (!hasTag(name, tag)) {
                return false;
            }
        }
        return true;
    }

    /** Whether a name contains a text, whatever the case. */
    static boolean contains(String name, String term) {
        for (int at = 0; at <= name.length() - term.length(); at++) {
            if (name.regionMatches(true, at, term, 0, term.length())) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasTag(String name, String tag) {
        boolean isAnyValue = tag.endsWith("=");
        for (int comma = name.indexOf(','); comma >= 0; comma = name.indexOf(',', comma + 1)) {
            int end = comma + 1 + tag.length();
            if (name.startsWith(tag, comma + 1) && (isAnyValue || end == name.length() || name.charAt(end) == ',')) {
                return true;
            }
        }
        return false;
    }
}
