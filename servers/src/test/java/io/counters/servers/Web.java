package io.counters.servers;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** A client of a web server on the loopback address. */
final class Web {
    private final HttpClient client = HttpClient.newHttpClient();
    private final int port;

    Web(int port) {
        this.port = port;
    }

    /** Whether a request for this path succeeds. */
    boolean answers(String path) {
        try {
            return send(request(path).build()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    String get(String path) throws IOException {
        return send(request(path).build()).body();
    }

    /** The status of the answer to a JSON text. */
    int post(String path, String json) throws IOException {
        return send(request(path)
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(json))
                        .build())
                .statusCode();
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .version(HttpClient.Version.HTTP_1_1)
                .timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (InterruptedException hurried) {
            throw new IOException(hurried);
        }
    }
}
