package io.counters.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.shop.ShopApplication;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A Boot application as a process of its own, with a collector. */
@Timeout(300)
class ShopIT {
    private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");
    private static final Path AGENT = Path.of("..", "agent", "target", "counters.jar");

    private final HttpClient web = HttpClient.newHttpClient();

    @TempDir
    Path data;

    @Test
    void counts_are_exact_and_the_end_loses_nothing_that_a_request_counts_meanwhile() throws Exception {
        try (CollectorProgram collector = CollectorProgram.start(data);
                Program shop = shop(collector, List.of())) {
            int port = port(shop);
            place(port);

            assertThat(shop.output())
                    .anySatisfy(line -> assertThat(line).contains("Sending counters to " + collector.address()))
                    .anySatisfy(line -> assertThat(line).contains("@Count counts calls of Spring beans"));
            assertThat(get(port, "/actuator/counters"))
                    .contains("\"sentTo\":\"" + collector.address() + "\"")
                    .contains("\"orders.placed\":20")
                    .contains("\"orders.refused\":5");
            endDuringARequest(shop, port);
            collector.awaitCounters(Map.of(
                    "orders.placed", 21L,
                    "orders.refused", 5L,
                    "orders.cents,currency=eur", 27L,
                    "orders.seen", 26L,
                    "orders.closed", 1L));
            assertThat(collector.counters().getOrDefault("orders.open", 0L)).isZero();
            assertThat(requests(collector)).isEqualTo(27);
        }
    }

    @Test
    void with_the_agent_each_call_counts_once_and_the_end_loses_nothing_either() throws Exception {
        try (CollectorProgram collector = CollectorProgram.start(data);
                Program shop = shop(
                        collector,
                        List.of("-javaagent:" + AGENT + "=collector=" + collector.address() + ",app=shop"))) {
            int port = port(shop);
            place(port);

            collector.awaitCounters(
                    Map.of("orders.placed", 20L, "orders.refused", 5L, "orders.cents,currency=eur", 20L));
            assertThat(shop.output())
                    .anySatisfy(line -> assertThat(line).contains("The counters agent of this JVM sends"))
                    .noneSatisfy(line -> assertThat(line).contains("@Count counts calls of Spring beans"));
            endDuringARequest(shop, port);
            collector.awaitCounters(
                    Map.of("orders.placed", 21L, "orders.refused", 5L, "orders.seen", 26L, "orders.closed", 1L));
        }
    }

    private static Program shop(CollectorProgram collector, List<String> java) throws IOException {
        List<String> command = new ArrayList<>(java);
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                ShopApplication.class.getName(),
                "--server.port=0",
                "--server.address=127.0.0.1",
                "--server.shutdown=graceful",
                "--management.endpoints.web.exposure.include=*",
                "--management.counters.export.collector=" + collector.address()));
        return Program.java(command);
    }

    private static int port(Program shop) {
        await().atMost(Duration.ofSeconds(60))
                .until(() -> shop.output().stream().anyMatch(line -> line.contains("Started ShopApplication"))
                        || !shop.isRunning());
        Matcher port = PORT.matcher(String.join("\n", shop.output()));
        assertThat(port.find()).as(shop.toString()).isTrue();
        return Integer.parseInt(port.group(1));
    }

    /** Sends SIGTERM while an order is being placed. */
    private void endDuringARequest(Program shop, int port) throws Exception {
        try (ServerSocket later = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<HttpResponse<String>> response = web.sendAsync(
                    request(port, "/place-later?cents=7&port=" + later.getLocalPort()), BodyHandlers.ofString());
            Socket placing = later.accept();
            shop.terminate();
            await().until(() -> shop.output().stream().anyMatch(line -> line.contains("graceful shutdown")));
            placing.close();

            assertThat(response.get().body()).startsWith("placed");
            shop.awaitEnd(Duration.ofSeconds(60));
        }
    }

    /** 20 orders, and 5 that are refused. */
    private void place(int port) throws Exception {
        for (int i = 0; i < 25; i++) {
            get(port, "/place?cents=" + (i < 20 ? 1 : 0));
        }
    }

    private static long requests(CollectorProgram collector) throws IOException {
        return collector.counters().entrySet().stream()
                .filter(counter -> counter.getKey().startsWith("http.server.requests.count"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private String get(int port, String path) throws Exception {
        return web.send(request(port, path), BodyHandlers.ofString()).body();
    }

    private static HttpRequest request(int port, String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .build();
    }
}
