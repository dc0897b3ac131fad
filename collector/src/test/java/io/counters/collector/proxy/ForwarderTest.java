package io.counters.collector.proxy;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.counters.collector.access.AccessSettings;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.http.Guard;
import io.counters.collector.http.HttpLimits;
import io.counters.collector.http.Listening;
import io.counters.collector.settings.SettingsException;
import io.counters.emit.EmitterSettings;
import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.testsupport.Ports;
import io.counters.wire.DatagramMac;
import io.counters.wire.KeyLines;
import io.counters.wire.Rejection;
import io.counters.wire.SignedLine;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The real loop between real sockets. */
@Timeout(180)
@Tag("once")
@Tag("slow")
class ForwarderTest {
    private static final Duration SOON = Duration.ofSeconds(60);
    private static final long NAMES_BYTES = 1 << 20;
    private static final Pattern NUMBERED = Pattern.compile("key(\\d+):x*\\|c\n");

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final List<AutoCloseable> opened = new ArrayList<>();

    /** How far the proxy's monotonic clock is ahead of the machine's. */
    private final AtomicLong ahead = new AtomicLong();

    private long descriptors = 100_000;
    private ProxyIni.SenderLimits limits = ProxyIni.SenderLimits.DEFAULT;
    private EmitterSettings sending = EmitterSettings.to("nowhere");
    private volatile boolean broken;
    private volatile CountDownLatch hangs = new CountDownLatch(0);
    private @Nullable Forwarder forwarder;
    private @Nullable Thread loop;

    private static Server server(String written) {
        return Server.of(written, 1);
    }

    private Forwarder proxy(List<Server> servers) throws IOException {
        return proxy(servers, 64 << 20);
    }

    private Forwarder proxy(List<Server> servers, long queueBytes) throws IOException {
        return proxy(servers, queueBytes, 64 << 20);
    }

    private Forwarder proxy(List<Server> servers, long queueBytes, long senderBytes) throws IOException {
        return start(built(servers, queueBytes, senderBytes));
    }

    private Forwarder built(List<Server> servers, long queueBytes, long senderBytes) throws IOException {
        AtomicInteger ids = new AtomicInteger();
        return new Forwarder(
                settings(servers, queueBytes, senderBytes),
                this::nanos,
                System::currentTimeMillis,
                new Random(1),
                descriptors,
                () -> String.format("0123456789abcdef%08x", ids.incrementAndGet()),
                said.log(),
                metrics);
    }

    private ProxyIni settings(List<Server> servers, long queueBytes, long senderBytes) {
        return new ProxyIni(
                InetAddress.getLoopbackAddress(),
                0,
                0,
                Optional.empty(),
                queueBytes,
                senderBytes,
                limits,
                NAMES_BYTES,
                List.of(),
                sending,
                Path.of("servers.conf"),
                servers,
                "info",
                Optional.empty(),
                List.of());
    }

    private long nanos() {
        if (broken) {
            throw new InternalError("the test's own");
        }
        if (hangs.getCount() > 0 && Thread.currentThread().equals(loop)) {
            await().forever().until(() -> hangs.getCount() == 0);
        }
        return System.nanoTime() + ahead.get();
    }

    private Forwarder start(Forwarder fresh) {
        Thread thread = new Thread(fresh, "proxy");
        thread.start();
        forwarder = fresh;
        loop = thread;
        return fresh;
    }

    private <T extends AutoCloseable> T open(T part) {
        opened.add(part);
        return part;
    }

    @AfterEach
    void closeAll() throws Exception {
        if (forwarder != null && loop != null) {
            forwarder.close();
            loop.join(10_000);
            assertThat(loop.isAlive()).isFalse();
        }
        for (AutoCloseable part : opened) {
            part.close();
        }
    }

    private Forwarder forwarder() {
        return Objects.requireNonNull(forwarder);
    }

    private OutputStream tcp() throws IOException {
        Socket socket = open(new Socket());
        socket.connect(Objects.requireNonNull(forwarder().tcpAddress()));
        return socket.getOutputStream();
    }

    private void udp(String datagram) throws IOException {
        InetSocketAddress to = Objects.requireNonNull(forwarder().udpAddress());
        byte[] bytes = datagram.getBytes(ISO_8859_1);
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.send(new DatagramPacket(bytes, bytes.length, to));
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(ISO_8859_1);
    }

    private long value(String name) {
        return metrics.values().getOrDefault(name, -1L);
    }

