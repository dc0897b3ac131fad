package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Runs {@code bin/demo} as a user does. */
class DemoScriptIT {
    private static final String SCRIPT =
            Path.of("../bin/demo").toAbsolutePath().normalize().toString();

    private static long value(String counters, String name) {
        Matcher value = Pattern.compile("\"" + Pattern.quote(name) + "\", \"value\": (-?\\d+)")
                .matcher(counters);
        return value.find() ? Long.parseLong(value.group(1)) : 0;
    }

    @Test
    void the_demo_shows_moving_counters_and_leaves_no_process_when_stopped() throws Exception {
        int httpPort = Ports.reserve();
        try (Program demo = Program.start(
                SCRIPT,
                "--udp-port",
                Integer.toString(Ports.reserve()),
                "--http-port",
                Integer.toString(httpPort),
                "--shop-port",
                Integer.toString(Ports.reserve()))) {
            HttpRequest counters = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/api/counters"))
                    .build();
            HttpClient web = HttpClient.newHttpClient();
            List<String> names = List.of("orders.placed", "carts.opened", "warehouse.picked");
            await("counters that move")
                    .atMost(Duration.ofSeconds(60))
                    .ignoreException(ConnectException.class)
                    .untilAsserted(() -> {
                        assertThat(demo.isRunning()).as("%s", demo).isTrue();
                        String body = web.send(counters, HttpResponse.BodyHandlers.ofString())
                                .body();
                        assertThat(names).allMatch(name -> value(body, name) > 0);
                    });
            String first =
                    web.send(counters, HttpResponse.BodyHandlers.ofString()).body();
            await("counters keep moving").atMost(Duration.ofSeconds(60)).untilAsserted(() -> {
                String body =
                        web.send(counters, HttpResponse.BodyHandlers.ofString()).body();
                assertThat(names).allMatch(name -> value(body, name) > value(first, name));
            });
            demo.awaitLine("orders\\.placed");

            List<ProcessHandle> started = demo.descendants();
            assertThat(started).as("collector, shop and watch").hasSizeGreaterThanOrEqualTo(3);
            demo.stop();

            await("no process is left").untilAsserted(() -> assertThat(started).noneMatch(ProcessHandle::isAlive));
        }
    }

    @Test
    void a_port_in_use_is_reported_with_its_option() throws Exception {
        try (Program holder = Program.java("-jar", Jars.shop().toString(), "--port", "0")) {
            String port = holder.awaitLine("listening on http://[^:]+:(\\d+)").group(1);

            try (Program demo = Program.start(
                    SCRIPT,
                    "--udp-port",
                    Integer.toString(Ports.reserve()),
                    "--http-port",
                    Integer.toString(Ports.reserve()),
                    "--shop-port",
                    port)) {
                assertThat(demo.awaitEnd()).isEqualTo(1);
                assertThat(demo.errors()).anyMatch(line -> line.contains(port) && line.contains("--shop-port"));
            }
        }
    }
}
