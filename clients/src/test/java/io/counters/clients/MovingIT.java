package io.counters.clients;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The steps of docs/operations/moving.md, with the real StatsD. */
class MovingIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Pattern COUNT = Pattern.compile("\\s'?([\\w.]+)'?: (\\d+)");
    private static final int DATAGRAMS = 200;

    @TempDir
    Path folder;

    private int statsdPort;
    private int managementPort;
    private Server collector;
    private Program statsd;

    @BeforeEach
    void start() throws Exception {
        statsdPort = Ports.reserve();
        managementPort = Ports.reserve();
        collector = Server.collector(folder);
        Path config = Files.writeString(
                folder.resolve("statsd.js"), """
                {
                  address: "127.0.0.1",
                  port: %d,
                  mgmt_address: "127.0.0.1",
                  mgmt_port: %d,
                  flushInterval: 3600000,
                  backends: ["./backends/repeater"],
                  repeater: [{ host: "127.0.0.1", port: %d }]
                }
                """.formatted(statsdPort, managementPort, collector.port()));
        statsd = Program.start(
                "node",
                Path.of(System.getProperty("counters.node_modules"), "statsd", "stats.js")
                        .toString(),
                config.toString());
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> !managed("counters").isEmpty());
    }

    @AfterEach
    void stop() {
        statsd.close();
        collector.close();
    }

    /** What StatsD answers on its management port. */
    private String managed(String command) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), managementPort)) {
            socket.setSoTimeout((int) PATIENCE.toMillis());
            socket.getOutputStream().write((command + "\n").getBytes(US_ASCII));
            StringBuilder answer = new StringBuilder();
            while (answer.indexOf("END") < 0) {
                int letter = socket.getInputStream().read();
                if (letter < 0) {
                    break;
                }
                answer.append((char) letter);
            }
            return answer.toString();
        }
    }

    /** StatsD's own counts of what clients sent. */
    private SortedMap<String, Long> counted() throws IOException {
        SortedMap<String, Long> counters = new TreeMap<>();
        Matcher count = COUNT.matcher(managed("counters"));
        while (count.find()) {
            counters.put(count.group(1), Long.valueOf(count.group(2)));
        }
        counters.keySet().removeIf(name -> name.startsWith("statsd."));
        return counters;
    }

    private void send() throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            for (int i = 0; i < DATAGRAMS; i++) {
                byte[] lines = ("orders:1|c\norders.cents:" + i + "|c\nsampled:1|c|@0.5\nlatency:" + i + "|ms")
                        .getBytes(US_ASCII);
                socket.send(new DatagramPacket(lines, lines.length, InetAddress.getLoopbackAddress(), statsdPort));
            }
        }
    }

    @Test
    void statsd_repeats_to_a_collector_that_counts_the_same_and_then_takes_its_port() throws Exception {
        Map<String, Long> once = Map.of("orders", 200L, "orders.cents", 19_900L, "sampled", 400L);

        send();

        await().atMost(PATIENCE).untilAsserted(() -> assertThat(counted()).isEqualTo(once));
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(collector.counters()).isEqualTo(once));
        assertThat(collector.rejected()).isEqualTo(Map.of("statsd_type", (long) DATAGRAMS));

        statsd.terminate();
        statsd.awaitEnd(PATIENCE);
        collector.terminate();
        collector = Server.collector(folder, statsdPort);
        send();

        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(collector.counters())
                        .isEqualTo(Map.of("orders", 400L, "orders.cents", 39_800L, "sampled", 800L)));
    }
}
