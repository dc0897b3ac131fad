package io.counters.collector.http;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;

/** Requests as a route receives them, without a connection. */
public final class InventedRequests {
    private InventedRequests() {}

    /** A POST with these headers: names, each with its value. */
    public static Request post(String path, byte[] body, String... headers) {
        HttpHeaders all = new DefaultHttpHeaders();
        for (int i = 0; i < headers.length; i += 2) {
            all.set(headers[i], headers[i + 1]);
        }
        return new Request("POST", path, "", all, body);
    }

    /** What the route answers; the status of a refusal, too. */
    public static int status(Route route, Request request) {
        try {
            return route.answer().apply(request).status();
        } catch (RequestException refusal) {
            return refusal.status();
        }
    }
}
