package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.testsupport.Ports;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A server's host that disappears without closing its connections: a separate network namespace, whose virtual cable is
 * disconnected. Needs root and {@code ip} (iproute2).
 */
@Timeout(300)
@Tag("slow")
@Tag("once")
class VanishedHostTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration NOTICED = Duration.ofSeconds(45);
    private static final int PORT = 8125;

    private final String namespace = "counters" + ProcessHandle.current().pid();
    private final String cable = "ctr" + ProcessHandle.current().pid();

    /** A net for benchmarks (RFC 2544), which is not routed; different for each process, so that two runs do not collide. */
    private final String net = "198.18." + (ProcessHandle.current().pid() / 64 % 256) + ".";

    private final int host = (int) (ProcessHandle.current().pid() % 64) * 4;
    private final String address = net + (host + 2);

    /** Closed in reverse order. */
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!opened.isEmpty()) {
            opened.pop().close();
        }
    }

    private static String run(String... command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), UTF_8);
            return process.waitFor() == 0 ? "" : String.join(" ", command) + ": " + said.strip();
        } catch (IOException missing) {
            return String.valueOf(missing.getMessage());
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }

    private static void must(String command) {
        assertThat(run(command.split(" "))).isEmpty();
    }

    private void makeHost() {
        String cannot = run("ip", "netns", "add", namespace);
        assumeTrue(cannot.isEmpty(), "needs root and iproute2 to make a network namespace: " + cannot);
        open(() -> run("ip", "netns", "del", namespace));
        cannot = run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", namespace);
        assumeTrue(cannot.isEmpty(), "a pair of virtual network devices cannot be made: " + cannot);
        must("ip addr add " + net + (host + 1) + "/30 dev " + cable);
        must("ip link set " + cable + " up");
        must("ip -n " + namespace + " addr add " + address + "/30 dev eth0");
        must("ip -n " + namespace + " link set eth0 up");
    }

    /** A reader on that host. */
    private final class Remote implements AutoCloseable {
        private final Process process;
        private final BufferedReader answers;

        Remote() throws IOException {
            process = new ProcessBuilder(
                            "ip",
                            "netns",
                            "exec",
                            namespace,
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx64m",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            StatsiteReader.class.getName(),
                            address,
                            String.valueOf(PORT))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            answers = process.inputReader(UTF_8);
            assertThat(answers.readLine()).isEqualTo("listening");
        }

        Map<String, Long> counts() throws IOException {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
            Map<String, Long> counts = new HashMap<>();
            for (String line = answers.readLine(); !line.isEmpty(); line = answers.readLine()) {
                String[] parts = line.split("\t", 2);
                counts.put(parts[0], Long.valueOf(parts[1]));
            }
            return counts;
        }

        @Override
        public void close() {
            process.destroyForcibly();
            await().atMost(SOON).until(() -> !process.isAlive());
        }
    }

    private final class Proxy implements AutoCloseable {
        final Metrics metrics = new Metrics();
        final Forwarder forwarder;
        private final Thread loop;

        Proxy(List<Server> servers) throws IOException {
            forwarder = new Forwarder(
                    StatsiteTest.settings(servers),
                    System::nanoTime,
                    System::currentTimeMillis,
                    new Random(1),
                    1000,
                    () -> "0123456789abcdef00000001",
                    new SaidFaults().log(),
                    metrics);
            loop = new Thread(forwarder, "proxy");
            loop.start();
        }

        long remote(String name) {
            return metrics.values().getOrDefault(name + "{server=\"" + address + ":" + PORT + "\"}", -1L);
        }

        @Override
        public void close() {
            forwarder.close();
            await().atMost(SOON).until(() -> !loop.isAlive());
        }
    }

    @Test
    void a_host_that_disappears_is_noticed_and_only_bytes_in_doubt_are_lost() throws Exception {
        makeHost();
        Remote remote = open(new Remote());
        List<StatsiteReader> near = new ArrayList<>();
        List<Server> servers = new ArrayList<>(List.of(Server.of(address + ":" + PORT, 1)));
        for (int i = 0; i < 2; i++) {
            StatsiteReader reader = open(new StatsiteReader(InetAddress.getLoopbackAddress(), Ports.reserve()));
            near.add(reader);
            servers.add(Server.of("127.0.0.1:" + reader.port(), 1));
        }
        Proxy idle = open(new Proxy(servers.subList(0, 1)));
        Proxy busy = open(new Proxy(servers));
        Socket sender = open(new Socket());
        sender.connect(Objects.requireNonNull(busy.forwarder.tcpAddress()));
        byte[] mixed = StatsiteTest.mixed(1);
        int rounds = 0;
        for (; rounds < 500; rounds++) {
            sender.getOutputStream().write(mixed);
        }
        await().atMost(SOON).until(() -> busy.remote("proxy_queued_bytes") == 0 && idle.remote("proxy_up") == 1);

        long vanished;
        try (LogLines log = new LogLines()) {
            must("ip -n " + namespace + " link set eth0 down");
            vanished = System.nanoTime();
            while (busy.remote("proxy_up") == 1 || idle.remote("proxy_up") == 1) {
                sender.getOutputStream().write(mixed);
                rounds++;
                assertThat(Duration.ofNanos(System.nanoTime() - vanished)).isLessThan(NOTICED);
                LockSupport.parkNanos(5_000_000);
            }
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(log.lines())
                            .anySatisfy(line ->
                                    assertThat(line).contains(address, "its host does not answer", "in doubt")));
        }
        int sent = rounds;
        await().atMost(SOON)
                .until(() -> busy.metrics.values().getOrDefault("proxy_messages_total", 0L) == 400L * sent
                        && near.stream()
                                .allMatch(reader ->
                                        reader.counts().values().stream().allMatch(count -> count == sent)));
        long inDoubt = busy.remote("proxy_in_doubt_bytes_total");
        assertThat(inDoubt).isPositive();
        assertThat(busy.remote("proxy_queued_bytes")).as("bytes that wait").isPositive();

        Map<String, Long> before = remote.counts();
        remote.close();
        must("ip -n " + namespace + " link set eth0 up");
        Remote after = open(new Remote());
        await().atMost(SOON).until(() -> busy.remote("proxy_up") == 1 && busy.remote("proxy_queued_bytes") == 0);
        await().atMost(SOON).until(() -> idle.remote("proxy_up") == 1);

        // What was sent last may still be unread there. What arrives twice arrives last.
        await().atMost(SOON).during(Duration.ofSeconds(2)).untilAsserted(() -> {
            Map<String, Long> total = new HashMap<>(before);
            after.counts().forEach((key, count) -> total.merge(key, count, Long::sum));
            near.forEach(reader -> total.putAll(reader.counts()));
            assertThat(total.remove("bad")).isZero();
            assertThat(total).hasSize(400);
            assertThat(total.values()).as("nothing arrives twice").allMatch(count -> count <= sent);
            long lost = total.entrySet().stream()
                    .mapToLong(each -> (sent - each.getValue())
                            * (each.getKey().startsWith("line")
                                    ? each.getKey().length() + 5L
                                    : each.getKey().length() + 13L))
                    .sum();
            assertThat(lost).as("bytes lost").isPositive().isLessThanOrEqualTo(inDoubt);
        });
        assertThat(busy.remote("proxy_dropped_total")).isZero();
    }
}
