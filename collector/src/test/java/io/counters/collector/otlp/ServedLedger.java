package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Route;
import io.counters.collector.intake.Kept;
import io.counters.collector.intake.LineTarget;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;
import io.opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.GZIPOutputStream;

/** A ledger in memory, and the port for OTLP in front of it; its clock is the time of the last request's points. */
final class ServedLedger implements AutoCloseable {
    final AtomicLong nowSeconds = new AtomicLong(1_000);
    final Metrics metrics = new Metrics();
    final SaidFaults said = new SaidFaults();
    final Ledger ledger;
    private final HttpPort port;
    private final HttpClient web = HttpClient.newHttpClient();

    /** Whether lines that were taken are kept. */
    volatile boolean keeps = true;

    /** Runs while a request is converted. */
    volatile Runnable taking = () -> {};

    private final boolean isAlone;

    ServedLedger(String... tags) throws IOException {
        this(new OtlpSettings(0, List.of(tags.length == 0 ? new String[] {"*"} : tags), List.of(), 4 << 20, 250));
    }

    ServedLedger(OtlpSettings settings) throws IOException {
        this(LedgerSettings.in(Path.of("unused")), settings);
    }

    ServedLedger(LedgerSettings bounds, OtlpSettings settings) throws IOException {
        this(bounds, settings, true);
    }

    ServedLedger(LedgerSettings bounds, OtlpSettings settings, boolean isAlone) throws IOException {
        this.isAlone = isAlone;
        ledger = new Ledger(
                bounds,
                false,
                () -> TimeUnit.SECONDS.toMillis(nowSeconds.get()),
                nowSeconds::get,
                new LedgerState(1, new SeededHash(new Random(1))),
                metrics);
        port = new HttpPort(settings.at(), List.of(route(settings)), System::nanoTime, said.log(), metrics, work -> {
            Thread thread = new Thread(work, "counters-otlp");
            thread.setDaemon(true);
            return thread;
        });
        port.start();
    }

    private Route route(OtlpSettings settings) {
        return new OtlpRoute(
                        settings,
                        LineTarget.of(ledger),
                        lines -> {
                            taking.run();
                            boolean isTaken = ledger.batch(lines);
                            return () -> isTaken ? keeps ? Kept.ALL : Kept.LATE : Kept.NO_ROOM;
                        },
                        isAlone,
                        new Random(2),
                        () -> Instant.ofEpochSecond(nowSeconds.get()),
                        said.log(),
                        metrics)
                .route();
    }

    long value(String name) {
        return ledger.value(name);
    }

    long counted(String metric) {
        return metrics.values().getOrDefault(metric, 0L);
    }

    /** Sends a request in protobuf, which must be answered with 200; returns the answer. */
    ExportMetricsServiceResponse send(ExportMetricsServiceRequest request) throws Exception {
        HttpResponse<byte[]> answer = post(request.toByteArray(), "Content-Type", "application/x-protobuf");
        if (answer.statusCode() != 200) {
            throw new AssertionError("answered with " + answer.statusCode() + " " + new String(answer.body(), UTF_8));
        }
        return ExportMetricsServiceResponse.parseFrom(answer.body());
    }

    HttpResponse<byte[]> post(byte[] body, String... headers) throws Exception {
        return web.send(
                HttpRequest.newBuilder(
                                URI.create("http://127.0.0.1:" + port.address().getPort() + "/v1/metrics"))
                        .timeout(Duration.ofSeconds(30))
                        .headers(headers)
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.ofByteArray());
    }

    static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    @Override
    public void close() {
        port.close();
    }
}
