package io.counters.collector.http;

import java.util.Map;

/**
 * The answer of a route.
 *
 * @param type the body's Content-Type
 * @param headers further headers
 */
public record Response(int status, String type, Text body, Map<String, String> headers) {
    /** Plain text for people. */
    public static final String PLAIN = "text/plain; charset=utf-8";

    /** JSON for programs. */
    public static final String JSON = "application/json";

    private static final String EVENTS = "text/event-stream";

    public Response {
        headers = Map.copyOf(headers);
    }

    /** An answer that needs no further headers. */
    public Response(int status, String type, Text body) {
        this(status, type, body, Map.of());
    }

    /** A short answer in plain text. */
    public static Response plain(int status, String text) {
        return new Response(status, PLAIN, Text.of(text));
    }

    /** A JSON document. */
    public static Response json(Json.Pieces pieces) {
        return new Response(200, JSON, new Json(pieces));
    }

    /**
     * Server-sent events: an answer that stays open. When it is opened, and each time the listeners are woken, {@code
     * events} appends what is new since the last time, as complete events, or nothing. For a client that reads slowly, this
     * happens less often, so it gets the newest state and not those in between.
     *
     * @param events read on the event loop, as every {@link Text}
     */
    public static Response events(Listeners listeners, Text events) {
        return new Response(200, EVENTS, new Listeners.Open(listeners, events));
    }

    /** What a stranger may know of an answer about health: whether it is good. */
    Response withoutDetails() {
        return plain(status, status == 200 ? "ok\n" : "not ok; a request with the token gets the reasons\n");
    }
}
