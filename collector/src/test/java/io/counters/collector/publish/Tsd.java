package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import okhttp3.HttpUrl;

/** The {@code /api/put} of a TSD, on loopback; a test chooses its answers. */
public final class Tsd implements AutoCloseable {
    private static final Pattern POINT =
            Pattern.compile("\\{\"metric\":\"([^\"]+)\",\"timestamp\":(\\d+),\"value\":(-?\\d+),\"tags\":\\{([^}]+)}}");

    /** Handles a request, by its number, from 1. */
    @FunctionalInterface
    public interface Manner {
        void answer(int number, Put put) throws IOException;
    }

    /** One received request. */
    public record Put(HttpExchange exchange, String target, int wireBytes, Map<String, String> headers, String json) {
        void answer(int status, String body) throws IOException {
            byte[] bytes = body.getBytes(UTF_8);
            exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
            exchange.getResponseBody().write(bytes);
        }

        List<Point> points() {
            return Tsd.points(json);
        }

        /** Announces more than it sends, and closes. */
        void answerHalf(int status, String body) throws IOException {
            byte[] bytes = body.getBytes(UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes, 0, bytes.length / 2);
            exchange.getResponseBody().flush();
        }
    }

    /** One point. */
    public record Point(String metric, long second, long value, String tags) {
        String key() {
            return metric + "{" + tags + "} " + second;
        }

        /** Its JSON in a TSD's answer, whose order is arbitrary. */
        String named(String error) {
            return "{\"datapoint\":{\"value\":\"" + value + "\",\"tags\":{" + tags + "},\"metric\":\"" + metric
                    + "\",\"timestamp\":" + second + "},\"error\":\"" + error + "\"}";
        }
    }

    final List<Put> puts = new CopyOnWriteArrayList<>();
    public final Map<String, Point> stored = new ConcurrentHashMap<>();
    /** Points that arrived with another value than before. */
    public final List<String> conflicts = new CopyOnWriteArrayList<>();

    private final CountDownLatch closing = new CountDownLatch(1);
    private final AtomicInteger number = new AtomicInteger();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final Manner manner;

    /** A server that answers with a status, and stores the points if that is 204. */
    public Tsd(ToIntFunction<Put> status) throws IOException {
        this.manner = (number, put) -> {
            int answer = status.applyAsInt(put);
            if (answer == 204) {
                store(put);
            }
            put.answer(answer, "");
        };
        server = opened();
    }

    public Tsd(Manner manner) throws IOException {
        this.manner = manner;
        server = opened();
    }

    private HttpServer opened() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
        return server;
    }

    public HttpUrl address() {
        HttpUrl address =
                HttpUrl.parse("http://127.0.0.1:" + server.getAddress().getPort());
        if (address == null) {
            throw new IllegalStateException();
        }
        return address;
    }

    /** Stores the points of a request. */
    void store(Put put) {
        points(put.json).forEach(this::store);
    }

    /** Stores a point; records two values of one second, because a real TSD cannot handle them. */
    void store(Point point) {
        Point before = stored.put(point.key(), point);
        if (before != null && !before.equals(point)) {
            conflicts.add(before + " and " + point);
        }
    }

    /** Does not answer until this server is closed. */
    void hang() {
        try {
            closing.await();
        } catch (InterruptedException ending) {
            Thread.currentThread().interrupt();
        }
    }

    static List<Point> points(String json) {
        List<Point> points = new ArrayList<>();
        Matcher point = POINT.matcher(json);
        StringBuilder again = new StringBuilder("[");
        while (point.find()) {
            points.add(new Point(
                    point.group(1), Long.parseLong(point.group(2)), Long.parseLong(point.group(3)), point.group(4)));
            again.append(again.length() == 1 ? "" : ",").append(point.group());
        }
        if (!again.append(']').toString().equals(json)) {
            throw new IllegalArgumentException("no JSON of points: " + json);
        }
        return points;
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] wire = exchange.getRequestBody().readAllBytes();
            Map<String, String> headers = new ConcurrentHashMap<>();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(name, values.get(0)));
            String json = new String(new GZIPInputStream(new java.io.ByteArrayInputStream(wire)).readAllBytes(), UTF_8);
            Put put = new Put(
                    exchange, exchange.getRequestMethod() + " " + exchange.getRequestURI(), wire.length, headers, json);
            puts.add(put);
            manner.answer(number.incrementAndGet(), put);
        }
    }

    @Override
    public void close() {
        closing.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
