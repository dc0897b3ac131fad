package io.counters.demo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code collector.jar proxy} in a separate process, in front of real collectors and of sinks. */
@Tag("once")
class ProxyIT {
    @TempDir
    private Path folder;

    /** Starts a proxy for these servers, which are lines of servers.conf. */
    private Program proxy(int port, List<String> servers) throws IOException, InterruptedException {
        Path list = Files.writeString(folder.resolve("servers.conf"), String.join("\n", servers) + "\n");
        Path ini = Files.writeString(
                folder.resolve("proxy.conf"),
                "[statsite-proxy]\nbind_address = 127.0.0.1\nport = " + port + "\nudp_port = " + port
                        + "\nhttp_port = 0\nlog_level = INFO\nservers = " + list + "\n");
        Program proxy =
                Program.java(List.of("-Xmx256m", "-jar", Jars.collector().toString(), "proxy", "-f", ini.toString()));
        proxy.awaitLine("listens on TCP 127.0.0.1:" + port + " and UDP 127.0.0.1:" + port);
        return proxy;
    }

    /** Reads a connection to its end, and checks that it brings repetitions of one text. */
    private static final class PeriodicSink implements AutoCloseable {
        final ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        volatile byte[] expected = {};
        final AtomicLong received = new AtomicLong();
        volatile long wrongAt = -1;

        PeriodicSink() throws IOException {
            Thread reader = new Thread(this::read, "sink");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            byte[] bytes = new byte[64 * 1024];
            try (Socket connection = server.accept();
                    InputStream in = connection.getInputStream()) {
                for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
                    for (int at = 0; at < count; ) {
                        int begin = (int) (received.get() % expected.length);
                        int length = Math.min(count - at, expected.length - begin);
                        if (!Arrays.equals(bytes, at, at + length, expected, begin, begin + length) && wrongAt < 0) {
                            wrongAt = received.get();
                        }
                        at += length;
                        received.addAndGet(length);
                    }
                }
            } catch (IOException closed) {
                // The connection has ended.
            }
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }

    @Test
    void two_million_lines_sent_over_TCP_arrive_completely_at_the_servers_that_the_ring_names() throws Exception {
        int rounds = 2_000;
        int keys = 1000;
        List<PeriodicSink> sinks = new ArrayList<>();
        int port = Ports.reserve();
        try {
            for (int i = 0; i < 3; i++) {
                sinks.add(new PeriodicSink());
            }
            List<String> addresses = sinks.stream()
                    .map(sink -> "127.0.0.1:" + sink.server.getLocalPort())
                    .toList();
            KetamaRing ring = new KetamaRing(addresses, 1, 2, 3);
            KetamaHash hash = new KetamaHash();
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            List<ByteArrayOutputStream> each =
                    List.of(new ByteArrayOutputStream(), new ByteArrayOutputStream(), new ByteArrayOutputStream());
            for (int i = 0; i < keys; i++) {
                byte[] line = ("key" + i + ":" + i + "|c\n").getBytes(ISO_8859_1);
                all.write(line);
                each.get(ring.owner(line, 0, ("key" + i).length(), hash)).write(line);
            }
            for (int i = 0; i < 3; i++) {
                sinks.get(i).expected = each.get(i).toByteArray();
            }
            byte[] round = all.toByteArray();
            try (Program proxy = proxy(
                            port,
                            List.of(addresses.get(0) + "\t1", addresses.get(1) + "\t2", addresses.get(2) + "\t3"));
                    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                OutputStream out = socket.getOutputStream();
                for (int i = 0; i < rounds; i++) {
                    out.write(round);
                }

                await("all bytes have arrived")
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> sinks.stream()
                                        .mapToLong(sink -> sink.received.get())
                                        .sum()
                                >= (long) rounds * round.length);
                for (int i = 0; i < 3; i++) {
                    assertThat(sinks.get(i).received.get()).isEqualTo((long) rounds * sinks.get(i).expected.length);
                    assertThat(sinks.get(i).wrongAt).isEqualTo(-1);
                }
                assertThat(proxy.errors()).noneMatch(line -> line.contains("WARN"));
            }
        } finally {
            for (PeriodicSink sink : sinks) {
                sink.close();
            }
        }
    }

    @Test
    void counts_through_the_proxy_are_exact_although_collectors_are_killed_and_each_name_is_at_one_of_them()
            throws Exception {
        int names = 100;
        Random random = new Random(7);
        List<CollectorProgram> collectors = new ArrayList<>();
        int port = Ports.reserve();
        try {
            for (int i = 0; i < 3; i++) {
                collectors.add(CollectorProgram.start(folder.resolve("ledger" + i), Ports.reserve()));
            }
            List<String> addresses =
                    collectors.stream().map(CollectorProgram::address).toList();
            KetamaRing ring = new KetamaRing(addresses, 1, 1, 1);
            KetamaHash hash = new KetamaHash();
            List<Map<String, Long>> expected = List.of(new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
            try (Program proxy = proxy(
                            port,
                            List.of(
                                    addresses.get(0) + "\t1",
                                    "udp://" + addresses.get(1) + "\t1",
                                    "tcp://" + addresses.get(2) + "\t1"));
                    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                OutputStream out = socket.getOutputStream();
                for (int victim = 0; victim <= collectors.size(); victim++) {
                    for (int i = 0; i < 2000; i++) {
                        String name = "name" + random.nextInt(names) + ",step=any";
                        int amount = random.nextInt(5) - 1;
                        byte[] bytes = name.getBytes(ISO_8859_1);
                        expected.get(ring.owner(bytes, 0, bytes.length, hash)).merge(name, (long) amount, Long::sum);
                        String verb = amount < 0 ? "decrement " : "increment ";
                        out.write((verb + name + " " + Math.abs(amount) + "\n").getBytes(ISO_8859_1));
                    }
                    if (victim < collectors.size()) {
                        CollectorProgram running = collectors.get(victim);
                        await("counts have arrived")
                                .atMost(Duration.ofSeconds(60))
                                .until(() -> running.counters().size() > 10);
                        running.program().kill();
                        collectors.set(
                                victim, CollectorProgram.start(folder.resolve("ledger" + victim), running.port()));
                    }
                }

                for (int i = 0; i < 3; i++) {
                    CollectorProgram collector = collectors.get(i);
                    Map<String, Long> its = expected.get(i);
                    assertThat(its).hasSizeGreaterThan(names / 10);
                    await("collector " + i + " has all counts")
                            .atMost(Duration.ofSeconds(60))
                            .untilAsserted(
                                    () -> assertThat(collector.counters()).containsExactlyInAnyOrderEntriesOf(its));
                }
                assertThat(proxy.stop()).isEqualTo(143);
            }
        } finally {
            collectors.forEach(CollectorProgram::close);
        }
    }
}
