package io.counters.collector.otlp;

import static io.counters.collector.otlp.Exports.cumulative;
import static io.counters.collector.otlp.Exports.delta;
import static io.counters.collector.otlp.Exports.point;
import static io.counters.collector.otlp.Exports.request;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.LongUpDownCounter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.javaagent.OpenTelemetryAgent;
import io.opentelemetry.sdk.common.export.RetryPolicy;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.AggregationTemporalitySelector;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** OpenTelemetry's SDK, its Java agent and plain clients send to a collector that is killed meanwhile. */
@Timeout(180)
class OtlpIT {
    private static final String KEY = "nightly-6f1c0a9be2d34/1";

    @TempDir
    Path folder;

    private final HttpClient web = HttpClient.newHttpClient();

    private CollectorProgram collector(int port) throws Exception {
        return CollectorProgram.start(folder.resolve("data"), "--otlp-port=" + port, "--otlp-tags=*,service.name");
    }

    /** Counts while the collector is killed twice. What was not answered is sent again by the SDK. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_the_sdk_counts_is_exact_while_the_collector_is_killed(boolean isDelta) throws Exception {
        int port = Ports.reserve();
        CollectorProgram collector = collector(port);
        OtlpHttpMetricExporter exporter = OtlpHttpMetricExporter.builder()
                .setEndpoint(collector.otlpAddress() + "/v1/metrics")
                .setCompression("gzip")
                .setAggregationTemporalitySelector(
                        isDelta
                                ? AggregationTemporalitySelector.deltaPreferred()
                                : AggregationTemporalitySelector.alwaysCumulative())
                .setTimeout(Duration.ofSeconds(60))
                .setRetryPolicy(RetryPolicy.builder()
                        .setMaxAttempts(5)
                        .setInitialBackoff(Duration.ofSeconds(2))
                        .setMaxBackoff(Duration.ofSeconds(20))
                        .build())
                .build();
        try (SdkMeterProvider sdk = SdkMeterProvider.builder()
                .registerMetricReader(PeriodicMetricReader.builder(exporter)
                        .setInterval(Duration.ofMillis(50))
                        .build())
                .build()) {
            LongCounter orders = sdk.get("shop").counterBuilder("orders.placed").build();
            LongUpDownCounter open =
                    sdk.get("shop").upDownCounterBuilder("carts.open").build();
            Attributes card = Attributes.of(AttributeKey.stringKey("method"), "card");
            String name = "orders.placed,method=card,service.name=unknown_service_java";
            for (int kills = 0; kills < 3; kills++) {
                for (int i = 0; i < 1_000; i++) {
                    orders.add(1, card);
                    open.add(i % 2 == 0 ? 3 : -2);
                }
                CollectorProgram running = collector;
                await().until(() -> running.counters().containsKey(name));
                if (kills < 2) {
                    collector.kill();
                    collector = collector(port);
                }
            }
            sdk.forceFlush().join(60, TimeUnit.SECONDS);

            collector.awaitCounter(name, 3_000);
            collector.awaitCounter("carts.open,service.name=unknown_service_java", 1_500);
        } finally {
            collector.close();
        }
    }

    @Test
    void requests_that_are_sent_again_after_a_kill_count_once() throws Exception {
        int port = Ports.reserve();
        long now = Instant.now().getEpochSecond();
        byte[] export = request(
                        "a",
                        cumulative("orders", point(now - 60, now, 3)),
                        delta("payments", point(now - 10, now, 5, "method", "card")))
                .toByteArray();
        CollectorProgram collector = collector(port);
        try {
            for (int i = 0; i < 3; i++) {
                String counted = post(
                        collector, "/count", "increment mails 7\nhits:2|c".getBytes(UTF_8), "Idempotency-Key", KEY);
                post(collector, "/v1/metrics", export, "Content-Type", "application/x-protobuf");

                // The answers came after the commit.
                collector.kill();
                assertThat(counted).isEqualTo("{\"counted\":2,\"rejected\":0,\"lines\":[]}\n");
                collector = collector(port);
                assertThat(collector.counters())
                        .containsEntry("orders,service.name=shop", 3L)
                        .containsEntry("payments,method=card,service.name=shop", 5L)
                        .containsEntry("mails", 7L)
                        .containsEntry("hits", 2L);
            }
        } finally {
            collector.close();
        }
    }

    private String post(CollectorProgram collector, String path, byte[] body, String... headers) throws Exception {
        HttpResponse<String> answer = web.send(
                HttpRequest.newBuilder(URI.create(collector.otlpAddress() + path))
                        .timeout(Duration.ofSeconds(30))
                        .headers(headers)
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isBetween(200, 202);
        return answer.body();
    }

    /** A program that knows nothing of counters, under OpenTelemetry's agent. */
    @Test
    @Tag("once")
    void the_java_agent_sends_here_and_the_sum_goes_on_over_restarts() throws Exception {
        String agent = List.of(System.getProperty("java.class.path").split(File.pathSeparator)).stream()
                .filter(path -> path.contains("opentelemetry-javaagent"))
                .findFirst()
                .orElseThrow();
        assertThat(OpenTelemetryAgent.class.getName()).isNotEmpty();
        try (CollectorProgram collector = collector(0)) {
            for (int runs = 1; runs <= 2; runs++) {
                try (Program shop = Program.java(
                        "-javaagent:" + agent,
                        "-Dotel.exporter.otlp.endpoint=" + collector.otlpAddress(),
                        "-Dotel.traces.exporter=none",
                        "-Dotel.logs.exporter=none",
                        "-Dotel.service.name=shop",
                        "-Dotel.metric.export.interval=500",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CountingProgram.class.getName())) {
                    assertThat(shop.awaitEnd(Duration.ofSeconds(90)))
                            .as(shop::toString)
                            .isZero();
                }
                collector.awaitCounter("orders.placed,method=card,service.name=shop", 1_000L * runs);
            }
            assertThat(collector.counters()).containsKey("jvm.class.loaded,service.name=shop");
            assertThat(collector.metric("otlp_malformed_requests_total")).isZero();
        }
    }
}
