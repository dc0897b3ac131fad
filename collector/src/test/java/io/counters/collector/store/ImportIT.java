package io.counters.collector.store;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.publish.Tsd;
import io.counters.testsupport.Brokers;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A collector's ledger moves to a fleet with a real broker: senders, memcached and graphs notice nothing. */
@Tag("once")
@Timeout(300)
class ImportIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int NAMES = 20;
    private static final int SENDERS = 3;

    @TempDir
    Path folder;

    private final Random random = new Random(17);
    private final List<CollectorProgram> started = new ArrayList<>();
    private Brokers brokers;
    private Memcached memcached;
    private Tsd tsd;
    private DatagramSocket socket;
    private final List<Sender> senders =
            Stream.iterate(0, i -> i + 1).limit(SENDERS).map(Sender::new).toList();
    private long withoutTotals;

    @BeforeEach
    void open() throws Exception {
        brokers = Brokers.start(1);
        memcached = new Memcached();
        tsd = new Tsd(put -> 204);
        socket = new DatagramSocket();
    }

    @AfterEach
    void close() throws Exception {
        started.forEach(CollectorProgram::close);
        socket.close();
        tsd.close();
        memcached.close();
        brokers.close();
    }

    private CollectorProgram collector(String name, String... more) throws IOException {
        List<String> settings = new ArrayList<>(List.of(more));
        settings.addAll(List.of(
                "--prefix=shop.",
                "--store=memcached://127.0.0.1:" + memcached.port(),
                "--interval=1s",
                "--opentsdb=" + tsd.address()));
        CollectorProgram collector = CollectorProgram.launch(
                Files.createDirectories(folder.resolve(name)).resolve("data"),
                Map.of(),
                List.of(),
                settings.toArray(String[]::new));
        started.add(collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        return collector;
    }

    private CollectorProgram fleetCollector(String name) throws IOException {
        return collector(name, "--ledger=kafka://" + brokers.bootstrap(), "--instance=" + name);
    }

    /** Runs the command, and returns its output after its exit status. */
    private String runImport(String... more) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "import",
                "--from=" + folder.resolve("one").resolve("data"),
                "--ledger=kafka://" + brokers.bootstrap(),
                "--prefix=shop.",
                "--fleet-partitions=8"));
        command.addAll(List.of(more));
        try (Program process = CollectorProgram.command(command.toArray(String[]::new))) {
            int status = process.awaitEnd(PATIENCE);
            return status + " " + String.join("\n", process.errors()) + String.join("\n", process.output());
        }
    }

    /** An application with totals, some of whose datagrams are lost, and some come twice. */
    private final class Sender {
        private final String id;
        private final long begun = System.nanoTime();
        private final SortedMap<String, Long> totals = new TreeMap<>();
        private long seq;

        Sender(int number) {
            id = String.format("%024x", 0xabc000 + number);
        }

        void count(List<CollectorProgram> to) throws IOException {
            StringBuilder lines = new StringBuilder();
            for (int i = 0; i < 5; i++) {
                String name = "c" + random.nextInt(NAMES);
                long amount = 1L + random.nextInt(9);
                lines.append("increment " + name + " " + amount + " " + totals.merge(name, amount, Long::sum) + "\n");
            }
            String datagram = from() + lines;
            for (int times = random.nextInt(3); times > 0; times--) {
                send(datagram, to);
            }
        }

        void repeat(List<CollectorProgram> to) throws IOException {
            StringBuilder lines = new StringBuilder();
            totals.forEach((name, total) -> lines.append("increment " + name + " 0 " + total + "\n"));
            send(from() + lines, to);
        }

        private String from() {
            return "from " + id + " " + (System.nanoTime() - begun) / 1_000_000 + " " + ++seq + "\n";
        }
    }

    private void send(String text, List<CollectorProgram> to) throws IOException {
        byte[] bytes = text.getBytes(US_ASCII);
        int port = to.get(random.nextInt(to.size())).port();
        socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
    }

    private void count(int datagrams, List<CollectorProgram> to) throws IOException {
        for (int i = 0; i < datagrams; i++) {
            senders.get(random.nextInt(SENDERS)).count(to);
        }
        send("increment plain 5\nthird:0.25|c\n", to);
        withoutTotals++;
    }

    private SortedMap<String, Long> expected() {
        SortedMap<String, Long> sums = new TreeMap<>();
        senders.forEach(sender -> sender.totals.forEach((name, total) -> sums.merge(name, total, Long::sum)));
        sums.put("plain", 5 * withoutTotals);
        // Rounded half up.
        sums.put("third", (withoutTotals + 2) / 4);
        return sums;
    }

    /** Until every counter is exact, at its owner and in memcached; senders repeat their totals meanwhile. */
    private void awaitExact(List<CollectorProgram> all) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> {
            for (Sender sender : senders) {
                sender.repeat(all);
            }
            SortedMap<String, Long> found = new TreeMap<>();
            for (CollectorProgram one : all) {
                found.putAll(one.counters());
            }
            assertThat(found)
                    .as(() -> String.join(
                            "\n", all.stream().map(CollectorProgram::log).toList()))
                    .isEqualTo(expected());
            assertThat(stored()).isEqualTo(expected());
        });
    }

    private SortedMap<String, Long> stored() throws IOException {
        SortedMap<String, Long> stored = new TreeMap<>();
        for (String name : expected().keySet()) {
            String value = memcached.get("shop." + name);
            stored.put(name, value.isEmpty() ? -1 : Long.parseLong(value.strip()));
        }
        return stored;
    }

    @Test
    void counting_goes_on_exactly_in_the_fleet_in_memcached_and_in_graphs() throws Exception {
        CollectorProgram one = collector("one");
        count(200, List.of(one));
        awaitExact(List.of(one));
        assertThat(runImport())
                .startsWith("1 counters import: the data folder")
                .contains("is in use by a collector; stop it, and run the import again");
        one.terminate();
        one.status(PATIENCE);
        SortedMap<String, Long> before = stored();
        assertThat(before).isEqualTo(expected());

        assertThat(runImport("--streams-memory=1k"))
                .startsWith("1 ")
                .contains("it does not fit: with -Xmx", "each of 8 partitions knows all senders with totals (3)");

        assertThat(runImport())
                .startsWith("0 ")
                .contains("imported counters: 22, senders with totals: 3, partitions: 8");

        assertThat(runImport()).startsWith("1 ").contains("already, and its counts are in the fleet");
        assertThat(stored()).isEqualTo(before);
        List<CollectorProgram> fleet = List.of(fleetCollector("two"), fleetCollector("three"));
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> {
            // Also while the fleet begins.
            assertThat(stored()).isEqualTo(before);
            SortedMap<String, Long> values = new TreeMap<>();
            for (CollectorProgram each : fleet) {
                values.putAll(each.counters());
            }
            assertThat(values).isEqualTo(before);
        });
        assertThat(runImport("--add"))
                .startsWith("1 ")
                .contains(
                        "collectors of the fleet run: three, two; stop all of them, and run the import again once their session");

        count(200, fleet);
        awaitExact(fleet);

        await().atMost(PATIENCE).untilAsserted(() -> {
            SortedMap<String, Long> newest = new TreeMap<>();
            tsd.stored.values().stream()
                    .sorted((a, b) -> Long.compare(a.second(), b.second()))
                    .forEach(point -> newest.put(point.metric().replace("shop.", ""), point.value()));
            assertThat(newest).isEqualTo(expected());
        });
        assertThat(tsd.conflicts).isEmpty();
        for (CollectorProgram each : fleet) {
            assertThat(each.metrics())
                    .containsEntry("store_foreign_values_total", 0L)
                    .containsEntry("store_adopted_keys_total", 0L)
                    .containsEntry("store_lost_keys_total", 0L);
            assertThat(each.log()).doesNotContain("WARN another ledger");
        }
    }
}
