package io.counters.collector.backup;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.publish.Tsd;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Memcached;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector is backed up while it counts, killed, and loses its disk. Its senders go on; memcached and the TSD are ahead of
 * what is restored.
 */
@Tag("once")
@Timeout(180)
class BackupIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private int port;
    private final List<CollectorProgram> started = new ArrayList<>();
    private final List<Sender> senders = new ArrayList<>();
    private Path data;
    private Memcached memcached;
    private Tsd tsd;
    private DatagramSocket socket;
    private volatile boolean isCounting;
    private @Nullable Thread counting;
    private long withoutTotals;

    @BeforeEach
    void open() throws Exception {
        data = folder.resolve("data");
        port = Ports.reserve();
        memcached = new Memcached();
        tsd = new Tsd(put -> 204);
        socket = new DatagramSocket();
    }

    @AfterEach
    void close() throws Exception {
        stopCounting();
        started.forEach(CollectorProgram::close);
        socket.close();
        tsd.close();
        memcached.close();
    }

    private CollectorProgram collector() throws IOException {
        CollectorProgram collector = CollectorProgram.start(
                data, port, "--store=" + memcached.url(), "--interval=1s", "--opentsdb=" + tsd.address());
        started.add(collector);
        return collector;
    }

    /** Runs a command, and returns its output after its exit status. */
    private String run(String... command) throws Exception {
        try (Program process = CollectorProgram.command(command)) {
            int status = process.awaitEnd(PATIENCE);
            return status + " " + String.join("\n", process.errors()) + String.join("\n", process.output());
        }
    }

    private String run(String command, Path backup) throws Exception {
        return run(command, "--data-dir=" + data, backup.toString());
    }

    /** An application with totals. */
    private final class Sender {
        private final String from;
        private final long begun = System.nanoTime();
        private final List<String> names;
        private final Map<String, Long> totals = new HashMap<>();
        private long seq;

        Sender(String id, String... names) {
            from = "from " + id + " ";
            this.names = List.of(names);
        }

        /** Counts one of its names, or repeats its totals. */
        void send(boolean counts) throws IOException {
            StringBuilder lines =
                    new StringBuilder(from + (System.nanoTime() - begun) / 1_000_000 + " " + ++seq + "\n");
            String counted = counts ? names.get((int) (seq % names.size())) : "";
            if (counts) {
                totals.merge(counted, 1L, Long::sum);
            }
            totals.forEach((name, total) ->
                    lines.append("increment " + name + " " + (name.equals(counted) ? 1 : 0) + " " + total + "\n"));
            BackupIT.this.send(lines.toString());
        }
    }

    private void send(String text) throws IOException {
        byte[] bytes = text.getBytes(US_ASCII);
        socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
    }

    /** Counts some hundred times a second until {@link #stopCounting}. */
    private void startCounting() {
        isCounting = true;
        Thread thread = new Thread(() -> {
            try {
                while (isCounting) {
                    for (Sender sender : senders) {
                        sender.send(true);
                    }
                    send("increment plain\n");
                    withoutTotals++;
                    LockSupport.parkNanos(2_000_000);
                }
            } catch (IOException failed) {
                throw new IllegalStateException(failed);
            }
        });
        counting = thread;
        thread.start();
    }

    private void stopCounting() throws InterruptedException {
        isCounting = false;
        Thread thread = counting;
        if (thread != null) {
            thread.join();
        }
    }

    /** Until the counters of all senders are exact in the collector and in memcached; they repeat their totals meanwhile. */
    private void awaitExact(CollectorProgram collector) {
        SortedMap<String, Long> expected = new TreeMap<>();
        senders.forEach(sender -> sender.totals.forEach((name, total) -> expected.merge(name, total, Long::sum)));
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> {
            for (Sender sender : senders) {
                sender.send(false);
            }
            SortedMap<String, Long> found = collector.counters();
            found.remove("plain");
            assertThat(found).as(collector::log).isEqualTo(expected);
            SortedMap<String, Long> stored = new TreeMap<>();
            for (String name : expected.keySet()) {
                stored.put(name, memcached.counter(name));
            }
            assertThat(stored).isEqualTo(expected);
        });
    }

    @Test
    void a_collector_that_lost_its_disk_is_exact_again_for_senders_with_totals() throws Exception {
        CollectorProgram lost = collector();
        senders.add(new Sender("8f2c6a1e0b7d4c93a5e1f07b", "orders", "shared"));
        startCounting();
        lost.awaitMetric("ledger_commits_total", 3);
        Path backup = folder.resolve("backup");

        assertThat(run("backup", backup))
                .startsWith("0 backed up " + data + " to " + backup + ": counters: 3, sum of their values: ")
                .contains(", with the history\n", "not in it: settings, and the spool");
        assertThat(run("backup", backup)).startsWith("1 counters backup: " + backup + " exists already");
        assertThat(run("restore", backup)).startsWith("1 ").contains("is in use by another collector; stop it");

        stopCounting();
        senders.add(new Sender("00000000000000000000002b", "shared", "begun.after.the.backup"));
        startCounting();
        lost.awaitMetric("publish_ticks_total", lost.metric("publish_ticks_total") + 2);
        stopCounting();
        awaitExact(lost);
        long plain = lost.counters().getOrDefault("plain", 0L);
        assertThat(plain).isEqualTo(withoutTotals);
        lost.kill();
        delete(data);
        startCounting();

        assertThat(run("restore", backup))
                .startsWith("0 restored " + backup + " to " + data)
                .contains("with its history");

        stopCounting();
        CollectorProgram restored = collector();
        long kept = restored.counters().getOrDefault("plain", 0L);
        assertThat(kept).as("what was sent without totals").isPositive().isLessThan(plain);
        withoutTotals = 0;
        startCounting();
        restored.awaitMetric("publish_ticks_total", 3);
        stopCounting();
        awaitExact(restored);
        assertThat(restored.counters()).containsEntry("plain", kept + withoutTotals);
        assertThat(memcached.counter("plain")).isEqualTo(kept + withoutTotals);
        assertThat(restored.metrics())
                .containsEntry("store_adopted_keys_total", 0L)
                .containsEntry("ledger_in_doubt_total", 0L)
                .containsEntry("ledger_quarantined_streams_total", 0L);
        restored.awaitLog("this ledger is older than the stamp that it wrote there");
        awaitPublished(restored.counters());
        assertThat(tsd.conflicts).isEmpty();
    }

    private void awaitPublished(SortedMap<String, Long> values) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            SortedMap<String, Long> newest = new TreeMap<>();
            tsd.stored.values().stream()
                    .sorted(Comparator.comparingLong(Tsd.Point::second))
                    .forEach(point -> newest.put(point.metric(), point.value()));
            assertThat(newest).isEqualTo(values);
        });
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
