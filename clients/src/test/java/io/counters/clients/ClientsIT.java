package io.counters.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Real StatsD clients, each with its own features, send to a collector, and through a proxy to two collectors. Prints a table
 * of what they sent and what was counted. Only lines that docs/protocol.md describes as rejected may be rejected.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ClientsIT {
    private static final Path DRIVERS = Path.of("src", "test", "drivers").toAbsolutePath();
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final BigDecimal HALF = new BigDecimal("0.5000000001");
    private static final String LINE = "%-32s %-4s %-8s %-9s %-9s %8s %8s %8s  %-24s %s%n";

    private Path folder;
    private Server collector;
    private Server proxy;
    private final List<Server> behindTheProxy = new ArrayList<>();

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        this.folder = folder;
        collector = Server.collector(folder.resolve("collector"));
        behindTheProxy.add(Server.collector(folder.resolve("first")));
        behindTheProxy.add(Server.collector(folder.resolve("second")));
        proxy = Server.proxy(folder.resolve("proxy"), behindTheProxy);
        System.out.printf(
                LINE, "client", "by", "buffered", "what", "to", "called", "sent", "counted", "rejected", "counters");
    }

    @AfterAll
    void stop() {
        servers().forEach(Server::close);
    }

    private List<Server> servers() {
        List<Server> servers = new ArrayList<>(behindTheProxy);
        servers.add(proxy);
        servers.add(collector);
        return servers;
    }

    /** All rows, or those that match {@code -Dclients=REGEX}. */
    static List<Row> rows() {
        Pattern some = Pattern.compile(System.getProperty("clients", ""));
        return Row.all().stream()
                .filter(row -> some.matcher(row.toString()).find())
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("rows")
    void lines_of_a_client_are_counted(Row row) throws Exception {
        assumeThat(row.transport() != Row.Transport.UNIX
                        || !row.client().driver().contains("node")
                        || hasUnixDgram())
                .as("npm could compile unix-dgram")
                .isTrue();
        SortedMap<String, Long> rejectedBefore = Server.rejected(servers());
        Server server = row.proxied() ? proxy : collector;

        try (Tap tap = Tap.start(row, server.port(), Server.unixSocket(folder.resolve("collector")), folder)) {
            drive(row, tap);
            try {
                await().atMost(PATIENCE)
                        .until(() -> isCounted(tap, counters(row))
                                && rejectedSince(rejectedBefore).equals(tap.rejected()));
            } catch (ConditionTimeoutException late) {
                // The assertions below report what is missing.
            }

            Map<String, Long> counters = counters(row);
            Map<String, Long> rejected = rejectedSince(rejectedBefore);
            System.out.printf(
                    LINE,
                    row.client().name(),
                    row.transport(),
                    row.buffered() ? "yes" : "no",
                    row.what(),
                    row.proxied() ? "proxy" : "collector",
                    row.what().called,
                    tap.sent()
                            .setScale(2, RoundingMode.HALF_UP)
                            .stripTrailingZeros()
                            .toPlainString(),
                    sum(counters),
                    rejected.isEmpty() ? "" : rejected,
                    String.join(" ", counters.keySet()));
            assertThat(rejected).as("rejected of %s", tap.examples()).isEqualTo(tap.rejected());
            assertThat(isCounted(tap, counters))
                    .as("%s is %s, for %s", counters, tap.countable(), tap.examples())
                    .isTrue();
            assertThat(counters.keySet())
                    .as("the names of %s", tap.examples())
                    .isEqualTo(tap.countable().signum() == 0 ? Set.of() : row.counters());
            if (row.isSentWhole()) {
                assertThat(tap.sent())
                        .as("amounts sent by the client, compared with those in its calls")
                        .isGreaterThanOrEqualTo(BigDecimal.valueOf(row.what().called));
            }
        }
    }

    /** Whether the counters are equal to the rounded sum of the lines, which may have a fraction. */
    private static boolean isCounted(Tap tap, Map<String, Long> counters) {
        return tap.countable().subtract(BigDecimal.valueOf(sum(counters))).abs().compareTo(HALF) <= 0;
    }

    private static boolean hasUnixDgram() {
        return Files.exists(
                Path.of(System.getProperty("counters.node_modules"), "unix-dgram/build/Release/unix_dgram.node"));
    }

    private Map<String, Long> counters(Row row) throws IOException, InterruptedException {
        Map<String, Long> counters = new TreeMap<>();
        for (Server server : row.proxied() ? behindTheProxy : List.of(collector)) {
            server.counters().forEach((name, value) -> {
                if (name.startsWith(row.beginning())) {
                    counters.put(counters.containsKey(name) ? name + " also at the second collector" : name, value);
                }
            });
        }
        return counters;
    }

    private static long sum(Map<String, Long> counters) {
        return counters.values().stream().mapToLong(Long::longValue).sum();
    }

    private Map<String, Long> rejectedSince(SortedMap<String, Long> before) throws IOException, InterruptedException {
        Map<String, Long> since = new TreeMap<>(Server.rejected(servers()));
        since.replaceAll((reason, lines) -> lines - before.getOrDefault(reason, 0L));
        since.values().removeIf(lines -> lines == 0);
        return since;
    }

    private void drive(Row row, Tap tap) throws Exception {
        if (row.client().driver().isEmpty()) {
            JavaDriver.drive(row, tap);
            return;
        }
        List<String> command = new ArrayList<>(row.client().driver());
        command.addAll(List.of(
                row.client().name(),
                row.transport().name().toLowerCase(Locale.ROOT),
                Boolean.toString(row.buffered()),
                row.what().name().toLowerCase(Locale.ROOT),
                tap.address(),
                row.counter()));
        Path output = folder.resolve("driver-output");
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(DRIVERS.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("NODE_PATH", System.getProperty("counters.node_modules"));
        builder.environment().put("NODE_NO_WARNINGS", "1");
        Process driver = builder.start();
        try {
            assertThat(driver.waitFor(60, TimeUnit.SECONDS))
                    .as("the driver ends")
                    .isTrue();
            assertThat(driver.exitValue())
                    .as("the driver's exit status; it printed: %s", Files.readString(output))
                    .isZero();
        } finally {
            driver.destroyForcibly();
        }
    }
}
