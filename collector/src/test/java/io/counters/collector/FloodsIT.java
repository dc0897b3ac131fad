package io.counters.collector;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.CollectorProgram;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A collector with a heap of 256 MB under each flood that a stranger can cause, one after the other: names, streams, keys
 * that collide, connections, requests. With {@code -Dflood.seconds=60} each lasts a minute.
 */
@Tag("once")
class FloodsIT {
    private static final long FLOOD_SECONDS = Long.getLong("flood.seconds", 3);
    private static final Duration PATIENCE = Duration.ofSeconds(150);
    private static final String HONEST = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final int CONNECTIONS = 1_000;
    private static final int HALF_REQUESTS = 150;
    private static final int COLLIDING_BITS = 16;

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final AtomicBoolean over = new AtomicBoolean();
    private final Queue<String> unanswered = new ConcurrentLinkedQueue<>();
    private final AtomicInteger answers = new AtomicInteger();

    @AfterEach
    void close() throws Exception {
        over.set(true);
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @FunctionalInterface
    private interface Step {
        void run(int number) throws IOException;
    }

    /** Repeats a step for as long as a flood lasts; returns how often. */
    private static int flood(Step step) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(FLOOD_SECONDS);
        int number = 0;
        while (System.nanoTime() - end < 0) {
            step.run(number++);
        }
        return number;
    }

    private static void send(DatagramSocket socket, int port, String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        socket.send(new DatagramPacket(bytes, bytes.length, InetAddress.getLoopbackAddress(), port));
    }

    private Socket connected(int port, String text) throws IOException {
        Socket socket = new Socket();
        opened.add(socket);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 5_000);
        socket.getOutputStream().write(text.getBytes(ISO_8859_1));
        return socket;
    }

    private static int get(int port, String path) throws IOException {
        HttpURLConnection connection = (HttpURLConnection)
                URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
        connection.setConnectTimeout(3_000);
        connection.setReadTimeout(5_000);
        try {
            int status = connection.getResponseCode();
            if (status == 200) {
                connection.getInputStream().readAllBytes();
            }
            return status;
        } finally {
            connection.disconnect();
        }
    }

    /** Requests health, metrics and page continuously, and records what fails. */
    private void watch(int page) {
        Thread watching = new Thread(() -> {
            while (!over.get()) {
                for (String path : List.of("/healthz", "/metrics", "/")) {
                    try {
                        int status = get(page, path);
                        answers.incrementAndGet();
                        if (status != 200) {
                            unanswered.add(path + " answered " + status);
                        }
                    } catch (IOException failed) {
                        if (!over.get()) {
                            unanswered.add(path + ": " + failed);
                        }
                    }
                }
            }
        });
        watching.setDaemon(true);
        watching.start();
    }

    /** An ID, or a name, that has the same {@link String#hashCode} as all others of this method. */
    private static String colliding(int number) {
        StringBuilder text = new StringBuilder();
        for (int bit = 0; bit < COLLIDING_BITS; bit++) {
            text.append((number >> bit & 1) == 0 ? "Aa" : "BB");
        }
        return text.toString();
    }

    private static long heap(CollectorProgram collector) throws Exception {
        Process gc = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        String.valueOf(collector.program().pid()),
                        "GC.run")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectErrorStream(true)
                .start();
        assertThat(gc.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return collector.metrics().getOrDefault("heap_bytes", 0L);
    }

    @Test
    void page_and_health_answer_during_every_flood_and_an_honest_sender_is_exact_afterwards() throws Exception {
        CollectorProgram collector = CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of("-Xmx256m"));
        opened.add(collector);
        assertThat(collector.runs()).as(collector::log).isTrue();
        int port = collector.port();
        int page = collector.httpPort();
        DatagramSocket socket = new DatagramSocket();
        opened.add(socket);
        long before = heap(collector);
        watch(page);

        int names = flood(i ->
                send(socket, port, "increment " + "n".repeat(230) + i + "\nincrement " + "m".repeat(230) + i + "\n"));
        afterEach(collector, 1);

        List<DatagramSocket> addresses = new ArrayList<>();
        for (int host = 1; host <= 5; host++) {
            DatagramSocket from = new DatagramSocket(new InetSocketAddress("127.0.0." + host, 0));
            opened.add(from);
            addresses.add(from);
        }
        int streams = flood(i -> send(
                addresses.get(i % addresses.size()),
                port,
                "from " + String.format("forged-%017d", i) + " 1000 1" + (i % 2 == 0 ? "\nincrement forged 1 1" : "")));
        afterEach(collector, 2);

        int collisions = flood(i -> send(
                socket,
                port,
                "from " + colliding(i) + " 1000 1\nincrement " + colliding(i) + " 1 1\nincrement " + colliding(i + 1)));
        honest(collector, 3);

        for (int i = 0; i < CONNECTIONS; i++) {
            connected(port, i % 2 == 0 ? "" : "increment half." + i);
        }
        for (int i = 0; i < HALF_REQUESTS; i++) {
            connected(page, "GET /metrics HTTP/1.1\r\nHost: loc");
        }
        int requests = flood(i -> {
            try {
                get(page, "/api/counters");
            } catch (IOException busy) {
                // Whether it is answered is not tested here.
            }
        });
        honest(collector, 4);

        over.set(true);
        long after = heap(collector);
        System.out.printf(
                "floods of %d s: %d names, %d streams, %d collisions, %d big answers; %d answers of page, health and metrics;"
                        + " heap %d MB before, %d MB after; %s%n",
                FLOOD_SECONDS,
                2L * names,
                streams,
                collisions,
                requests,
                answers.get(),
                before >> 20,
                after >> 20,
                unanswered.isEmpty() ? "all were answered" : unanswered);
        assertThat(unanswered).as(collector::log).isEmpty();
        assertThat(answers.get()).isPositive();
        assertThat(after).as("a flood may use a tenth of the memory a minute").isLessThan(before + (90 << 20));
        assertThat(collector.log()).doesNotContain("OutOfMemoryError").doesNotContain(" ERROR ");
    }

    /** After a flood there is no room before the next minute. The short form waits only after the last floods. */
    private void afterEach(CollectorProgram collector, int round) throws IOException {
        if (FLOOD_SECONDS >= 60) {
            honest(collector, round);
        }
    }

    /** A sender with totals whose datagrams arrive twice, and which repeats its totals until the ledger has room for it. */
    private void honest(CollectorProgram collector, int round) throws IOException {
        try (DatagramSocket socket = new DatagramSocket(new InetSocketAddress("127.0.0.9", 0))) {
            String from = HONEST + round + " ";
            for (int i = 1; i <= 20; i++) {
                String datagram = from + i * 1_000 + " " + i + "\nincrement honest." + round + " 3 " + 3 * i + "\n";
                if (i % 3 != 0) {
                    send(socket, collector.port(), datagram);
                    send(socket, collector.port(), datagram);
                }
            }
            AtomicInteger seq = new AtomicInteger(20);
            await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).untilAsserted(() -> {
                int i = seq.incrementAndGet();
                send(socket, collector.port(), from + i * 1_000 + " " + i + "\nincrement honest." + round + " 0 60\n");
                assertThat(collector.metrics()).isNotEmpty();
                assertThat(value(collector, "honest." + round))
                        .as(collector::log)
                        .isEqualTo(60);
            });
        }
    }

    private static long value(CollectorProgram collector, String name) throws IOException {
        return collector.counters().getOrDefault(name, 0L);
    }
}
