package io.counters.collector.otlp;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import io.opentelemetry.proto.metrics.v1.Metric;
import io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;

/**
 * Stands between a program that sends OTLP and one that takes it, and hands on what it gets. It checks each request by OpenTelemetry's
 * "Metrics Data Model": what a series must be, and what one writer may say of it over time.
 */
final class Relay implements AutoCloseable {
    /** What it does with a request. */
    enum Manner {
        FORWARD,
        /** Answered with 503, and not handed on. */
        REFUSE,
        /** Handed on, and answered with 503, as if the answer were lost. */
        LOSE_ANSWER
    }

    /** What breaks the specification. */
    final List<String> faults = new CopyOnWriteArrayList<>();

    final AtomicInteger forwarded = new AtomicInteger();
    final AtomicInteger refused = new AtomicInteger();
    volatile Manner manner = Manner.FORWARD;
    private final URI to;
    private final HttpClient web =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    /** By series: its latest point. */
    private final Map<String, NumberDataPoint> latest = new HashMap<>();

    Relay(int port) throws IOException {
        to = URI.create("http://127.0.0.1:" + port + "/v1/metrics");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    String address() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1/metrics";
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            check(exchange, body);
            if (manner == Manner.REFUSE) {
                refused.incrementAndGet();
                exchange.sendResponseHeaders(503, -1);
                return;
            }
            HttpResponse<byte[]> answer;
            try {
                answer = web.send(
                        HttpRequest.newBuilder(to)
                                .timeout(Duration.ofSeconds(20))
                                .header("Content-Type", "application/x-protobuf")
                                .header("Content-Encoding", "gzip")
                                .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofByteArray());
            } catch (IOException away) {
                refused.incrementAndGet();
                exchange.sendResponseHeaders(503, -1);
                return;
            } catch (InterruptedException closed) {
                Thread.currentThread().interrupt();
                return;
            }
            forwarded.incrementAndGet();
            boolean isLost = manner == Manner.LOSE_ANSWER;
            byte[] answered = isLost ? new byte[0] : answer.body();
            exchange.sendResponseHeaders(
                    isLost ? 503 : answer.statusCode(), answered.length == 0 ? -1 : answered.length);
            if (answered.length > 0) {
                exchange.getResponseBody().write(answered);
            }
        }
    }

    private synchronized void check(HttpExchange exchange, byte[] body) {
        demand("application/x-protobuf".equals(exchange.getRequestHeaders().getFirst("Content-Type")), "Content-Type");
        demand("POST".equals(exchange.getRequestMethod()), "the method");
        try (GZIPInputStream plain = new GZIPInputStream(new ByteArrayInputStream(body))) {
            Set<String> inRequest = new HashSet<>();
            for (ResourceMetrics resource :
                    ExportMetricsServiceRequest.parseFrom(plain).getResourceMetricsList()) {
                demand(
                        resource.getResource().getAttributesList().stream()
                                .anyMatch(one -> one.getKey().equals("service.name")),
                        "a resource has a service.name");
                for (ScopeMetrics scope : resource.getScopeMetricsList()) {
                    for (Metric metric : scope.getMetricsList()) {
                        check(metric, inRequest);
                    }
                }
            }
        } catch (IOException malformed) {
            faults.add(malformed.toString());
        }
    }

    private void check(Metric metric, Set<String> inRequest) {
        demand(!metric.getName().isEmpty(), "a metric has a name");
        demand(metric.hasSum(), metric.getName() + " is a sum");
        demand(
                metric.getSum().getAggregationTemporality()
                        == AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE,
                metric.getName() + " is cumulative");
        boolean isMonotonic = metric.getSum().getIsMonotonic();
        for (NumberDataPoint point : metric.getSum().getDataPointsList()) {
            String series = metric.getName() + point.getAttributesList() + isMonotonic;
            String at = series + " " + point.getTimeUnixNano();
            demand(inRequest.add(at), "two points of one request: " + at);
            demand(point.hasAsInt(), "a whole number: " + at);
            demand(
                    point.getStartTimeUnixNano() > 0 && point.getStartTimeUnixNano() < point.getTimeUnixNano(),
                    "the start is known and before the time: " + at);
            demand(!isMonotonic || point.getAsInt() >= 0, "a monotonic sum is not negative: " + at);
            NumberDataPoint before = latest.get(series);
            if (before != null && before.getTimeUnixNano() <= point.getTimeUnixNano()) {
                demand(
                        before.getStartTimeUnixNano() == point.getStartTimeUnixNano(),
                        "the start stays, for the value goes on: " + at);
                demand(
                        !isMonotonic || before.getAsInt() <= point.getAsInt(),
                        "a monotonic sum does not fall: " + at + ", " + before.getAsInt() + ", " + point.getAsInt());
                demand(
                        before.getTimeUnixNano() != point.getTimeUnixNano() || before.getAsInt() == point.getAsInt(),
                        "a second has one value: " + at);
            }
            if (before == null || before.getTimeUnixNano() <= point.getTimeUnixNano()) {
                latest.put(series, point);
            }
        }
    }

    private void demand(boolean isSo, String rule) {
        if (!isSo) {
            faults.add(rule);
        }
    }

    /** How many series it has seen; one that is monotonic and one that is not are two. */
    synchronized int series() {
        return latest.size();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
