package io.counters.collector.commands;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import io.counters.collector.settings.CollectorFlag;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP API of a running collector. The JDK's client is used, and not OkHttp, which the sink for OpenTSDB uses: a command
 * sends one request at a time, and starts faster without OkHttp's classes.
 */
final class CollectorApi {
    private static final Duration CONNECT = Duration.ofSeconds(3);
    private static final Duration ANSWER = Duration.ofSeconds(15);
    private static final int NOT_FOUND = 404;
    private static final int UNAUTHORIZED = 401;

    private final HttpClient http;
    private final URI at;
    private final String token;

    /**
     * @param token empty for none
     * @param trust in the collector's certificate; null for the JDK's
     */
    CollectorApi(URI at, String token, @Nullable SSLContext trust) {
        this.at = at;
        this.token = token;
        HttpClient.Builder client = HttpClient.newBuilder().connectTimeout(CONNECT);
        http = (trust == null ? client : client.sslContext(trust)).build();
    }

    /** A counter and its committed value. */
    record Counter(String name, long value) {}

    /** Some counters, and whether there are more than the limit. */
    record Counters(List<Counter> list, boolean hasMore) {}

    /** There is no such counter; the message comes from the collector. */
    static final class UnknownCounter extends IOException {
        UnknownCounter(String message) {
            super(message);
        }
    }

    /** One server-sent event. */
    record Event(String type, String data) {}

    /** Receives events. */
    @FunctionalInterface
    interface Events {
        /** Receives the next event; returns whether it wants more. */
        boolean take(Event event) throws IOException;
    }

    /**
     * Reads one counter.
     *
     * @throws UnknownCounter if there is none with this name; the message names similar ones
     */
    Counter counter(String name) throws IOException {
        try (InputStream body = ask("GET", "/api/counters/" + encoded(name))) {
            JsonElement json = JsonParser.parseReader(new InputStreamReader(body, UTF_8));
            return new Counter(
                    json.getAsJsonObject().get("name").getAsString(),
                    json.getAsJsonObject().get("value").getAsLong());
        } catch (JsonParseException | IllegalStateException | NullPointerException other) {
            throw notACollector(other);
        }
    }

    /**
     * Lists counters by name.
     *
     * @param prefix their names begin with it
     * @param part their names contain it, whatever the case
     */
    Counters counters(String prefix, String part, int max) throws IOException {
        String query = "?limit=" + max + (prefix.isEmpty() ? "" : "&prefix=" + encoded(prefix))
                + (part.isEmpty() ? "" : "&q=" + encoded(part));
        List<Counter> list = new ArrayList<>();
        boolean hasMore = false;
        try (JsonReader json = new JsonReader(new InputStreamReader(ask("GET", "/api/counters" + query), UTF_8))) {
            json.beginObject();
            while (json.hasNext()) {
                if (json.nextName().equals("counters")) {
                    json.beginArray();
                    while (json.hasNext()) {
                        list.add(counter(json));
                    }
                    json.endArray();
                } else {
                    hasMore = true;
                    json.skipValue();
                }
            }
            return new Counters(list, hasMore);
        } catch (IllegalStateException | NumberFormatException other) {
            throw notACollector(other);
        }
    }

    private static Counter counter(JsonReader json) throws IOException {
        String name = "";
        long value = 0;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "name" -> name = json.nextString();
                case "value" -> value = json.nextLong();
                default -> json.skipValue();
            }
        }
        json.endObject();
        return new Counter(name, value);
    }

    /** Removes a counter, and returns the collector's answer. */
    JsonElement remove(String name) throws IOException {
        try (InputStream body = ask("DELETE", "/api/counters/" + encoded(name))) {
            return JsonParser.parseReader(new InputStreamReader(body, UTF_8));
        } catch (JsonParseException other) {
            throw notACollector(other);
        }
    }

    /**
     * Reads server-sent events until they are no longer wanted, or this time has passed.
     *
     * @throws IOException if the collector does not answer, or ends
     */
    void events(String path, Duration atMost, Events events) throws IOException {
        AtomicBoolean isOver = new AtomicBoolean();
        try (InputStream body = ask("GET", path)) {
            CompletableFuture.delayedExecutor(atMost.toMillis(), TimeUnit.MILLISECONDS)
                    .execute(() -> {
                        isOver.set(true);
                        close(body);
                    });
            BufferedReader lines = new BufferedReader(new InputStreamReader(body, UTF_8));
            String type = "message";
            String data = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("event: ")) {
                    type = line.substring("event: ".length());
                } else if (line.startsWith("data: ")) {
                    data = line.substring("data: ".length());
                } else if (line.isEmpty() && !data.isEmpty()) {
                    if (!events.take(new Event(type, data))) {
                        return;
                    }
                    type = "message";
                    data = "";
                }
            }
        } catch (IOException broken) {
            if (!isOver.get()) {
                throw broken;
            }
        }
        if (isOver.get()) {
            return;
        }
        throw new IOException("the collector at " + at + " has closed the connection; it may have ended");
    }

    private static void close(InputStream body) {
        try {
            body.close();
        } catch (IOException closed) {
            // It is closed anyway.
        }
    }

    /** Encodes a text as a part of a path or a query. */
    static String encoded(String text) {
        return URLEncoder.encode(text, UTF_8).replace("+", "%20");
    }

    private InputStream ask(String method, String path) throws IOException {
        HttpRequest.Builder asked = HttpRequest.newBuilder(URI.create(at + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .timeout(ANSWER);
        HttpRequest request = (token.isEmpty() ? asked : asked.header("Authorization", "Bearer " + token)).build();
        HttpResponse<InputStream> response;
        try {
            response = http.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", hurried);
        } catch (IOException unreachable) {
            throw new IOException(
                    "no collector answers at " + at + " (" + said(unreachable)
                            + "); start one, or give the address of its page with --at http://HOST:PORT",
                    unreachable);
        }
        if (response.statusCode() == 200) {
            return response.body();
        }
        try (InputStream body = response.body()) {
            String message = message(new String(body.readNBytes(16 * 1024), UTF_8));
            if (response.statusCode() == NOT_FOUND && path.startsWith("/api/counters/") && message != null) {
                // The rest is for programs that build paths themselves.
                throw new UnknownCounter(message.replaceFirst("\\. /api/.*", "; get '*PART*' lists names"));
            }
            if (response.statusCode() == UNAUTHORIZED) {
                throw new IOException("the collector at " + at + " needs its token; set "
                        + CollectorFlag.TOKEN.variable()
                        + ", or give --token-file FILE. If it takes client certificates"
                        + " only, give it a token, too: commands have no certificate");
            }
            throw new IOException(at + " answers " + response.statusCode() + ": "
                    + (message == null ? "which a collector never does; check --at" : message));
        }
    }

    private static String said(IOException unreachable) {
        Throwable cause = unreachable;
        while (cause.getMessage() == null && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null
                ? unreachable instanceof java.net.ConnectException ? "connection refused" : unreachable.toString()
                : cause.getMessage();
    }

    /** The message of a collector's error; null if the body has none. */
    private static @Nullable String message(String body) {
        try {
            return Escaped.text(JsonParser.parseString(body)
                    .getAsJsonObject()
                    .getAsJsonObject("error")
                    .get("message")
                    .getAsString());
        } catch (JsonParseException | IllegalStateException | NullPointerException | ClassCastException other) {
            return null;
        }
    }

    private IOException notACollector(RuntimeException other) {
        return new IOException("what answers at " + at + " is not a collector of this version; check --at", other);
    }
}
