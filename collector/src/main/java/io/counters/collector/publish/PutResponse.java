package io.counters.collector.publish;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import io.counters.collector.common.FaultLog;
import java.io.EOFException;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Reads a TSD's answer to a request of {@code /api/put?details}. An answer is parsed while it arrives. Only the reasons are
 * kept, of at most as many points as the request had.
 */
final class PutResponse {
    /** How a point that was named with a reason is handled. */
    enum Fate {
        /** It is refused permanently. */
        BAD,
        /** Its metric, or a tag, has no ID yet, and the TSD does not create one. */
        UNKNOWN,
        /** It may succeed the next time. */
        PASSING
    }

    /** The messages of a TSD's checks of a point. Any other reason, such as "Unexpected exception", may pass. */
    private static final Pattern BAD =
            Pattern.compile("(?i)(invalid|illegal|empty|missing|metric name was|too many tags|need at least one tag"
                    + "|unable to parse value|value too long).*");

    private PutResponse() {}

    /** Decides by the words that OpenTSDB 2 uses. */
    static Fate fate(String reason) {
        if (reason.startsWith("Unknown metric")) {
            return Fate.UNKNOWN;
        }
        return BAD.matcher(reason).lookingAt() ? Fate.BAD : Fate.PASSING;
    }

    /** The maximum characters of a reason that are kept. */
    static final int REASON_CHARS_MAX = 200;

    /** A larger number of failed points is treated as invalid. */
    private static final long COUNT_MAX = 1L << 40;

    /**
     * Reads an answer to its end, or until it is clear that it is invalid.
     *
     * @param points the number of points in the request
     * @throws IOException if the connection breaks before its end
     */
    static Answer read(int status, BoundedText body, int points) throws IOException {
        if (status == 204) {
            return new Answer.Taken();
        }
        if (status == 413) {
            body.readBeginning();
            return new Answer.TooLarge();
        }
        try {
            if (status == 200 || status == 400) {
                return json(status, body, points);
            }
            body.readBeginning();
            return new Answer.Trouble("answered " + status + ": " + body.beginning(), false);
        } catch (BoundedText.TooLong tooLong) {
            // Such a long answer may be about all points of a large request.
            return new Answer.Trouble("answered " + status + " and " + tooLong.getMessage(), true);
        } catch (MalformedJsonException | EOFException | IllegalStateException | NumberFormatException noJson) {
            body.readBeginning();
            return new Answer.Trouble(
                    "answered " + status + " without JSON from OpenTSDB: " + body.beginning(), status == 400);
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
            throw new MalformedJsonException("there is more text after it");
        }
        if (failed >= 0) {
            return new Answer.Counted(reasons, failed + timeouts, timeouts);
        }
        return status == 400 && error
                ? new Answer.Unreadable(body.beginning())
                : new Answer.Trouble(
                        "answered " + status + " with JSON that is not OpenTSDB's: " + body.beginning(), false);
    }

    private static long count(JsonReader json) throws IOException {
        long count = json.nextLong();
        if (count < 0 || count > COUNT_MAX) {
            throw new NumberFormatException(count + " points");
        }
        return count;
    }

    /** Like JsonReader.skipValue, but treats each part of the skipped value as a separate token. */
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

    /** The metric and tags of a point's JSON, which identify it among the points of its second. */
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
