package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Runs {@code bin/fleet-demo} as a user does. */
@Tag("once")
class FleetDemoScriptIT {
    private static final String SCRIPT =
            Path.of("../bin/fleet-demo").toAbsolutePath().normalize().toString();
    private static final Pattern REQUESTS = Pattern.compile("^requests +(\\d+) +(?:\\+\\d+)? +(\\d+)$");

    private static String ports(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> {
                    try {
                        return Integer.toString(Ports.reserve());
                    } catch (IOException none) {
                        throw new AssertionError(none);
                    }
                })
                .collect(Collectors.joining(","));
    }

    private static Program demo(String shopPort) throws IOException {
        return Program.start(
                "env",
                Jars.QUICK_JVMS,
                SCRIPT,
                "--udp-port",
                ports(1),
                "--collector-ports",
                ports(3),
                "--http-ports",
                ports(3),
                "--kafka-ports",
                ports(6),
                "--shop-port",
                shopPort,
                "--memcached-port",
                ports(1),
                "--every",
                "24");
    }

    /** The lines of the counter {@code requests}: what the fleet has counted, and what the shop says. */
    private static List<MatchResult> requests(Program demo) {
        return demo.output().stream()
                .map(REQUESTS::matcher)
                .filter(line -> line.find())
                .map(line -> line.toMatchResult())
                .toList();
    }

    @Test
    void the_sums_go_on_when_a_collector_and_a_broker_are_killed() throws Exception {
        try (Program demo = demo(ports(1))) {
            demo.awaitLine("^requests +[1-9]", Duration.ofMinutes(3));

            for (String event : List.of(
                    "kill -9: collector 1;",
                    "collector 1 is started again",
                    "kill -9: broker 1;",
                    "broker 1 is started again")) {
                demo.awaitLine(event, Duration.ofMinutes(3));
                // What the shop has counted by now is in the fleet soon.
                List<MatchResult> before = requests(demo);
                long shop = Long.parseLong(before.get(before.size() - 1).group(2));
                await(event)
                        .atMost(Duration.ofMinutes(2))
                        .failFast("the demo ended", () -> !demo.isRunning())
                        .until(() -> requests(demo).stream().anyMatch(line -> Long.parseLong(line.group(1)) >= shop));
            }
            // The shop is asked after the fleet.
            assertThat(requests(demo)).allMatch(line -> Long.parseLong(line.group(1)) <= Long.parseLong(line.group(2)));

            List<ProcessHandle> started = demo.descendants();
            assertThat(started)
                    .as("brokers, collectors, spreader, shop and watch")
                    .hasSizeGreaterThanOrEqualTo(9);
            demo.stop();
            await("no process is left").untilAsserted(() -> assertThat(started).noneMatch(ProcessHandle::isAlive));
        }
    }

    @Test
    void a_port_in_use_is_reported_with_its_option() throws Exception {
        try (Program holder = Program.java("-jar", Jars.shop().toString(), "--port", "0")) {
            String port = holder.awaitLine("listening on http://[^:]+:(\\d+)").group(1);

            try (Program demo = demo(port)) {
                assertThat(demo.awaitEnd()).isEqualTo(1);
                assertThat(demo.errors()).anyMatch(line -> line.contains(port) && line.contains("--shop-port"));
            }
        }
    }

    @Test
    void a_wrong_number_of_ports_is_told() throws Exception {
        try (Program demo = Program.start(SCRIPT, "--kafka-ports", "1,2,3")) {
            assertThat(demo.awaitEnd()).isEqualTo(1);
            assertThat(demo.errors()).contains("bin/fleet-demo: --kafka-ports is 1,2,3, which is not six ports");
        }
    }
}
