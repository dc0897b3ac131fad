package io.counters.collector.http;

import com.google.gson.JsonObject;
import java.util.Map;

/**
 * A request that is answered with an error of HTTP. A route may throw it, too.
 *
 * <p>Under {@code /api/}, where clients are programs, the answer is {@code {"error":{"code":400,"message":"..."}}};
 * elsewhere it is the message as plain text.
 */
@SuppressWarnings("serial") // It never leaves this process.
public final class RequestException extends RuntimeException {
    private final int status;
    private final Map<String, String> headers;

    /** @param message for the client: the place, the value, the rule and the remedy, without a line break at the end */
    public RequestException(int status, String message) {
        this(status, message, Map.of());
    }

    /** @param headers further headers of the answer */
    public RequestException(int status, String message, Map<String, String> headers) {
        // Without a stack trace: this is the client's error, and it may come often.
        super(message, null, false, false);
        this.status = status;
        this.headers = Map.copyOf(headers);
    }

    /** A value that breaks a rule; the status is 400. */
    public static RequestException bad(String message) {
        return new RequestException(400, message);
    }

    /** The status of HTTP. */
    public int status() {
        return status;
    }

    /** Further headers of the answer. */
    public Map<String, String> headers() {
        return headers;
    }

    Response answer(boolean isApi) {
        String message = String.valueOf(getMessage());
        return isApi
                ? new Response(status, Response.JSON, Text.of(json(message)), headers)
                : new Response(status, Response.PLAIN, Text.of(message + "\n"), headers);
    }

    private String json(String message) {
        JsonObject error = new JsonObject();
        error.addProperty("code", status);
        error.addProperty("message", message);
        JsonObject document = new JsonObject();
        document.add("error", error);
        return document + "\n";
    }
}
