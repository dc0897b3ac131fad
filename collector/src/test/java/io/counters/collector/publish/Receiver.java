package io.counters.collector.publish;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A server on loopback that accepts remote write at {@code /write} and OTLP at {@code /otlp}. Like Prometheus it refuses a
 * request that has a value which is older than one it has, or another value for the same second.
 */
public final class Receiver implements AutoCloseable {
    private final Map<String, NavigableMap<Long, Long>> points = new TreeMap<>();
    private final Map<String, Set<Long>> starts = new TreeMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    private record Point(String series, long second, long value) {}

    public Receiver() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    /** What the setting {@code --sink} has for both. */
    public String sinks() {
        String address = "http://127.0.0.1:" + server.getAddress().getPort();
        return "prometheus:" + address + "/write,otlp:" + address + "/otlp";
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            boolean isTaken = take(exchange.getRequestURI().getPath().equals("/write") ? written(body) : otlp(body));
            byte[] answer = (isTaken ? "" : "out of order sample").getBytes(US_ASCII);
            exchange.sendResponseHeaders(isTaken ? 200 : 400, answer.length == 0 ? -1 : answer.length);
            exchange.getResponseBody().write(answer);
        }
    }

    private static List<Point> written(byte[] body) throws IOException {
        return RemoteWriteFormatTest.series(body).stream()
                .map(one -> new Point(
                        one.substring(0, one.lastIndexOf(' ')),
                        Long.parseLong(one.substring(one.lastIndexOf('@') + 1)) / 1000,
                        Long.parseLong(one.substring(one.lastIndexOf(' ') + 1, one.lastIndexOf('@')))))
                .toList();
    }

    private List<Point> otlp(byte[] body) throws IOException {
        List<Point> all = new ArrayList<>();
        for (var metric : OtlpFormat.metrics(body)) {
            for (var point : metric.getSum().getDataPointsList()) {
                StringBuilder series = new StringBuilder(metric.getName());
                point.getAttributesList()
                        .forEach(tag -> series.append(',')
                                .append(tag.getKey())
                                .append('=')
                                .append(tag.getValue().getStringValue()));
                all.add(new Point(series.toString(), point.getTimeUnixNano() / 1_000_000_000, point.getAsInt()));
                synchronized (this) {
                    starts.computeIfAbsent(series.toString(), fresh -> new TreeSet<>())
                            .add(point.getStartTimeUnixNano());
                }
            }
        }
        return all;
    }

    private synchronized boolean take(List<Point> some) {
        for (Point point : some) {
            NavigableMap<Long, Long> of = points.getOrDefault(point.series, new TreeMap<>());
            boolean isOlder = !of.isEmpty() && point.second < of.lastKey();
            if (isOlder || of.getOrDefault(point.second, point.value) != point.value) {
                return false;
            }
        }
        some.forEach(point ->
                points.computeIfAbsent(point.series, fresh -> new TreeMap<>()).put(point.second, point.value));
        return true;
    }

    /** The values of a series by their seconds: {@code metric,tag=value}, or as Prometheus has it. */
    public synchronized NavigableMap<Long, Long> points(String series) {
        return new TreeMap<>(points.getOrDefault(series, new TreeMap<>()));
    }

    /** The times at which a series of OTLP began, in nanoseconds of Unix time. */
    public synchronized Set<Long> starts(String series) {
        return new TreeSet<>(starts.getOrDefault(series, Set.of()));
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
