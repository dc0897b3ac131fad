package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.emit.EmitterSettings;
import io.counters.testsupport.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The proxy distributes mixed lines and binary frames over three readers that follow statsite's rules. */
@Tag("once")
@Timeout(180)
class StatsiteTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final int KEYS = 200;

    private final Metrics metrics = new Metrics();
    private final List<StatsiteReader> readers = new ArrayList<>();
    private @Nullable Forwarder forwarder;
    private @Nullable Thread loop;

    @BeforeEach
    void open() throws IOException {
        for (int i = 0; i < 3; i++) {
            readers.add(new StatsiteReader(InetAddress.getLoopbackAddress(), Ports.reserve()));
        }
    }

    @AfterEach
    void close() throws Exception {
        if (forwarder != null && loop != null) {
            forwarder.close();
            loop.join(10_000);
        }
        for (StatsiteReader reader : readers) {
            reader.close();
        }
    }

    private Forwarder proxy(String scheme) throws IOException {
        List<Server> servers = new ArrayList<>();
        for (StatsiteReader reader : readers) {
            servers.add(Server.of(scheme + "127.0.0.1:" + reader.port(), 1));
        }
        Forwarder fresh = new Forwarder(
                settings(servers),
                System::nanoTime,
                System::currentTimeMillis,
                new Random(1),
                1000,
                () -> "0123456789abcdef00000001",
                new SaidFaults().log(),
                metrics);
        forwarder = fresh;
        Thread thread = new Thread(fresh, "proxy");
        thread.start();
        loop = thread;
        return fresh;
    }

    static ProxyIni settings(List<Server> servers) {
        return new ProxyIni(
                InetAddress.getLoopbackAddress(),
                0,
                0,
                Optional.empty(),
                64 << 20,
                16 << 20,
                ProxyIni.SenderLimits.DEFAULT,
                1 << 20,
                List.of(),
                EmitterSettings.to("nowhere"),
                Path.of("servers.conf"),
                servers,
                "info",
                Optional.empty(),
                List.of());
    }

    private long value(String name) {
        return metrics.values().getOrDefault(name, -1L);
    }

    /** One line and one frame for each key, alternately in groups of this size. */
    static byte[] mixed(int group) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int first = 0; first < KEYS; first += group) {
            for (int i = first; i < first + group; i++) {
                bytes.writeBytes(("line" + i + ":1|c\n").getBytes(ISO_8859_1));
            }
            for (int i = first; i < first + group; i++) {
                bytes.writeBytes(frame("frame" + i));
            }
        }
        return bytes.toByteArray();
    }

    static byte[] frame(String key) {
        return ByteBuffer.allocate(12 + key.length() + 1)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put((byte) 0xAA)
                .put((byte) 2)
                .putShort((short) (key.length() + 1))
                .putDouble(1)
                .put(key.getBytes(ISO_8859_1))
                .array();
    }

    private long queued() {
        return metrics.values().entrySet().stream()
                .filter(each -> each.getKey().startsWith("proxy_queued_bytes{"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private long counted() {
        return readers.stream()
                .flatMap(reader -> reader.counts().values().stream())
                .mapToLong(Long::longValue)
                .sum();
    }

    private void assertEachKeyIsAtOneReaderWith(long times) {
        for (int i = 0; i < KEYS; i++) {
            for (String key : List.of("line" + i, "frame" + i)) {
                assertThat(readers.stream()
                                .map(StatsiteReader::counts)
                                .filter(counts -> counts.containsKey(key))
                                .map(counts -> counts.get(key)))
                        .as(key)
                        .containsExactly(times);
            }
        }
        assertThat(readers).allSatisfy(reader -> assertThat(reader.bad()).isZero());
    }

    @Test
    void both_kinds_sent_at_full_speed_over_TCP_and_UDP_arrive_over_TCP_without_loss() throws Exception {
        Forwarder proxy = proxy("");
        int rounds = 2_000;
        int datagrams = 1_000;

        try (Socket socket = new Socket();
                DatagramChannel udp = DatagramChannel.open()) {
            socket.connect(Objects.requireNonNull(proxy.tcpAddress()));
            byte[] inTurn = mixed(1);
            for (int i = 0; i < rounds; i++) {
                socket.getOutputStream().write(inTurn);
            }
            InetSocketAddress to = Objects.requireNonNull(proxy.udpAddress());
            byte[] inGroups = mixed(25);
            long before = 2L * KEYS * rounds;
            for (int i = 0; i < datagrams; i++) {
                // One at a time, so that the proxy's receive buffer never overflows.
                long after = before + 2L * KEYS * (i + 1);
                udp.send(ByteBuffer.wrap(inGroups), to);
                await().pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofNanos(100_000))
                        .atMost(SOON)
                        .until(() -> value("proxy_messages_total") >= after);
            }
        }

        int times = rounds + datagrams;
        await().atMost(SOON).until(() -> counted() == 2L * KEYS * times);
        assertEachKeyIsAtOneReaderWith(times);
        assertThat(readers)
                .allSatisfy(reader -> assertThat(reader.connections()).isEqualTo(2));
    }

    @Test
    @Tag("slow")
    void datagrams_to_a_server_contain_one_kind_and_are_separated_in_time_from_the_other_kind() throws Exception {
        Forwarder proxy = proxy("udp://");
        int rounds = 30;

        try (Socket socket = new Socket()) {
            socket.connect(Objects.requireNonNull(proxy.tcpAddress()));
            byte[] inTurn = mixed(1);
            for (int i = 1; i <= rounds; i++) {
                socket.getOutputStream().write(inTurn);
                long sent = 2L * KEYS * i;
                await().pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .atMost(SOON)
                        .until(() -> value("proxy_messages_total") == sent && queued() == 0);
            }
        }

        int together = readers.stream().mapToInt(StatsiteReader::together).sum();
        assertThat(together)
                .as("times that a reader on a busy machine was so late that both kinds waited")
                .isLessThan(rounds / 2);
        if (together == 0) {
            await().atMost(SOON).until(() -> counted() == 2L * KEYS * rounds);
            assertEachKeyIsAtOneReaderWith(rounds);
        }
    }

    /** Checks the reader itself: it must lose messages when both kinds arrive over one connection, as statsite does. */
    @Test
    void a_reader_loses_messages_of_the_other_kind_on_one_connection() throws Exception {
        proxy("");
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), readers.get(0).port())) {
            socket.getOutputStream().write(mixed(1));
            await().atMost(SOON).until(() -> counted() == KEYS);

            assertThat(readers.get(0).counts())
                    .containsOnlyKeys(readers.get(0).counts().keySet().stream()
                            .filter(key -> key.equals("line0") || key.startsWith("\u00aa"))
                            .toArray(String[]::new));
        }
    }
}
