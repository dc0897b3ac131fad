package io.counters.collector.fleet;

import static io.counters.testsupport.CollectorProgram.patiently;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.SignedText;
import io.counters.collector.publish.Receiver;
import io.counters.collector.publish.Tsd;
import io.counters.collector.simulate.Copies;
import io.counters.emit.Transport;
import io.counters.testsupport.Brokers;
import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
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

/** Collectors of a fleet as processes, with a real broker, real datagrams, and a server that takes points. */
@Tag("once")
@Timeout(300)
class FleetIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int PARTITIONS = 8;
    private static final int NAMES = 40;
    private static final int SENDERS = 5;
    private static final int SIGTERM_STATUS = 143;

    /** When the program that sends OTLP began, in Unix time. */
    private static final long STARTED = 1_790_000_000;

    private static final String KEY = "0123456789abcdef".repeat(4);

    @TempDir
    Path folder;

    private Path keys;

    private final SortedMap<String, Long> posted = new TreeMap<>();
    private int exports;

    private final Random random = new Random(17);
    private final List<CollectorProgram> started = new ArrayList<>();
    private Brokers brokers;
    private Tsd tsd;
    private Receiver receiver;
    private DatagramSocket socket;

    @BeforeEach
    void open() throws Exception {
        keys = Files.writeString(folder.resolve("keys"), "fleet " + KEY + "\n");
        Files.setPosixFilePermissions(keys, PosixFilePermissions.fromString("rw-------"));
        brokers = Brokers.start(1);
        tsd = new Tsd(put -> 204);
        receiver = new Receiver();
        socket = new DatagramSocket();
    }

    @AfterEach
    void close() {
        started.forEach(CollectorProgram::close);
        socket.close();
        tsd.close();
        receiver.close();
        brokers.close();
    }

    private CollectorProgram collector(String instance) throws IOException {
        Path own = Files.createDirectories(folder.resolve(instance));
        CollectorProgram collector = CollectorProgram.launch(
                own.resolve("data"),
                Map.of(),
                List.of(),
                "--ledger=kafka://" + brokers.bootstrap(),
                "--instance=" + instance,
                "--fleet-partitions=" + PARTITIONS,
                "--otlp-port=0",
                "--keys=" + keys,
                "--interval=1s",
                "--opentsdb=" + tsd.address(),
                "--sink=" + receiver.sinks());
        started.add(collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        return collector;
    }

    /** An application: it counts, and sends its totals to any collector. */
    private final class Sender {
        private final String id;
        private final SortedMap<String, Long> totals = new TreeMap<>();
        private long seq;

        Sender(int number) {
            id = String.format("%024x", 0xabc000 + number);
        }

        /** Counts in some names, and sends these in one datagram. */
        void count(List<CollectorProgram> to) throws IOException {
            StringBuilder text = begin();
            for (int i = 0; i < 5; i++) {
                String name = "fleet.c" + random.nextInt(NAMES);
                long amount = 1L + random.nextInt(9);
                long total = totals.merge(name, amount, Long::sum);
                text.append("increment ").append(name).append(' ').append(amount);
                text.append(' ').append(total).append('\n');
            }
            send(text, to);
        }

        /** Sends all totals once more, as an application does that goes on. */
        void repeat(List<CollectorProgram> to) throws IOException {
            StringBuilder text = begin();
            totals.forEach((name, total) -> text.append("increment ")
                    .append(name)
                    .append(" 0 ")
                    .append(total)
                    .append('\n'));
            send(text, to);
        }

        private StringBuilder begin() {
            return new StringBuilder("from ")
                    .append(id)
                    .append(" 1000 ")
                    .append(++seq)
                    .append('\n');
        }

        /** Signs a datagram and sends it to two collectors, which may be the same: the second time it is a replay. */
        private void send(StringBuilder text, List<CollectorProgram> to) throws IOException {
            byte[] bytes = SignedText.of("fleet", KEY, System.currentTimeMillis(), text.toString());
            for (int times = 0; times < 2; times++) {
                int port = to.get(random.nextInt(to.size())).port();
                socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
            }
        }
    }

    private final List<Sender> senders =
            Stream.iterate(0, i -> i + 1).limit(SENDERS).map(Sender::new).toList();

    private void count(int datagrams, List<CollectorProgram> to) throws IOException {
        for (int i = 0; i < datagrams; i++) {
            senders.get(random.nextInt(SENDERS)).count(to);
        }
    }

    private SortedMap<String, Long> expected() {
        SortedMap<String, Long> sums = new TreeMap<>();
        senders.forEach(sender -> sender.totals.forEach((name, total) -> sums.merge(name, total, Long::sum)));
        sums.putAll(posted);
        return sums;
    }

    /** Counts by HTTP and by OTLP: each request is sent to two collectors, which may be the same. */
    private void post(List<CollectorProgram> to) throws IOException, InterruptedException {
        for (int i = 0; i < 10; i++) {
            long placed = posted.merge("otlp.orders", 1L + random.nextInt(9), Long::sum);
            posted.put("otlp.open", (long) random.nextInt(100) - 50);
            posted.merge("http.mails", 7L, Long::sum);
            exports++;
            String export = "{'resourceMetrics':[{'scopeMetrics':[{'metrics':["
                    + sum("otlp.orders", true, placed) + "," + sum("otlp.open", false, posted.get("otlp.open"))
                    + "]}]}]}";
            for (int times = 0; times < 2; times++) {
                CollectorProgram one = to.get(random.nextInt(to.size()));
                post(one, "/v1/metrics", export.replace('\'', '"'), "Content-Type", "application/json");
                post(one, "/count", "increment http.mails 7", "Idempotency-Key", "fleet-0123456789abcdef/" + exports);
            }
        }
    }

    private String sum(String name, boolean isMonotonic, long value) {
        return "{'name':'" + name + "','sum':{'aggregationTemporality':2,'isMonotonic':" + isMonotonic
                + ",'dataPoints':[{'asInt':'" + value + "','startTimeUnixNano':'" + STARTED
                + "000000000','timeUnixNano':'"
                + (STARTED + 1 + exports) + "000000000'}]}}";
    }

    private static void post(CollectorProgram to, String path, String body, String... headers)
            throws IOException, InterruptedException {
        HttpResponse<String> answer = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(to.otlpAddress() + path))
                                .headers(headers)
                                .POST(HttpRequest.BodyPublishers.ofString(body))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(() -> answer.body() + to.log()).isBetween(200, 202);
    }

    /** Until every counter is exact, in one collector each; senders repeat their totals meanwhile. */
    private void awaitExact(List<CollectorProgram> all) {
        patiently("the counters of all")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(300))
                .untilAsserted(() -> {
                    for (Sender sender : senders) {
                        sender.repeat(all);
                    }
                    SortedMap<String, Long> found = new TreeMap<>();
                    for (CollectorProgram one : all) {
                        one.counters()
                                .forEach((name, value) -> assertThat(found.put(name, value))
                                        .as("another value of " + name)
                                        .isNull());
                    }
                    assertThat(found).as(() -> said(all)).isEqualTo(expected());
                });
    }

    private static String said(List<CollectorProgram> all) {
        return String.join("\n---\n", all.stream().map(CollectorProgram::log).toList());
    }

    private void awaitOwned(List<CollectorProgram> all) {
        patiently("all partitions are owned")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> {
                    long owned = 0;
                    for (CollectorProgram one : all) {
                        SortedMap<String, Long> metrics = one.metrics();
                        long its = metrics.getOrDefault("fleet_owned_partitions", 0L);
                        assertThat(its).as(one.log()).isPositive();
                        owned += its;
                    }
                    assertThat(owned).as(() -> said(all)).isEqualTo(PARTITIONS);
                });
    }

    /** Until the newest point of each counter has its value. */
    private void awaitPoints() {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> {
            Map<String, Tsd.Point> newest = new TreeMap<>();
            tsd.stored
                    .values()
                    .forEach(point -> newest.merge(
                            point.metric(), point, (one, other) -> one.second() > other.second() ? one : other));
            SortedMap<String, Long> values = new TreeMap<>();
            newest.forEach((name, point) -> values.put(name, point.value()));
            assertThat(values).isEqualTo(expected());
        });
        assertThat(tsd.conflicts).isEmpty();
        // The other sinks get the same ticks, by groups of their own.
        Map<String, Map<Long, Long>> ticks = new TreeMap<>();
        tsd.stored
                .values()
                .forEach(point -> ticks.computeIfAbsent(point.metric(), fresh -> new TreeMap<>())
                        .put(point.second(), point.value()));
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(200))
                .untilAsserted(() -> ticks.forEach((name, points) -> {
                    // The other counters only rise.
                    String written = "__name__=\"" + name.replace('.', '_') + (name.equals("otlp.open") ? "" : "_total")
                            + "\",src=\"counters\"";
                    assertThat(receiver.points(written)).as(written).containsAllEntriesOf(points);
                    assertThat(receiver.points(name + ",src=counters")).as(name).containsAllEntriesOf(points);
                    assertThat(receiver.starts(name + ",src=counters"))
                            .as(name)
                            .hasSize(1)
                            .doesNotContain(0L);
                }));
    }

    /** Lines without a signature are refused by each of them, and so is TCP. */
    private void forge(List<CollectorProgram> to) throws IOException {
        for (CollectorProgram one : to) {
            one.send("increment fleet.c1 1000");
            one.sendByTcp("increment fleet.c1 1000\n");
            one.awaitMetric("intake_rejected_lines_total{reason=\"unsigned\"}", 1);
        }
    }

    private static String get(CollectorProgram from, String path) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + from.httpPort() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static String describe(CollectorProgram of, String name) {
        try {
            return of.log() + "\nall its history: " + get(of, "/api/counters/" + name + "/history?from=-10m&step=1")
                    + "\n" + of.metrics();
        } catch (IOException | InterruptedException gone) {
            return of.log() + gone;
        }
    }

    /** Until the graph of a counter reaches back to when another collector owned it. */
    private static void awaitHistory(CollectorProgram of, String name, long before) {
        String path = "/api/counters/" + name + "/history?format=csv&step=1&from=" + (before - 60) + "&to=" + before;
        patiently("points of " + name)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(300))
                .untilAsserted(() ->
                        assertThat(get(of, path)).as(() -> describe(of, name)).containsPattern("(?m)^\\d+,\\d+$"));
    }

    @Test
    void counts_are_exact_while_collectors_are_killed_and_come_back() throws Exception {
        CollectorProgram one = collector("one");
        CollectorProgram two = collector("two");
        awaitOwned(List.of(one, two));
        count(400, List.of(one, two));
        forge(List.of(one, two));
        post(List.of(one, two));
        awaitExact(List.of(one, two));
        awaitPoints();

        String name = one.counters().firstKey();
        patiently("the other one knows the owner")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(get(two, "/api/counters/" + name))
                        .contains("which this collector does not own; its owner is one"));
        long killed = Instant.now().getEpochSecond();
        one.kill();
        count(400, List.of(one, two));
        post(List.of(two));
        awaitOwned(List.of(two));
        awaitExact(List.of(two));
        awaitPoints();
        awaitHistory(two, name, killed);

        CollectorProgram again = collector("one");
        awaitOwned(List.of(again, two));
        count(400, List.of(again, two));
        post(List.of(again, two));
        awaitExact(List.of(again, two));
        awaitPoints();

        two.terminate();
        assertThat(two.status(PATIENCE)).as(two.log()).isEqualTo(SIGTERM_STATUS);
        awaitOwned(List.of(again));
        awaitExact(List.of(again));
        awaitPoints();
        awaitCopies(again);
    }

    /** Two copies of a program are noticed, and so far nothing else was taken for copies. */
    private void awaitCopies(CollectorProgram owner) throws IOException {
        assertThat(owner.metric("ledger_cloned_streams_total")).isZero();
        Transport udp = (bytes, length) -> {
            String text = new String(bytes, 0, length, ISO_8859_1);
            byte[] signed = SignedText.of("fleet", KEY, System.currentTimeMillis(), text);
            try {
                socket.send(new DatagramPacket(signed, signed.length, InetAddress.getLoopbackAddress(), owner.port()));
                return true;
            } catch (IOException cannot) {
                throw new UncheckedIOException(cannot);
            }
        };
        Copies copies = new Copies("c09ed0000000000000000001", udp);
        await("copies").atMost(PATIENCE).pollInterval(Duration.ofMillis(100)).until(() -> {
            copies.count(udp);
            return owner.get("/api/streams").contains("\"cloned\": true");
        });
        assertThat(owner.metric("ledger_cloned_streams_total")).isPositive();
    }
}
