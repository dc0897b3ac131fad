package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/**
 * Stands in front of a time series database, hands on every {@code /api/put} and its answer, and keeps every point: a database
 * does not tell that it was given two values for one second.
 */
final class PutRecorder implements AutoCloseable {
    private static final Pattern POINT =
            Pattern.compile("\\{\"metric\":\"([^\"]+)\",\"timestamp\":(\\d+),\"value\":(-?\\d+),\"tags\":\\{([^}]*)}}");

    private final String database;
    private final HttpClient web = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final Map<String, NavigableMap<Long, Long>> points = new TreeMap<>();
    private final List<String> conflicts = new ArrayList<>();
    private long repeated;

    /** @param database the address of a server with {@code /api/put} */
    PutRecorder(String database) throws IOException {
        this.database = database;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    /** The address for the collector's {@code --opentsdb}. */
    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** What the database has confirmed, by the counter's name. */
    synchronized Map<String, NavigableMap<Long, Long>> points() {
        Map<String, NavigableMap<Long, Long>> copy = new TreeMap<>();
        points.forEach((name, all) -> copy.put(name, new TreeMap<>(all)));
        return copy;
    }

    /** Seconds of a counter for which there were two values. */
    synchronized List<String> conflicts() {
        return List.copyOf(conflicts);
    }

    /** How many points came more than once, with the same value. */
    synchronized long repeated() {
        return repeated;
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            // Before it is known whether the database takes it: it may, and the answer be lost.
            record(unpacked(body));
            HttpRequest.Builder put = HttpRequest.newBuilder(URI.create(database + exchange.getRequestURI()))
                    .timeout(Duration.ofSeconds(10))
                    .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
            for (String header : List.of("Content-Type", "Content-Encoding")) {
                exchange.getRequestHeaders().getOrDefault(header, List.of()).forEach(text -> put.header(header, text));
            }
            HttpResponse<byte[]> answer = web.send(put.build(), HttpResponse.BodyHandlers.ofByteArray());
            exchange.sendResponseHeaders(answer.statusCode(), answer.body().length == 0 ? -1 : answer.body().length);
            exchange.getResponseBody().write(answer.body());
        } catch (InterruptedException closing) {
            Thread.currentThread().interrupt();
        }
    }

    private static String unpacked(byte[] gzipped) throws IOException {
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(gzipped))) {
            return new String(in.readAllBytes(), UTF_8);
        }
    }

    private synchronized void record(String json) {
        Matcher point = POINT.matcher(json);
        while (point.find()) {
            String name = point.group(1)
                    + ("," + point.group(4).replace("\"", "").replace(':', '=')).replace(",src=counters", "");
            long second = Long.parseLong(point.group(2));
            Long value = Long.valueOf(point.group(3));
            Long before = points.computeIfAbsent(name, fresh -> new TreeMap<>()).put(second, value);
            if (value.equals(before)) {
                repeated++;
            } else if (before != null) {
                conflicts.add(name + " at " + second + ": " + before + " and " + value);
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
