package io.counters.collector.publish;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * What docs/opentsdb.md says of an answer to {@code /api/put?details} that is JSON in its shortest form, without escapes, and
 * names no more points than were sent. Of other answers it says nothing.
 *
 * @param again the points that are sent again
 * @param dropped how many were refused permanently
 */
record PlainPut(List<String> again, int dropped) {
    private static final List<String> BAD = List.of(
            "invalid",
            "illegal",
            "empty",
            "missing",
            "metric name was",
            "too many tags",
            "need at least one tag",
            "unable to parse value",
            "value too long");

    private static final class NotPlain extends Exception {
        private static final long serialVersionUID = 1;
    }

    /** @param points in JSON */
    static Optional<PlainPut> of(String text, List<String> points) {
        try {
            return text.matches("\\{[ -~&&[^\\\\]]*}") ? Optional.of(read(text, points)) : Optional.empty();
        } catch (NotPlain | JsonParseException other) {
            return Optional.empty();
        }
    }

    private static PlainPut read(String text, List<String> points) throws NotPlain {
        JsonObject answer = object(JsonParser.parseString(text));
        demand(answer.toString().equals(text) && answer.has("failed"));
        long timeouts = answer.has("timeouts") ? count(answer.get("timeouts")) : 0;
        long failed = count(answer.get("failed")) + timeouts;
        Map<String, String> reasons = reasons(answer);
        Set<String> keys = new HashSet<>(reasons.keySet());
        demand(keys.size() <= points.size());
        List<String> again = new ArrayList<>();
        int named = 0;
        int dropped = 0;
        for (String point : points) {
            String reason = reasons.get(key(object(JsonParser.parseString(point))));
            named += reason == null ? 0 : 1;
            if (reason != null && isBad(reason)) {
                dropped++;
            } else if (reason != null || timeouts > 0) {
                again.add(point);
            }
        }
        // It is not known which other points failed.
        return named < failed && timeouts == 0 ? new PlainPut(points, 0) : new PlainPut(again, dropped);
    }

    private static boolean isBad(String reason) {
        return !reason.startsWith("Unknown metric")
                && BAD.stream().anyMatch(reason.toLowerCase(Locale.ROOT)::startsWith);
    }

    /** The reasons by the points that are named. */
    private static Map<String, String> reasons(JsonObject answer) throws NotPlain {
        Map<String, String> reasons = new HashMap<>();
        JsonElement errors = answer.get("errors");
        if (errors != null && !errors.isJsonNull()) {
            demand(errors.isJsonArray());
            for (JsonElement element : errors.getAsJsonArray()) {
                JsonObject error = object(element);
                reasons.put(key(object(error.get("datapoint"))), string(error.get("error")));
            }
        }
        return reasons;
    }

    private static String key(JsonObject point) throws NotPlain {
        Map<String, String> tags = new TreeMap<>();
        for (Map.Entry<String, JsonElement> tag : object(point.get("tags")).entrySet()) {
            tags.put(tag.getKey(), string(tag.getValue()));
        }
        return string(point.get("metric")) + tags;
    }

    private static void demand(boolean isSo) throws NotPlain {
        if (!isSo) {
            throw new NotPlain();
        }
    }

    private static JsonObject object(JsonElement element) throws NotPlain {
        demand(element != null && element.isJsonObject());
        return element.getAsJsonObject();
    }

    private static String string(JsonElement element) throws NotPlain {
        demand(element instanceof JsonPrimitive text && text.isString());
        return element.getAsString();
    }

    private static long count(JsonElement element) throws NotPlain {
        demand(element instanceof JsonPrimitive number
                && number.isNumber()
                && number.getAsString().matches("[0-9]{1,12}"));
        return element.getAsLong();
    }
}
