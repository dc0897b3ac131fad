package io.counters.collector.publish;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a TSD answers to a request of {@code /api/put?details}. */
sealed interface Answer {
    /** All points are taken. */
    record Taken() implements Answer {}

    /**
     * The points were looked at one by one.
     *
     * @param reasons by the {@link #key} of the points that were named
     * @param failed how many were not taken
     * @param timeouts how many of these had not come to an end when the time was up
     */
    record Counted(Map<String, String> reasons, long failed, long timeouts) implements Answer {}

    /** No point was looked at, as one of them, or the whole, can't be read. */
    record Unreadable(String why) implements Answer {}

    /** The request is larger than is allowed there. */
    record TooLarge() implements Answer {}

    /**
     * It has nothing to do with these points, and passes.
     *
     * @param maySize whether a request that is too large may look like this too
     */
    record Trouble(String why, boolean maySize) implements Answer {}

    /** What becomes of a point that was named with a reason. */
    enum Fate {
        /** It is refused for ever. */
        BAD,
        /** Its metric, or a tag, has no number yet, and the TSD makes none by itself. */
        UNKNOWN,
        /** It may pass the next time. */
        PASSING
    }

    /** What the TSD's checks of a point say; whatever else it says, "Unexpected exception" too, may pass. */
    Pattern BAD =
            Pattern.compile("(?i)(invalid|illegal|empty|missing|metric name was|too many tags|need at least one tag"
                    + "|unable to parse value|value too long).*");

    /** Told apart by the words that OpenTSDB 2 has for it. */
    static Fate fate(String reason) {
        if (reason.startsWith("Unknown metric")) {
            return Fate.UNKNOWN;
        }
        return BAD.matcher(reason).lookingAt() ? Fate.BAD : Fate.PASSING;
    }

    /** Reads an answer that came to its end. */
    static Answer of(int status, String body) {
        if (status == 204) {
            return new Taken();
        }
        if (status == 413) {
            return new TooLarge();
        }
        if (status != 200 && status != 400) {
            return new Trouble("answered " + status + ": " + shortened(body), false);
        }
        JsonObject json = object(body);
        if (json == null) {
            return new Trouble("answered " + status + " without JSON: " + shortened(body), status == 400);
        }
        try {
            if (json.has("failed")) {
                long timeouts = json.has("timeouts") ? json.get("timeouts").getAsLong() : 0;
                return new Counted(reasons(json), json.get("failed").getAsLong() + timeouts, timeouts);
            }
            if (status == 400 && json.has("error")) {
                return new Unreadable(shortened(json.get("error").toString()));
            }
        } catch (RuntimeException otherJson) {
            // Told below: numbers that are none, objects that are lists.
        }
        return new Trouble("answered " + status + " with JSON that is not OpenTSDB's: " + shortened(body), false);
    }

    private static @Nullable JsonObject object(String body) {
        try {
            JsonElement json = JsonParser.parseString(body);
            return json.isJsonObject() ? json.getAsJsonObject() : null;
        } catch (JsonParseException | StackOverflowError noJson) {
            return null;
        }
    }

    private static Map<String, String> reasons(JsonObject json) {
        Map<String, String> reasons = new HashMap<>();
        if (json.has("errors")) {
            for (JsonElement error : json.getAsJsonArray("errors")) {
                JsonObject named = error.getAsJsonObject();
                JsonElement point = named.get("datapoint");
                JsonElement reason = named.get("error");
                if (point != null && point.isJsonObject() && reason != null && reason.isJsonPrimitive()) {
                    reasons.put(key(point.getAsJsonObject()), reason.getAsString());
                }
            }
        }
        return reasons;
    }

    /** What tells a point from the others of its second: its metric and its tags. */
    static String key(JsonObject point) {
        Map<String, String> tags = new TreeMap<>();
        JsonElement given = point.get("tags");
        if (given != null && given.isJsonObject()) {
            given.getAsJsonObject().asMap().forEach((key, value) -> tags.put(key, value.getAsString()));
        }
        JsonElement metric = point.get("metric");
        return (metric == null || metric.isJsonNull() ? "" : metric.getAsString()) + tags;
    }

    /** Enough of a text for a line in the log. */
    static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= 300 ? line : line.substring(0, 300) + "...";
    }
}
