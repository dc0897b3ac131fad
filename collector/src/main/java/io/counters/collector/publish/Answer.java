package io.counters.collector.publish;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.counters.collector.self.FaultLog;
import java.io.EOFException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a TSD answers to a request of {@code /api/put?details}. An answer is read as it comes; of it only the reasons are
 * kept, of no more points than the request had.
 */
sealed interface Answer {
    /** All points are taken. */
    record Taken() implements Answer {}

    /**
     * The points were looked at one by one.
     *
     * @param reasons by the {@link #key} of the points that were named; shortened
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

    /** The most letters of a reason that are kept. */
    int REASON_CHARS_MAX = 200;

    /** More than this nobody counts as failed. */
    long COUNT_MAX = 1L << 40;

    /**
     * Reads an answer to its end, or until it is clear that it is none.
     *
     * @param points that the request had
     * @throws IOException when the connection breaks before its end
     */
    static Answer read(int status, BoundedText body, int points) throws IOException {
        if (status == 204) {
            return new Taken();
        }
        if (status == 413) {
            body.readBeginning();
            return new TooLarge();
        }
        try {
            if (status == 200 || status == 400) {
                return json(status, body, points);
            }
            body.readBeginning();
            return new Trouble("answered " + status + ": " + body.beginning(), false);
        } catch (BoundedText.TooLong tooLong) {
            // As long an answer as that may well be about all points of a large request.
            return new Trouble("answered " + status + " and " + tooLong.getMessage(), true);
        } catch (MalformedJsonException | EOFException | IllegalStateException | NumberFormatException noJson) {
            body.readBeginning();
            return new Trouble("answered " + status + " without JSON of OpenTSDB: " + body.beginning(), status == 400);
        }
    }

    private static Answer json(int status, BoundedText body, int points) throws IOException {
        JsonReader json = new JsonReader(body);
        Map<String, String> reasons = new HashMap<>();
        long failed = -1;
        long timeouts = 0;
        boolean error = false;
        json.beginObject();
        while (body.hasNext(json)) {
            switch (json.nextName()) {
                case "failed" -> failed = count(json);
                case "timeouts" -> timeouts = count(json);
                case "errors" -> readReasons(json, body, points, reasons);
                case "error" -> {
                    error = true;
                    skip(json, body);
                }
                default -> skip(json, body);
            }
        }
        json.endObject();
        if (json.peek() != JsonToken.END_DOCUMENT) {
            throw new MalformedJsonException("there is more behind it");
        }
        if (failed >= 0) {
            return new Counted(reasons, failed + timeouts, timeouts);
        }
        return status == 400 && error
                ? new Unreadable(body.beginning())
                : new Trouble("answered " + status + " with JSON that is not OpenTSDB's: " + body.beginning(), false);
    }

    private static long count(JsonReader json) throws IOException {
        long count = json.nextLong();
        if (count < 0 || count > COUNT_MAX) {
            throw new NumberFormatException(count + " points");
        }
        return count;
    }

    /** As JsonReader's, but so that each part of what is left out is a token of its own. */
    private static void skip(JsonReader json, BoundedText body) throws IOException {
        int depth = 0;
        do {
            switch (json.peek()) {
                case BEGIN_OBJECT -> {
                    json.beginObject();
                    depth++;
                }
                case BEGIN_ARRAY -> {
                    json.beginArray();
                    depth++;
                }
                case END_OBJECT -> {
                    json.endObject();
                    depth--;
                }
                case END_ARRAY -> {
                    json.endArray();
                    depth--;
                }
                case END_DOCUMENT -> throw new EOFException();
                default -> json.skipValue();
            }
            body.token();
        } while (depth > 0);
    }

    private static void readReasons(JsonReader json, BoundedText body, int points, Map<String, String> reasons)
            throws IOException {
        if (json.peek() == JsonToken.NULL) {
            json.nextNull();
            return;
        }
        Map<String, String> shared = new HashMap<>();
        json.beginArray();
        while (body.hasNext(json)) {
            String key = null;
            String reason = null;
            json.beginObject();
            while (body.hasNext(json)) {
                String name = json.nextName();
                if (name.equals("datapoint") && json.peek() == JsonToken.BEGIN_OBJECT) {
                    key = key(json, body);
                } else if (name.equals("error") && json.peek() == JsonToken.STRING) {
                    reason = json.nextString();
                } else {
                    skip(json, body);
                }
            }
            json.endObject();
            if (key != null && reason != null && (reasons.size() < points || reasons.containsKey(key))) {
                String kept = FaultLog.shown(reason.substring(0, Math.min(reason.length(), REASON_CHARS_MAX)));
                reasons.put(key, shared.computeIfAbsent(kept, fresh -> kept));
            }
        }
        json.endArray();
    }

    /** What tells a point from the others of its second, its metric and its tags, of its JSON. */
    static String key(String point) throws IOException {
        BoundedText text = BoundedText.of(point);
        return key(new JsonReader(text), text);
    }

    private static String key(JsonReader json, BoundedText body) throws IOException {
        Map<String, String> tags = new TreeMap<>();
        String metric = "";
        json.beginObject();
        while (body.hasNext(json)) {
            String name = json.nextName();
            if (name.equals("metric") && json.peek() == JsonToken.STRING) {
                metric = json.nextString();
            } else if (name.equals("tags") && json.peek() == JsonToken.BEGIN_OBJECT) {
                json.beginObject();
                while (body.hasNext(json)) {
                    String tag = json.nextName();
                    if (json.peek() == JsonToken.STRING) {
                        tags.put(tag, json.nextString());
                    } else {
                        skip(json, body);
                    }
                }
                json.endObject();
            } else {
                skip(json, body);
            }
        }
        json.endObject();
        return metric + tags;
    }
}