    private static String frame(String key) {
        byte[] frame = MessageParserTest.hex("aa 02 0000 0000000000006940");
        frame[2] = (byte) (key.length() + 1);
        return MessageParserTest.text(frame) + key + "\0";
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 25, 60, 61, 117})
    void each_message_arrives_once_and_complete_at_the_server_that_the_ring_names(int count) throws Exception {
        List<Sink> sinks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sinks.add(open(new Sink()));
        }
        List<String> addresses = sinks.stream().map(Sink::address).toList();
        proxy(addresses.stream().map(ForwarderTest::server).toList());
        long[] weights = new long[count];
        Arrays.fill(weights, 1);
        KetamaRing ring = new KetamaRing(addresses, weights);
        KetamaHash hash = new KetamaHash();
        String[] expectedLines = new String[count];
        String[] expectedFrames = new String[count];
        Arrays.fill(expectedLines, "");
        Arrays.fill(expectedFrames, "");
        StringBuilder stream = new StringBuilder();
        StringBuilder datagram = new StringBuilder();
        int keys = 600;
        for (int i = 0; i < keys; i++) {
            String key = "key." + i;
            String message = i % 3 == 0 ? frame(key) : key + ":" + i + "|ms|@0.1|#tag:" + i + "\n";
            int owner = ring.owner(bytes(key), 0, key.length(), hash);
            if (i % 3 == 0) {
                expectedFrames[owner] += message;
            } else {
                expectedLines[owner] += message;
            }
            if (i < keys / 2) {
                stream.append(message);
            } else {
                datagram.append(message);
            }
        }

        tcp().write(bytes(stream.toString()));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == keys / 2);
        udp(datagram.toString());

        int length = (String.join("", expectedLines) + String.join("", expectedFrames)).length();
        await().atMost(SOON)
                .until(() -> sinks.stream()
                                .mapToInt(sink -> sink.received().length())
                                .sum()
                        >= length);
        for (int i = 0; i < count; i++) {
            assertThat(sinks.get(i).kinds())
                    .as("a connection for each kind, each in the order of arrival")
                    .containsExactlyInAnyOrder(Stream.of(expectedLines[i], expectedFrames[i])
                            .filter(kind -> !kind.isEmpty())
                            .toArray(String[]::new));
        }
    }

    @Test
    void a_line_without_a_line_break_ends_with_its_datagram() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));

        udp("a:1|c");
        udp("b:2|c\nc:3|c");
        udp(frame("d"));
        udp("e:1|c");

        await().atMost(SOON)
                .untilAsserted(
                        () -> assertThat(sink.kinds()).containsExactly("a:1|c\nb:2|c\nc:3|c\ne:1|c\n", frame("d")));
    }

    @Test
    void after_a_malformed_frame_the_rest_of_the_datagram_is_dropped_and_a_connection_is_closed() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));

        udp("a:1|c\n\u00aa\u0009xxxxxxxxxxxxxxxx\nb:1|c\n");
        udp(frame("c").substring(0, 10));
        udp("d:1|c\n");
        await().atMost(SOON).until(() -> sink.received().endsWith("d:1|c\n"));
        Socket socket = open(new Socket());
        socket.connect(Objects.requireNonNull(forwarder().tcpAddress()));
        socket.getOutputStream().write(bytes("e:1|c\n\u00aa\u0009xxxxxxxxxxxxxxxx\nf:1|c\n"));

        assertThat(socket.getInputStream().read()).isEqualTo(-1);
        await().atMost(SOON).until(() -> sink.received().endsWith("e:1|c\n"));
        assertThat(sink.received()).isEqualTo("a:1|c\nd:1|c\ne:1|c\n");
        assertThat(value("proxy_rejected_total{reason=\"binary_type\"}")).isEqualTo(2);
        assertThat(value("proxy_rejected_total{reason=\"binary_cut\"}")).isEqualTo(1);
    }

    @Test
    void a_server_reached_over_UDP_gets_complete_messages_in_datagrams_that_fit_into_an_Ethernet_frame()
            throws Exception {
        DatagramSocket sink = open(new DatagramSocket(0, InetAddress.getLoopbackAddress()));
        sink.setSoTimeout(10_000);
        proxy(List.of(server("udp://127.0.0.1:" + sink.getLocalPort())));
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            all.append("key").append(i).append(":1|c\n");
        }

        tcp().write(bytes(all.toString()));

        StringBuilder received = new StringBuilder();
        while (received.length() < all.length()) {
            DatagramPacket packet = new DatagramPacket(new byte[65_507], 65_507);
            sink.receive(packet);
            assertThat(packet.getLength()).isLessThanOrEqualTo(1432);
            String text = new String(packet.getData(), 0, packet.getLength(), ISO_8859_1);
            assertThat(text).endsWith("\n");
            received.append(text);
        }
        assertThat(received).hasToString(all.toString());
    }

    @Test
    void messages_wait_for_a_server_that_starts_late_and_keys_keep_their_server() throws Exception {
        Sink early = open(new Sink());
        int port = Ports.reserve();
        List<Server> servers = List.of(server(early.address()), server("127.0.0.1:" + port));
        proxy(servers);
        OutputStream out = tcp();
        int count = 1000;
        for (int i = 0; i < count; i++) {
            out.write(bytes("key" + i + ":x|c\n"));
        }
        Ring ring = new Ring(servers);
        List<String> forLate = IntStream.range(0, count)
                .mapToObj(i -> "key" + i)
                .filter(key -> ring.owner(bytes(key), 0, key.length()) == 1)
                .toList();
        await().atMost(SOON).until(() -> early.received().lines().count() == count - forLate.size());
        assertThat(value("proxy_up{server=\"127.0.0.1:" + port + "\"}")).isZero();
        assertThat(value("proxy_queued_bytes{server=\"127.0.0.1:" + port + "\"}"))
                .isPositive();

        Sink late = open(new Sink(port));

        await().atMost(SOON).until(() -> late.received().lines().count() == forLate.size());
        assertThat(late.received().lines().map(line -> line.replace(":x|c", "")))
                .containsExactlyElementsOf(forLate);
        assertThat(early.received().lines()).hasSize(count - forLate.size());
        assertThat(value("proxy_up{server=\"127.0.0.1:" + port + "\"}")).isEqualTo(1);
    }

    private static List<Integer> numbers(String received) {
        List<Integer> numbers = new ArrayList<>();
        Matcher matcher = NUMBERED.matcher(received);
        int at = 0;
        while (matcher.find()) {
            assertThat(matcher.start()).as("no torn message before it").isEqualTo(at);
            numbers.add(Integer.valueOf(matcher.group(1)));
            at = matcher.end();
        }
        assertThat(received.substring(at)).as("the last message is cut").doesNotContain("\n");
        return numbers;
    }

    @Test
    void after_a_reset_within_a_message_no_message_is_torn_or_repeated_and_the_order_is_kept() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        OutputStream out = tcp();
        int count = 400;
        String tail = ":" + "x".repeat(20_000) + "|c\n";
        out.write(bytes("key0" + tail));
        await().atMost(SOON).until(() -> sink.received().endsWith("\n"));
        sink.stopReading();
        for (int i = 1; i < count; i++) {
            out.write(bytes("key" + i + tail));
        }
        await().atMost(SOON).until(() -> value("proxy_messages_total") == count);
        assertThat(value("proxy_queued_bytes{server=\"" + sink.address() + "\"}"))
                .as("some messages wait, because the server is slow")
                .isPositive();

        sink.reset();
        sink.goOnReading();

        await().atMost(SOON)
                .until(() -> sink.connections() == 2
                        && sink.received(1).contains("key" + (count - 1) + ":")
                        && sink.received(1).endsWith("\n"));
        List<Integer> first = numbers(sink.received(0));
        List<Integer> second = numbers(sink.received(1));
        assertThat(sink.received(1)).endsWith("\n");
        assertThat(second.get(0)).isGreaterThan(first.get(first.size() - 1));
        assertThat(second)
                .containsExactlyElementsOf(
                        IntStream.range(second.get(0), count).boxed().toList());
        long lost = (long) second.get(0) - first.get(first.size() - 1) - 1;
        long inDoubt = value("proxy_in_doubt_bytes_total{server=\"" + sink.address() + "\"}");
        assertThat(lost * tail.length()).as("bytes lost").isLessThanOrEqualTo(inDoubt);
        assertThat(value("proxy_reconnects_total{server=\"" + sink.address() + "\"}"))
                .isEqualTo(1);
    }

    @Test
    void a_server_that_stops_reading_delays_no_other_and_loses_its_oldest_messages() throws Exception {
        Sink slow = open(new Sink());
        Sink quick = open(new Sink());
        List<Server> servers = List.of(server(slow.address()), server(quick.address()));
        proxy(servers, 1 << 20);
        Ring ring = new Ring(servers);
        slow.stopReading();
        OutputStream out = tcp();
        int count = 2000;
        String tail = ":" + "x".repeat(10_000) + "|c\n";
        long forQuick = 0;
        for (int i = 0; i < count; i++) {
            String key = "key" + i;
            forQuick += ring.owner(bytes(key), 0, key.length());
            out.write(bytes(key + tail));
        }
        long expected = forQuick;
        await().atMost(SOON).until(() -> value("proxy_messages_total") == count);

        await().atMost(SOON)
                .until(() -> numbers(quick.received()).size()
                                + value("proxy_dropped_total{server=\"" + quick.address() + "\"}")
                        == expected);
        long dropped = value("proxy_dropped_total{server=\"" + slow.address() + "\"}");
        assertThat(dropped).isPositive();
        assertThat(value("proxy_queued_bytes{server=\"" + slow.address() + "\"}"))
                .isLessThanOrEqualTo(1 << 20);
        slow.goOnReading();
        await().atMost(SOON).until(() -> numbers(slow.received()).size() == count - expected - dropped);
        assertThat(numbers(slow.received())).isSorted();
    }

    @Test
    void messages_for_a_removed_server_go_to_the_new_owners_and_other_connections_are_kept() throws Exception {
        Sink stays = open(new Sink());
        int port = Ports.reserve();
        List<Server> servers = List.of(server(stays.address()), server("127.0.0.1:" + port));
        proxy(servers);
        OutputStream out = tcp();
        int count = 1000;
        for (int i = 0; i < count; i++) {
            out.write(bytes("key" + i + ":x|c\n"));
        }
        await().atMost(SOON).until(() -> value("proxy_messages_total") == count);
        assertThat(numbers(stays.received()).size()).isLessThan(count);

        forwarder().use(List.of(servers.get(0)));

        await().atMost(SOON).until(() -> numbers(stays.received()).size() == count);
        assertThat(numbers(stays.received())).doesNotHaveDuplicates();
        assertThat(stays.connections()).isEqualTo(1);
        assertThat(value("proxy_messages_total")).isEqualTo(count);
    }

    @Test
    @Tag("slow")
    void our_own_commands_arrive_with_totals_in_a_stream_of_the_proxy() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));

        udp(
                "signed shop 1764547200000 0123456789abcdef0123456789abcdef\nfrom fedcba9876543210 1 1\nincrement a 2 200\nincrement a,y=1,x=2\ndecrement b 3");
        tcp().write(bytes("increment a\n"));

        await().atMost(SOON)
                .until(() -> sink.received().contains("increment a 1 3\n")
                        || sink.received().contains("increment a 3 3\n"));
        await().atMost(SOON).until(() -> sink.received().contains("increment a 0 3\n"));
        assertThat(sink.received())
                .startsWith("from 0123456789abcdef00000001 ")
                .contains("increment a,x=2,y=1 1 1\n", "decrement b 3 3\n", "from -\n")
                .doesNotContain("fedcba9876543210", "signed ");
        assertThat(value("proxy_commands_total")).isEqualTo(4);
        assertThat(said.lines()).as("a signature is for a collector").isEmpty();
        assertThat(value("proxy_signed_lines_total")).isEqualTo(1);

        udp("signed users:3|c");
        await().atMost(SOON).until(() -> value("proxy_rejected_total{reason=\"signed_form\"}") == 1);
    }

    @Test
    @Tag("slow")
    void our_own_streams_are_signed_over_udp_and_not_over_tcp(@TempDir Path folder) throws Exception {
        Path keys = Files.writeString(folder.resolve("keys"), "proxy-1 " + "0123456789abcdef".repeat(4));
        sending = EmitterSettings.to("nowhere").key("proxy-1:" + keys);
        Sink tcp = open(new Sink());
        DatagramSocket udp = open(new DatagramSocket(0, InetAddress.getLoopbackAddress()));
        udp.setSoTimeout((int) SOON.toMillis());
        proxy(List.of(server(tcp.address()), server("udp://127.0.0.1:" + udp.getLocalPort())));
        StringBuilder commands = new StringBuilder();
        for (int i = 0; i < 100; i++) {
            commands.append("increment name").append(i).append('\n');
        }

        udp(commands.toString());

        DatagramPacket packet = new DatagramPacket(new byte[65_507], 65_507);
        udp.receive(packet);
        SignedLine line = new SignedLine();
        assertThat(line.read(packet.getData(), 0, packet.getLength())).isTrue();
        assertThat(new DatagramMac()
                        .matches(
                                KeyLines.of(Files.readString(keys)).keys().get(0),
                                line,
                                packet.getData(),
                                packet.getLength()))
                .isTrue();
        await().atMost(SOON).until(() -> tcp.received().contains("from -\n"));
        assertThat(tcp.received()).startsWith("from 0123456789abcdef").doesNotContain("signed ");
    }

    @Test
    @Tag("slow")
    void our_own_commands_for_a_server_that_is_down_are_kept_as_one_number_per_name() throws Exception {
        int port = Ports.reserve();
        proxy(List.of(server("127.0.0.1:" + port)));
        OutputStream out = tcp();
        for (int i = 0; i < 10_000; i++) {
            out.write(bytes("increment a\nincrement b 2\n"));
        }
        await().atMost(SOON).until(() -> value("proxy_commands_total") == 20_000);
        assertThat(value("proxy_queued_bytes{server=\"127.0.0.1:" + port + "\"}"))
                .isZero();

        Sink sink = open(new Sink(port));

        await().atMost(SOON).until(() -> sink.received().contains("from -\n"));
        assertThat(sink.received().lines().limit(4))
                .satisfiesExactly(
                        from -> assertThat(from).startsWith("from "),
                        a -> assertThat(a).isEqualTo("increment a 10000 10000"),
                        b -> assertThat(b).isEqualTo("increment b 20000 20000"),
                        end -> assertThat(end).isEqualTo("from -"));
    }

    @Test
    @Tag("slow")
    void unsent_amounts_go_to_the_new_owner_and_sent_amounts_stay_in_their_stream() throws Exception {
        Sink leaves = open(new Sink());
        Sink stays = open(new Sink());
        proxy(List.of(server(leaves.address())));
        OutputStream out = tcp();
        out.write(bytes("increment a 5\n"));
        await().atMost(SOON).until(() -> leaves.received().contains("increment a 5 5\n"));
        int told = 5;

        forwarder().use(List.of(server(stays.address())));
        await().atMost(SOON).until(() -> value("proxy_up{server=\"" + stays.address() + "\"}") == 1);
        out.write(bytes("increment a 7\n"));

        await().atMost(SOON).until(() -> stays.received().contains("increment a 7 7\n"));
        assertThat(leaves.received()).contains("increment a 5 " + told + "\n").doesNotContain("increment a 7");
        assertThat(stays.received()).doesNotContain("increment a 12", "increment a 5");
    }

    @Test
    void a_refused_line_is_logged_with_its_sender_its_text_and_its_rule() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));

        tcp().write(bytes("orders.placed=1\nincrement \u00fc\n"));
        udp("orders.placed:1|x\n");

        await().atMost(SOON).until(() -> value("proxy_rejected_total{reason=\"unknown_type\"}") == 1);
        await().atMost(SOON).until(() -> value("proxy_rejected_total{reason=\"name_letter\"}") == 1);
        await().untilAsserted(() -> assertThat(said.lines())
                .anySatisfy(line -> assertThat(line)
                        .contains("TCP from 127.0.0.1:", "\"orders.placed=1\"", MessageRejection.NO_COLON.rule()))
                .anySatisfy(
                        line -> assertThat(line).contains("TCP from ", "\"increment ?\"", Rejection.NAME_LETTER.rule()))
                .anySatisfy(line -> assertThat(line)
                        .containsPattern("UDP from 127\\.0\\.0\\.1:[1-9][0-9]*: \"orders.placed:1\\|x\"")
                        .contains(MessageRejection.UNKNOWN_TYPE.rule())));
    }

    @ParameterizedTest
    @EnumSource(names = {"UNKNOWN_TYPE", "LINE_TOO_LONG", "LINE_CUT", "LINES_JOINED", "HTTP", "TLS"})
    void a_reason_that_the_collector_also_has_has_the_same_name_there(MessageRejection why) {
        assertThat(Rejection.valueOf(why.name()).reason()).isEqualTo(why.reason());
    }

    @Test
    void joined_lines_are_reported_with_an_estimate_of_their_counts_in_every_position() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));

        tcp().write(bytes("a:1|cb:1|c\nc:1|c\n"));
        await().atMost(SOON).until(() -> value("proxy_rejected_total{reason=\"lines_joined\"}") == 1);
        await().untilAsserted(() -> assertThat(said.lines())
                .singleElement()
                .satisfies(line -> assertThat(line)
                        .contains(
                                "\"a:1|cb:1|c\" was rejected (lines_joined): the text contains several lines without"
                                        + " line",
                                "a:1|c\\n; estimated counts in it: 2")));
        udp("users:abe|sorders:1|c\nload:1.|gorders:5|c\nincrement aincrement b\nincrement aorders:1|c\norders:1|C\n");
        Socket ends = connected();
        ends.getOutputStream().write(bytes("orders:1|c".repeat(100)));
        ends.close();

        await().atMost(SOON).until(() -> value("proxy_rejected_total{reason=\"lines_joined\"}") == 6);
        assertThat(value("proxy_joined_counts_total")).isEqualTo(2 + 1 + 1 + 2 + 2 + 100);
        assertThat(value("proxy_rejected_total{reason=\"unknown_type\"}")).isEqualTo(1);
        assertThat(value("proxy_unended_bytes_total")).isZero();
        await().atMost(SOON).until(() -> sink.received().equals("c:1|c\n"));
    }

    @Test
    void a_TCP_stream_without_line_breaks_is_reported_each_minute_and_at_its_end() throws Exception {
        proxy(List.of(server("127.0.0.1:" + Ports.reserve())));
        int counts = 40_000;
        Socket sender = connected();
        sender.getOutputStream().write(bytes("a:1|c".repeat(counts)));
        await().atMost(SOON).until(() -> value("proxy_unended_bytes_total") == 5L * counts);
        assertThat(said.lines()).hasSize(1);

        ahead.addAndGet(Duration.ofSeconds(61).toNanos());
        sender.getOutputStream().write(bytes("a:1|c"));
        await().atMost(SOON).until(() -> said.lines().size() == 2);
        said.advance(Duration.ofSeconds(61));
        sender.close();

        await().atMost(SOON).until(() -> said.lines().size() == 3);
        assertThat(value("proxy_rejected_total{reason=\"lines_joined\"}")).isEqualTo(1);
        assertThat(value("proxy_joined_counts_total")).isEqualTo(counts + 1);
        assertThat(said.lines().subList(1, 3))
                .allSatisfy(line -> assertThat(line)
                        .startsWith("WARN TCP from 127.0.0.1:")
                        .contains(": 200,005 bytes arrived without a line break and are not forwarded; estimated counts"
                                + " in them: 40,001. End each line with a line break"));
    }

    @Test
    @Tag("slow")
    void a_server_reached_over_UDP_is_down_while_no_program_listens_and_gets_waiting_messages_later() throws Exception {
        int port = Ports.reserve();
        Server server = server("udp://127.0.0.1:" + port);
        proxy(List.of(server));
        String label = "{server=\"" + server + "\"}";
        await().atMost(SOON).until(() -> value("proxy_up" + label) == 1);

        try (LogLines log = new LogLines()) {
            udp("lost:1|c");
            await().atMost(SOON).until(() -> value("proxy_up" + label) == 0);
            assertThat(value("proxy_dropped_total" + label)).isEqualTo(1);
            assertThat(value("proxy_sent_total" + label)).isZero();
            tcp().write(bytes("increment own\n"));
            for (int i = 0; i < 1000; i++) {
                udp("waits" + i + ":1|c");
            }
            await().atMost(SOON).until(() -> value("proxy_messages_total") == 1001);

            DatagramSocket sink = open(new DatagramSocket(port, InetAddress.getLoopbackAddress()));
            sink.setSoTimeout(10_000);
            StringBuilder received = new StringBuilder();
            while (!received.toString().contains("waits999:")
                    || !received.toString().contains("increment own")) {
                DatagramPacket packet = new DatagramPacket(new byte[65_507], 65_507);
                sink.receive(packet);
                received.append(new String(packet.getData(), 0, packet.getLength(), ISO_8859_1));
            }

            await().atMost(SOON).until(() -> value("proxy_sent_total" + label) == 1000);
            assertThat(received.toString().lines().filter(line -> line.startsWith("waits")))
                    .hasSize(1000);
            assertThat(value("proxy_dropped_total" + label)).isEqualTo(1);
            assertThat(received).contains("increment own 1 1\n");
            assertThat(value("proxy_up" + label)).isEqualTo(1);
            assertThat(log.lines())
                    .anySatisfy(line -> assertThat(line)
                            .contains(server + ": no program listens there", "may be lost: 1 ", "increment NAME"))
                    .anySatisfy(line -> assertThat(line).contains(server + " is back"))
                    .noneSatisfy(line -> assertThat(line).contains("nothing is lost"));
        }
    }

    @Test
    @Tag("slow")
    void a_server_reached_over_UDP_that_returns_is_up_again_even_if_nothing_waits_for_it() throws Exception {
        int port = Ports.reserve();
        Server server = server("udp://127.0.0.1:" + port);
        proxy(List.of(server));
        String label = "{server=\"" + server + "\"}";
        await().atMost(SOON).until(() -> value("proxy_up" + label) == 1);
        udp("lost:1|c");
        await().atMost(SOON).until(() -> value("proxy_up" + label) == 0);

        DatagramSocket sink = open(new DatagramSocket(port, InetAddress.getLoopbackAddress()));

        await().atMost(SOON).until(() -> value("proxy_up" + label) == 1);
        sink.setSoTimeout(10_000);
        DatagramPacket probe = new DatagramPacket(new byte[10], 10);
        sink.receive(probe);
        assertThat(new String(probe.getData(), 0, probe.getLength(), ISO_8859_1))
                .as("an empty line, which counts nothing")
                .isEqualTo("\n");
    }

    @Test
    @Tag("slow")
    void a_server_that_stops_reading_keeps_its_connection() throws Exception {
        assumeTrue(Files.isReadable(Path.of("/proc/self/net/tcp")), "needs Linux's table of connections");
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        String label = "{server=\"" + sink.address() + "\"}";
        OutputStream out = tcp();
        sink.stopReading();
        String tail = ":" + "x".repeat(20_000) + "|c\n";
        int count = 200;
        for (int i = 0; i < count; i++) {
            out.write(bytes("key" + i + tail));
        }
        await().atMost(SOON).until(() -> value("proxy_messages_total") == count);

        for (int look = 0; look < 2; look++) {
            ahead.addAndGet(Duration.ofSeconds(20).toNanos());
            await().pollDelay(Duration.ofMillis(3_200)).until(() -> true);
        }

        assertThat(value("proxy_queued_bytes" + label)).isPositive();
        assertThat(value("proxy_up" + label)).isEqualTo(1);
        sink.goOnReading();
        await().atMost(SOON).until(() -> numbers(sink.received()).size() == count);
        assertThat(sink.connections()).isEqualTo(1);
        assertThat(value("proxy_in_doubt_bytes_total" + label)).isZero();
    }

    @Test
    @Tag("slow")
    void each_kind_has_its_own_connection_which_is_opened_at_its_first_message() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        String label = "{server=\"" + sink.address() + "\"}";
        await().atMost(SOON).until(() -> value("proxy_up" + label) == 1);

        OutputStream out = tcp();
        out.write(bytes(frame("a")));
        await().atMost(SOON).until(() -> sink.received().equals(frame("a")));
        assertThat(sink.connections()).isEqualTo(1);

        out.write(bytes("increment b\n"));
        await().atMost(SOON)
                .until(() -> sink.connections() == 2 && sink.received(1).contains("increment b 1 1\n"));
        out.write(bytes("c:1|c\n" + frame("d")));
        await().atMost(SOON).until(() -> sink.received(1).contains("c:1|c\n"));
        await().atMost(SOON).until(() -> sink.received(0).equals(frame("a") + frame("d")));
        assertThat(sink.received(1)).startsWith("from ");
        assertThat(value("proxy_reconnects_total" + label)).isZero();
        assertThat(value("proxy_up" + label)).isEqualTo(1);
    }

    @Test
    void waiting_messages_of_both_kinds_go_to_the_new_owners_and_metrics_stay_correct() throws Exception {
        Sink stays = open(new Sink());
        int port = Ports.reserve();
        List<Server> servers = List.of(server(stays.address()), server("127.0.0.1:" + port));
        proxy(servers);
        StringBuilder both = new StringBuilder();
        int count = 600;
        for (int i = 0; i < count; i++) {
            both.append("key").append(i).append(":1|c\n").append(frame("key" + i));
        }
        tcp().write(bytes(both.toString()));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 2L * count);
        assertThat(value("proxy_queued_bytes{server=\"127.0.0.1:" + port + "\"}"))
                .isPositive();

        forwarder().use(List.of(servers.get(0)));

        await().atMost(SOON).until(() -> stays.received().length() == both.length());
        assertThat(stays.kinds()).hasSize(2);
        assertThat(value("proxy_messages_total")).isEqualTo(2L * count);
        assertThat(value("proxy_queue_bytes")).isLessThanOrEqualTo(64L * QueueRoom.CHUNK_BYTES);
    }

    @Test
    void the_metrics_of_a_removed_server_disappear() throws Exception {
        Sink stays = open(new Sink());
        Sink leaves = open(new Sink());
        proxy(List.of(server(stays.address()), server(leaves.address())));
        assertThat(metrics.values().keySet()).anyMatch(name -> name.contains(leaves.address()));

        forwarder().use(List.of(server(stays.address())));

        await().atMost(SOON)
                .until(() -> metrics.values().keySet().stream().noneMatch(name -> name.contains(leaves.address())));
        assertThat(metrics.values().keySet()).anyMatch(name -> name.contains(stays.address()));
    }

    /** Measures what the loop's thread allocates, after the JIT compiler has compiled the code that runs. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("slow")
    void forwarding_a_line_allocates_nothing(boolean byTcp) throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long id = Objects.requireNonNull(loop).getId();
        OutputStream out = tcp();
        InetSocketAddress to = Objects.requireNonNull(forwarder().udpAddress());
        List<DatagramChannel> senders = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            senders.add(open(DatagramChannel.open()));
        }
        byte[] lines = bytes("key.some:1|c\nkey.other:320|ms|@0.1\nkey.some:2|g|#a:b\n".repeat(15));
        int linesARound = 45 * senders.size();
        long least = Long.MAX_VALUE;
        for (int round = 1; round <= 300; round++) {
            long before = threads.getThreadAllocatedBytes(id);
            for (DatagramChannel sender : senders) {
                if (byTcp) {
                    out.write(lines);
                } else {
                    sender.send(ByteBuffer.wrap(lines), to);
                }
            }
            long taken = (long) round * linesARound;
            await().pollInSameThread()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(1))
                    .atMost(SOON)
                    .until(() -> value("proxy_messages_total") == taken
                            && value("proxy_queued_bytes{server=\"" + sink.address() + "\"}") == 0);
            least = Math.min(least, threads.getThreadAllocatedBytes(id) - before);
        }

        // A round of the loop itself allocates a few objects, however many lines there are; the JDK an address for each
        // datagram whose sender is not that of the datagram before.
        int addresses = byTcp ? 0 : 160 * senders.size();
        assertThat(least).as("bytes for %s lines", linesARound).isLessThan(linesARound + addresses);
    }

    private Socket connected() throws IOException {
        Socket socket = open(new Socket());
        socket.connect(Objects.requireNonNull(forwarder().tcpAddress()), 10_000);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private static boolean isClosed(Socket socket) throws IOException {
        try {
            return socket.getInputStream().read() == -1;
        } catch (SocketException reset) {
            return true;
        }
    }

    /** The longest possible frame without its last byte. */
    private static byte[] halfFrame() {
        byte[] half = new byte[MessageParser.FRAME_BYTES_MAX - 1];
        Arrays.fill(half, (byte) 'a');
        System.arraycopy(MessageParserTest.hex("aa 04 ffff ffff"), 0, half, 0, 6);
        half[6 + 65_534] = 0;
        return half;
    }

    @Test
    void incomplete_messages_of_2000_connections_stay_within_sender_bytes_and_a_normal_sender_is_served()
            throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())), 8 << 20, 1 << 20);
        byte[] half = halfFrame();
        OutputStream honest = connected().getOutputStream();
        int floods = 2000;
        for (int i = 0; i < floods; i++) {
            try {
                connected().getOutputStream().write(half);
            } catch (SocketException closedMeanwhile) {
                // Expected: the proxy closes the connection with the oldest incomplete message.
            }
            if (i % 20 == 0) {
                honest.write(bytes("key" + i + ":x|c\n"));
                assertThat(value("proxy_sender_bytes")).isLessThanOrEqualTo(2 << 20);
            }
        }

        await().atMost(SOON).until(() -> numbers(sink.received()).size() == floods / 20);
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(value("proxy_closed_total{reason=\"half_messages\"}"))
                        .isGreaterThanOrEqualTo(floods - 8));
        assertThat(value("proxy_sender_bytes")).isLessThanOrEqualTo(value("proxy_sender_bytes_max"));
        assertThat(value("proxy_connections")).isBetween(2L, 9L);
        assertThat(said.lines()).anySatisfy(line -> assertThat(line).contains("TCP from 127.0.0.1:", "sender_bytes"));
    }

    @Test
    void a_TLS_connection_is_closed_at_once_and_the_reason_is_logged() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        Socket tls = connected();

        tls.getOutputStream().write(bytes("\u0016\u0003\u0001\u0002\u0000\u0001"));

        assertThat(isClosed(tls)).isTrue();
        assertThat(value("proxy_rejected_total{reason=\"tls\"}")).isEqualTo(1);
        assertThat(said.lines()).singleElement().asString().contains("TCP from 127.0.0.1:", "(tls)", "TLS");
    }

    @Test
    void a_browser_s_POST_is_closed_and_counts_nothing() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        Socket browser = connected();

        browser.getOutputStream()
                .write(bytes(String.join(
                        "\r\n",
                        "POST / HTTP/1.1",
                        "Host: 127.0.0.1:8150",
                        "Content-Type: text/plain",
                        "",
                        "increment orders.placed 1000000",
                        "orders.placed:1000000|c",
                        "")));

        assertThat(isClosed(browser)).isTrue();
        tcp().write(bytes("a:1|c\n"));
        await().atMost(SOON).until(() -> sink.received().equals("a:1|c\n"));
        assertThat(value("proxy_commands_total")).isZero();
        assertThat(value("proxy_rejected_total{reason=\"http\"}")).isEqualTo(1);
        assertThat(said.lines())
                .singleElement()
                .asString()
                .contains("TCP from 127.0.0.1:", "\"POST / HTTP/1.1\"", "(http)");
    }

    @Test
    void when_all_connections_are_in_use_the_longest_silent_is_closed_or_the_new_one_is_refused() throws Exception {
        Sink sink = open(new Sink());
        descriptors = 6;
        proxy(List.of(server(sink.address())));
        Socket silent = connected();
        Socket heard = connected();
        Socket third = connected();
        await().atMost(SOON).until(() -> value("proxy_connections") == 3);

        assertThat(isClosed(connected())).as("a fourth connection of at most 3").isTrue();
        assertThat(value("proxy_closed_total{reason=\"too_many\"}")).isEqualTo(1);
        assertThat(value("proxy_connections_max")).isEqualTo(3);

        ahead.addAndGet(Duration.ofSeconds(61).toNanos());
        heard.getOutputStream().write(bytes("a:1|c\n"));
        third.getOutputStream().write(bytes("b:1|c\n"));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 2);
        connected().getOutputStream().write(bytes("c:1|c\n"));

        assertThat(isClosed(silent)).isTrue();
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 3);
        assertThat(value("proxy_closed_total{reason=\"silent\"}")).isEqualTo(1);
        assertThat(value("proxy_connections")).isEqualTo(3);
        assertThat(said.lines()).anySatisfy(line -> assertThat(line).contains("TCP from 127.0.0.1:", "ulimit -n"));
    }

    @Test
    @Tag("slow")
    void a_message_that_is_not_complete_after_a_minute_ends_its_connection_but_a_minute_of_silence_does_not()
            throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        Socket stalled = connected();
        Socket grows = connected();
        Socket quiet = connected();
        stalled.getOutputStream().write(bytes("a:1|c\nb:"));
        Socket stalledJoined = connected();
        stalledJoined.getOutputStream().write(bytes("x:1|cx:1|cx:1|c"));
        grows.getOutputStream().write(bytes("c:"));
        quiet.getOutputStream().write(bytes("d:1|c\n"));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 2 && value("proxy_sender_bytes") == 19);

        ahead.addAndGet(Duration.ofSeconds(40).toNanos());
        grows.getOutputStream().write(bytes("1"));
        await().atMost(SOON).until(() -> value("proxy_sender_bytes") > 19);
        ahead.addAndGet(Duration.ofSeconds(30).toNanos());

        assertThat(isClosed(stalled)).isTrue();
        assertThat(isClosed(stalledJoined)).isTrue();
        assertThat(isClosed(grows)).isTrue();
        quiet.getOutputStream().write(bytes("e:1|c\n"));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 3);
        assertThat(value("proxy_closed_total{reason=\"stalled\"}")).isEqualTo(3);
        assertThat(value("proxy_rejected_total{reason=\"line_cut\"}")).isEqualTo(2);
        assertThat(value("proxy_rejected_total{reason=\"lines_joined\"}")).isEqualTo(1);
        assertThat(value("proxy_joined_counts_total")).isEqualTo(3);
        assertThat(said.lines())
                .anySatisfy(line ->
                        assertThat(line).startsWith("WARN TCP from 127.0.0.1:").contains("counts in it: 3"));
        assertThat(value("proxy_sender_bytes")).isZero();
    }

    @Test
    void only_listed_addresses_are_forwarded_and_a_silent_connection_ends_after_its_time() throws Exception {
        Sink sink = open(new Sink());
        limits = new ProxyIni.SenderLimits(10, Duration.ofMinutes(5), AccessSettings.allowed("10.0.0.0/8"));
        proxy(List.of(server(sink.address())));
        udp("a:1|c");
        assertThat(isClosed(connected())).isTrue();
        await().atMost(SOON).until(() -> value("refused_senders_total{port=\"udp\"}") == 1);
        assertThat(value("refused_senders_total{port=\"tcp\"}")).isEqualTo(1);
        assertThat(value("proxy_messages_total")).isZero();
        assertThat(said.lines())
                .anySatisfy(line -> assertThat(line).startsWith("WARN UDP from 127.0.0.1 is refused, because --allow"));

        forwarder().close();
        Objects.requireNonNull(loop).join(10_000);
        limits = new ProxyIni.SenderLimits(10, Duration.ofMinutes(5), AccessSettings.allowed("127.0.0.0/8"));
        proxy(List.of(server(sink.address())));
        Socket silent = connected();
        silent.getOutputStream().write(bytes("b:1|c\n"));
        udp("c:1|c");
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 2);
        ahead.addAndGet(Duration.ofMinutes(4).toNanos());
        silent.getOutputStream().write(bytes("b:1|c\n"));
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 3);
        assertThat(value("proxy_closed_total{reason=\"idle\"}")).isZero();
        ahead.addAndGet(Duration.ofMinutes(6).toNanos());

        assertThat(isClosed(silent)).isTrue();
        assertThat(value("proxy_closed_total{reason=\"idle\"}")).isEqualTo(1);
    }

    @Test
    @Tag("slow")
    void a_flood_of_forged_names_does_not_affect_known_names_and_sums_stay_correct() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        OutputStream honest = tcp();
        honest.write(bytes("increment orders.placed\n"));
        await().atMost(SOON).until(() -> value("proxy_commands_total") == 1);
        OutputStream flood = tcp();
        int forged = 20_000;
        for (int i = 0; i < forged; i++) {
            flood.write(bytes("increment forged." + i + "\n"));
        }
        await().atMost(SOON).until(() -> value("proxy_commands_total") == 1 + forged);

        honest.write(bytes("increment orders.placed 41\na:1|c\n"));

        long refused = value("proxy_rejected_total{reason=\"too_many_names\"}");
        assertThat(refused).isGreaterThan(forged - 3000);
        await().atMost(SOON)
                .until(() -> sink.received().contains("increment orders.placed 0 42\n")
                        || sink.received().contains("increment orders.placed 41 42\n"));
        await().atMost(SOON).until(() -> sink.received().contains(" " + refused + "\n"));
        assertThat(sink.received()).containsPattern("increment counters.overflow \\d+ " + refused + "\n");
        assertThat(value("proxy_names_bytes")).isLessThanOrEqualTo(NAMES_BYTES + 2000);
        assertThat(value("proxy_names_bytes_max")).isEqualTo(NAMES_BYTES);
    }

    @Test
    void an_error_that_the_loop_cannot_handle_ends_its_thread() throws Exception {
        proxy(List.of(server("127.0.0.1:" + Ports.reserve())));
        AtomicReference<Throwable> out = new AtomicReference<>();
        Thread thread = Objects.requireNonNull(loop);
        thread.setUncaughtExceptionHandler((dead, fault) -> out.set(fault));

        broken = true;

        await().atMost(SOON).until(() -> out.get() != null);
        assertThat(out.get()).isInstanceOf(InternalError.class);
    }

    @Test
    @Tag("slow")
    void healthz_reports_a_hanging_loop_until_it_continues() throws Exception {
        proxy(List.of(server("127.0.0.1:" + Ports.reserve())));
        ServersReloader reloader = new ServersReloader(settings(List.of(), 0, 0), forwarder(), said.log(), metrics);
        try (ProxyHttp page = new ProxyHttp(
                Listening.page(InetAddress.getLoopbackAddress(), 0, "none is", HttpLimits.PAGE, Guard.NONE),
                forwarder(),
                reloader,
                metrics,
                System::nanoTime,
                said.log(),
                ForwarderTest::daemon)) {
            HttpRequest health = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + page.address().getPort() + "/healthz"))
                    .build();
            HttpClient web = HttpClient.newHttpClient();
            assertThat(web.send(health, ofString()).body()).isEqualTo("ok, 0 servers up\n");

            CountDownLatch stuck = new CountDownLatch(1);
            hangs = stuck;
            ahead.addAndGet(Duration.ofSeconds(6).toNanos());
            await().atMost(SOON).until(() -> Objects.requireNonNull(loop).getState() == Thread.State.TIMED_WAITING);
            ahead.addAndGet(Duration.ofSeconds(6).toNanos());
            HttpResponse<String> hanging = web.send(health, ofString());

            assertThat(hanging.statusCode()).isEqualTo(503);
            assertThat(hanging.body()).matches("the proxy's loop has not finished a round for (6|7|1.) s\n");
            assertThatExceptionOfType(SettingsException.class)
                    .isThrownBy(() -> forwarder().use(List.of(server("127.0.0.1:1"))))
                    .withMessageContaining("did not answer within 5 s");
            stuck.countDown();
            await().atMost(SOON).until(() -> web.send(health, ofString()).body().equals("ok, 0 servers up\n"));
        }
    }

    private static Thread daemon(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        return thread;
    }

    @Test
    void six_hundred_clients_that_connect_at_once_do_not_wait() throws Exception {
        Sink sink = open(new Sink());
        List<SocketChannel> clients = new ArrayList<>();
        Forwarder notRunning = built(List.of(server(sink.address())), 64 << 20, 64 << 20);
        for (int i = 0; i < 600; i++) {
            SocketChannel client = open(SocketChannel.open());
            client.configureBlocking(false);
            client.connect(Objects.requireNonNull(notRunning.tcpAddress()));
            clients.add(client);
        }

        for (SocketChannel client : clients) {
            await().atMost(SOON).pollDelay(Duration.ZERO).until(client::finishConnect);
        }
        start(notRunning);
        await().atMost(SOON).until(() -> value("proxy_connections") == 600);
    }

    @Test
    @Tag("slow")
    void the_end_does_not_wait_for_a_server_that_does_not_read() throws Exception {
        Sink sink = open(new Sink());
        sink.stopReading();
        proxy(List.of(server(sink.address())));
        OutputStream out = tcp();
        for (int i = 0; i < 1000; i++) {
            out.write(bytes("key" + i + ":" + "x".repeat(10_000) + "|c\n"));
        }
        await().atMost(SOON).until(() -> value("proxy_messages_total") == 1000);

        forwarder().close();

        Thread ending = Objects.requireNonNull(loop);
        await().atMost(SOON).until(() -> !ending.isAlive());
    }

    @Test
    @Tag("slow")
    void the_end_does_not_wait_for_senders_that_never_stop() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        OutputStream out = tcp();
        Thread flood = new Thread(() -> {
            byte[] lines = bytes("key:x|c\n".repeat(1000));
            try {
                while (true) {
                    out.write(lines);
                }
            } catch (IOException closed) {
                // The proxy has ended.
            }
        });
        flood.setDaemon(true);
        flood.start();
        await().atMost(SOON).until(() -> value("proxy_messages_total") > 10_000);

        forwarder().close();

        Thread ending = Objects.requireNonNull(loop);
        await().atMost(SOON).until(() -> !ending.isAlive());
    }

    @Test
    void a_list_with_more_servers_than_the_queues_have_room_for_is_not_used() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())), 1 << 20);
        List<Server> many =
                IntStream.range(1, 20).mapToObj(i -> server("127.0.0.1:" + i)).toList();

        assertThatExceptionOfType(SettingsException.class)
                .isThrownBy(() -> forwarder().use(many))
                .withMessageContaining(
                        "the new list of servers (19) is not used: queue_bytes is 1048576, but 19 servers");
        tcp().write(bytes("a:1|c\n"));

        await().atMost(SOON).until(() -> sink.received().equals("a:1|c\n"));
        assertThat(metrics.values().keySet()).noneMatch(name -> name.contains("127.0.0.1:7\""));
    }

    @Test
    void the_end_writes_waiting_messages_and_sends_the_last_amounts() throws Exception {
        Sink sink = open(new Sink());
        proxy(List.of(server(sink.address())));
        OutputStream out = tcp();
        out.write(bytes("a:1|c\n"));
        await().atMost(SOON).until(() -> sink.received().contains("a:1|c\n"));
        for (int i = 0; i < 1000; i++) {
            out.write(bytes("key" + i + ":x|c\nincrement a\n"));
        }

        forwarder().close();

        Thread ending = Objects.requireNonNull(loop);
        await().atMost(SOON).until(() -> !ending.isAlive());
        await().atMost(SOON).until(() -> sink.received().contains("increment a 0 1000\n"));
        assertThat(sink.received().lines().filter(line -> line.startsWith("key")))
                .hasSize(1000);
    }
}
