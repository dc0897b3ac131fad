package io.counters.collector.http;

import java.util.Map;

/**
 * The answer of a route.
 *
 * @param type the body's Content-Type
 * @param headers further headers
 */
public record Answer(int status, String type, Text body, Map<String, String> headers) {
    /** Plain text for people. */
    public static final String PLAIN = "text/plain; charset=utf-8";

    public Answer {
        headers = Map.copyOf(headers);
    }

    /** An answer that needs no further headers. */
    public Answer(int status, String type, Text body) {
        this(status, type, body, Map.of());
    }

    /** A short answer in plain text. */
    public static Answer plain(int status, String text) {
        return new Answer(status, PLAIN, Text.of(text));
    }

    Answer with(String header, String value) {
        return new Answer(status, type, body, Map.of(header, value));
    }
}
