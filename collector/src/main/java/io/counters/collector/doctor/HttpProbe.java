package io.counters.collector.doctor;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Asks HTTP servers, and waits for each only briefly. */
final class HttpProbe {
    static final Duration ANSWER = Duration.ofSeconds(3);
    static final int OK = 200;

    private final HttpClient http;

    HttpProbe() {
        this(null);
    }

    /** @param trust in servers; null for the JDK's */
    HttpProbe(@Nullable SSLContext trust) {
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(ANSWER);
        http = (trust == null ? client : client.sslContext(trust)).build();
    }

    /** The answer; null if there is none in time. */
    @Nullable
    HttpResponse<String> ask(String url) {
        return ask(url, Map.of());
    }

    /** The same, with headers. */
    @Nullable
    HttpResponse<String> ask(String url, Map<String, String> headers) {
        return send(url, request -> headers.forEach(request::header));
    }

    /** The answer to a body that is sent by POST; null if there is none in time. */
    @Nullable
    HttpResponse<String> post(String url, Map<String, String> headers, byte[] body) {
        return send(url, request -> {
            headers.forEach(request::header);
            request.POST(HttpRequest.BodyPublishers.ofByteArray(body));
        });
    }

    private @Nullable HttpResponse<String> send(String url, Consumer<HttpRequest.Builder> how) {
        try {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(URI.create(url)).timeout(ANSWER);
            how.accept(request);
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            return null;
        } catch (IOException | IllegalArgumentException unanswered) {
            return null;
        }
    }
}
