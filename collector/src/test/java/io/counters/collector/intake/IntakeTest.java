package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.ledger.KeptLedger;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real sockets on loopback, with a real ledger. */
class IntakeTest {
    private static final String S1 = "from 8f2c6a1e0b7d4c93a5e1f07b";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int CONNECTIONS = 1000;

    @TempDir
    Path folder;

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);

    private KeptLedger kept;
    private Intake intake;
    private Thread thread;
    private DatagramSocket sender;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(folder, false);
        intake = KeptIntake.open(kept, settings(0), null, nanos::get);
        thread = new Thread(intake, "counters-intake");
        sender = new DatagramSocket(0, InetAddress.getLoopbackAddress());
    }

    @AfterEach
    void close() throws Exception {
        end();
        sender.close();
        kept.close();
    }

    /** Lets the intake merge what has arrived, and end. */
    private void end() throws InterruptedException {
        intake.close();
        run();
        thread.join(10_000);
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void a_name_leaves_room_for_the_prefix() throws Exception {
        IntakeSettings prefixed = IntakeSettings.from(
                new Settings(
                        Map.of(
                                CollectorFlag.PREFIX,
                                "shop.",
                                CollectorFlag.UDP_PORT,
                                "0",
                                CollectorFlag.BIND,
                                "127.0.0.1"),
                        Map.of()),
                AccessSettings.NONE);
        try (Intake own = KeptIntake.open(kept, prefixed, null, nanos::get)) {
            Thread running = new Thread(own, "prefixed");
            running.start();
            byte[] lines = ("increment " + "x".repeat(246) + "\nincrement " + "y".repeat(245)).getBytes(ISO_8859_1);
            sender.send(new DatagramPacket(lines, lines.length, own.udpAddress()));

            awaitValue("y".repeat(245), 1);
            assertThat(kept.value("x".repeat(246))).isZero();
            assertThat(rejected("name_too_long")).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 0.0.0.0, all addresses",
        "127.0.0.2, 127.0.0.1, 127.0.0.1",
        "127.0.0.1, 127.0.0.1,",
        "0.0.0.0, 0.0.0.0,",
        "0.0.0.0, 127.0.0.1,",
    })
    void an_inherited_socket_at_another_address_than_that_of_bind_is_logged(
            String bind, String held, @Nullable String logged) throws Exception {
        try (DatagramChannel inherited =
                DatagramChannel.open(StandardProtocolFamily.INET).bind(new InetSocketAddress(held, 0))) {
            Intake own = KeptIntake.open(
                    kept, settings(InetAddress.getByName(bind), 0, 0), Optional.of(inherited), null, nanos::get);

            assertThat(own.udpAddress()).isEqualTo(inherited.getLocalAddress());
            own.close();
            own.run();
        }

        assertThat(kept.said.lines())
                .isEqualTo(
                        logged == null
                                ? List.of()
                                : List.of("WARN --bind is " + bind
                                        + ", which does not apply to UDP, because systemd holds"
                                        + " that socket, bound to " + logged
                                        + "; change ListenDatagram= in the .socket unit"));
    }

    private static IntakeSettings settings(int port) {
        return settings(InetAddress.getLoopbackAddress(), port, IntakeSettings.AS_UDP);
    }

    private static IntakeSettings settings(InetAddress bind, int udpPort, int tcpPort) {
        return new IntakeSettings(bind, udpPort, tcpPort, 250, CONNECTIONS, StatsdSettings.CLEAN);
    }

    private void run() {
        if (thread.getState() == Thread.State.NEW) {
            thread.start();
        }
    }

    private void datagram(String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        sender.send(new DatagramPacket(bytes, bytes.length, intake.udpAddress()));
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true);
        socket.connect(intake.tcpAddress(), 5000);
        return socket;
    }

    /** Sends all pieces on a new connection. */
    private void stream(String... pieces) throws IOException {
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            for (String piece : pieces) {
                out.write(piece.getBytes(ISO_8859_1));
                out.flush();
            }
        }
    }

    private void awaitValue(String name, long value) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(5))
                .untilAsserted(() -> assertThat(kept.value(name)).isEqualTo(value));
    }

    private long rejected(String reason) {
        return kept.counted("intake_rejected_lines_total{reason=\"" + reason + "\"}");
    }

    @Test
    void one_command_in_a_datagram_counts() throws Exception {
        run();

        datagram("increment YourAwesomeCounter");

        awaitValue("YourAwesomeCounter", 1);
        assertThat(kept.said.lines()).isEmpty();
    }

    @Test
    void each_of_many_datagrams_counts() throws Exception {
        run();

        for (int i = 0; i < 2000; i++) {
            datagram("increment a\ndecrement b 2\r\nc:3|c\n");
            if (i % 100 == 99) {
                awaitValue("a", i + 1);
            }
        }

        assertThat(kept.values()).isEqualTo(Map.of("a", 2000L, "b", -4000L, "c", 6000L));
        await().untilAsserted(
                        () -> assertThat(kept.counted("intake_datagrams_total")).isEqualTo(2000));
    }

    @Test
    void the_largest_datagram_counts() throws Exception {
        run();
        String line = "increment a\n";

        datagram(line.repeat(65_507 / line.length()));

        awaitValue("a", 65_507 / line.length());
    }

    @Test
    void the_stream_of_a_datagram_does_not_apply_to_the_next() throws Exception {
        run();

        datagram(S1 + " 10 1\nincrement a 5 5");
        datagram("increment a 5 5");

        awaitValue("a", 10);
        datagram(S1 + " 10 1\nincrement a 5 5\nincrement b");
        awaitValue("b", 1);
        assertThat(kept.value("a")).isEqualTo(10);
    }

    @Test
    void rejected_lines_are_counted_by_reason_and_the_lines_next_to_them_count() throws Exception {
        run();

        datagram("increment good\nincrement b@d\nincrement\nhello\nincrement good 2\nincrement good -1\n"
                + "timer:3|ms\nincrement x 5 4\nincrement good 3");

        awaitValue("good", 6);
        assertThat(kept.values()).containsOnlyKeys("good");
        assertThat(rejected("name_letter")).isEqualTo(1);
        assertThat(rejected("unknown_verb")).isEqualTo(1);
        assertThat(rejected("command_form")).isEqualTo(1);
        assertThat(rejected("amount_form")).isEqualTo(1);
        assertThat(rejected("statsd_type")).isEqualTo(1);
        assertThat(rejected("total_below_amount")).isEqualTo(1);
        assertThat(kept.said.lines())
                .anySatisfy(line -> assertThat(line).contains("UDP line \"increment b@d\" was rejected (name_letter)"));
    }

    @Test
    void the_log_shows_a_rejected_line_short_and_printable() throws Exception {
        run();

        datagram("\u001b[31mred\u0000\u00ff" + "x".repeat(500));

        await().atMost(PATIENCE).until(() -> rejected("unknown_verb") == 1);
        await().atMost(PATIENCE).until(() -> !kept.said.lines().isEmpty());
        assertThat(kept.said.lines().get(0))
                .contains("?[31mred??xxx")
                .contains("x...\"")
                .hasSizeLessThan(300);
    }

    @Test
    void a_from_line_applies_to_the_lines_after_it_until_the_next() throws Exception {
        run();

        stream(
                "increment a 1 100\n" + S1 + " 10 1\n",
                "increment a 5 5\nincrement a 5 5\n",
                "from 00000000000000000000002b 10 1\nincrement a 7 9\n",
                "from -\n",
                "increment a 1 100\nincrement end\n");

        awaitValue("end", 1);
        assertThat(kept.value("a")).isEqualTo(1 + 5 + 9 + 1);
    }

    @Test
    void a_bad_from_line_ends_the_stream_before_it() throws Exception {
        run();

        stream(S1 + " 10 1\nincrement a 5 5\nfrom nobody\nincrement a 1 500\nincrement end\n");

        awaitValue("end", 1);
        assertThat(kept.value("a")).isEqualTo(6);
        assertThat(rejected("from_form")).isEqualTo(1);
    }

    @Test
    void lines_after_a_second_from_line_in_a_datagram_belong_to_no_stream() throws Exception {
        run();

        datagram(S1 + " 10 1\nincrement a 5 5\nfrom 00000000000000000000002b 10 1\nincrement a 1 500\nincrement end");

        awaitValue("end", 1);
        assertThat(kept.value("a")).isEqualTo(6);
        assertThat(rejected("from_place")).isEqualTo(1);
    }

    @Test
    void connections_do_not_share_streams() throws Exception {
        run();
        try (Socket first = connect();
                Socket second = connect()) {
            first.getOutputStream().write((S1 + " 10 1\nincrement a 5 5\n").getBytes(ISO_8859_1));
            awaitValue("a", 5);
            second.getOutputStream().write("increment a 1 5\n".getBytes(ISO_8859_1));
            awaitValue("a", 6);
            first.getOutputStream().write("increment a 1 8\n".getBytes(ISO_8859_1));

            awaitValue("a", 9);
        }
    }

    @Test
    void only_a_line_that_is_too_long_is_lost() throws Exception {
        run();

        stream("increment a\nincrement b,k=" + "v".repeat(1100) + "\nincrement a 1\n");

        awaitValue("a", 2);
        assertThat(kept.values()).containsOnlyKeys("a");
        assertThat(rejected("line_too_long")).isEqualTo(1);
    }

    @Test
    void only_a_line_that_is_too_long_over_many_reads_is_lost() throws Exception {
        run();
        try (Socket socket = connect()) {
            OutputStream out = socket.getOutputStream();
            out.write("increment a\nincrement ".getBytes(ISO_8859_1));
            awaitValue("a", 1);
            byte[] much = "increment a ".repeat(1000).getBytes(ISO_8859_1);
            for (int i = 0; i < 20; i++) {
                out.write(much);
            }
            await().atMost(PATIENCE).until(() -> rejected("lines_joined") == 1);
            out.write("increment a 100\nincrement a\nincrement end\n".getBytes(ISO_8859_1));

            awaitValue("end", 1);
        }
        assertThat(kept.value("a")).isEqualTo(2);
        assertThat(rejected("lines_joined")).isEqualTo(1);
        assertThat(kept.said.lines()).hasSize(2);
    }

    @Test
    void a_line_that_is_too_long_and_never_ends_is_not_counted() throws Exception {
        run();

        stream("x".repeat(100_000) + "increment a");
        stream("increment end\n");

        awaitValue("end", 1);
        assertThat(kept.values()).containsOnlyKeys("end");
        assertThat(rejected("line_too_long")).isEqualTo(1);
    }

    @Test
    void a_line_of_exactly_1024_bytes_is_read() throws Exception {
        run();
        String command = "a:1|c|#";
        String line = command + "x".repeat(1024 - command.length());

        stream(line + "\r\n" + line + "x\r\n" + "increment end\n");

        awaitValue("end", 1);
        assertThat(rejected("line_too_long")).isEqualTo(1);
        assertThat(rejected("name_too_long")).isEqualTo(1);
    }

    @Test
    void a_last_line_without_a_line_break_is_rejected_with_the_remedy() throws Exception {
        run();

        stream("increment a\norders:123456|c");

        await().atMost(PATIENCE).until(() -> rejected("line_cut") == 1);
        await().atMost(PATIENCE).until(() -> !kept.said.lines().isEmpty());
        assertThat(kept.values()).isEqualTo(Map.of("a", 1L));
        assertThat(kept.said.lines()).hasSize(1);
        assertThat(kept.said.lines().get(0))
                .startsWith("WARN TCP line \"orders:123456|c\" was rejected (line_cut): ")
                .contains("End the last line with a line break too: echo, not echo -n; sent by 127.0.0.1:");
    }

    @Test
    void a_last_line_without_a_line_break_counts_in_a_datagram() throws Exception {
        run();

        datagram("increment a\norders:123456|c");

        awaitValue("orders", 123_456);
        assertThat(kept.said.lines()).isEmpty();
    }

    @Test
    @Tag("slow")
    void an_incomplete_line_is_rejected_as_cut_however_its_connection_ends() throws Exception {
        run();
        try (Socket stalled = connect()) {
            line(stalled, "increment first");
            stalled.getOutputStream().write("increment stalled".getBytes(ISO_8859_1));
            awaitValue("first", 1);
            await().atMost(PATIENCE).until(() -> {
                nanos.addAndGet(TimeUnit.SECONDS.toNanos(61));
                return rejected("line_cut") == 1;
            });
        }
        Socket reset = connect();
        reset.getOutputStream().write("increment second\nincrement reset".getBytes(ISO_8859_1));
        awaitValue("second", 1);
        reset.setSoLinger(true, 0);
        reset.close();
        await().atMost(PATIENCE).until(() -> rejected("line_cut") == 2);
        try (Socket open = connect()) {
            open.getOutputStream().write("increment third\nincrement open".getBytes(ISO_8859_1));
            awaitValue("third", 1);

            end();
        }

        assertThat(rejected("line_cut")).isEqualTo(3);
        assertThat(kept.values()).isEqualTo(Map.of("first", 1L, "second", 1L, "third", 1L));
    }

    @Test
    void a_stream_without_any_line_break_is_logged_with_its_estimated_counts() throws Exception {
        run();
        int counts = 10_000;

        stream("a:1|c".repeat(counts).split("(?<=\\G.{4999})"));
        stream("increment end\n");

        awaitValue("end", 1);
        await().atMost(PATIENCE).until(() -> kept.said.lines().size() == 2);
        assertThat(kept.values()).isEqualTo(Map.of("end", 1L));
        assertThat(rejected("lines_joined")).isEqualTo(1);
        assertThat(kept.counted("intake_joined_counts_total")).isEqualTo(counts);
        assertThat(kept.counted("intake_unended_bytes_total")).isEqualTo(5L * counts);
        assertThat(kept.said.lines().get(0))
                .startsWith("WARN TCP line \"a:1|ca:1|c")
                .contains(
                        "was rejected (lines_joined): the text contains several lines without line breaks between them")
                .contains("a:1|c\\n; estimated counts in it: ");
        assertThat(kept.said.lines().get(1))
                .contains("sent 50,000 bytes without a line break; estimated counts in them: 10,000, and none is"
                        + " counted");
    }

    @Test
    void lines_that_are_joined_without_line_breaks_are_rejected_as_joined_over_udp_and_tcp() throws Exception {
        run();

        datagram("good:1|c\na:1|cb:1|c\ngauge:1|ga:7|c\nincrement aincrement b\na:1|c|@0.1b:1|c\na:1|c|#t:vb:1|c");
        stream("good:1|c\na:1|cb:1|c\ngood:1|c\n", "a:1|cb:1|c");
        datagram("users:abe|sorders:1|c\norders:1|cusers:abe|s\nusers:abe|susers:abe|s");

        awaitValue("good", 3);
        await().atMost(PATIENCE).until(() -> rejected("lines_joined") == 10);
        assertThat(kept.counted("intake_joined_counts_total")).isEqualTo(2 + 1 + 2 + 2 + 2 + 2 + 2 + 1 + 1);
        assertThat(kept.values()).isEqualTo(Map.of("good", 3L));
    }

    @Test
    void a_counter_with_an_unknown_type_is_not_hidden_among_gauges() throws Exception {
        run();

        datagram("g:1|g\nt:1|ms\nh:1|h\ns:1|s\nd:1|d\nk:1|k\n_e{1,2}:a|bc\norders:1|C\norders:1|count");

        await().atMost(PATIENCE).until(() -> rejected("unknown_type") == 2);
        assertThat(rejected("statsd_type")).isEqualTo(7);
    }

    @Test
    void a_connection_that_is_reset_does_not_affect_others() throws Exception {
        run();
        try (Socket other = connect()) {
            Socket reset = connect();
            reset.getOutputStream().write("increment a\nincrement a 1".getBytes(ISO_8859_1));
            awaitValue("a", 1);
            reset.setSoLinger(true, 0);
            reset.close();
            await().atMost(PATIENCE).until(() -> kept.counted("intake_broken_connections_total") == 1);

            other.getOutputStream().write("increment a\n".getBytes(ISO_8859_1));
            awaitValue("a", 2);
            datagram("increment a");
            awaitValue("a", 3);
        }
        assertThat(kept.counted("intake_accepted_connections_total")).isEqualTo(2);
        assertThat(rejected("line_cut")).isEqualTo(1);
    }

    @Test
    void a_browsers_post_does_not_count_and_is_logged_with_its_source() throws Exception {
        run();
        try (Socket browser = connect()) {
            browser.getOutputStream()
                    .write(String.join(
                                    "\r\n",
                                    "POST / HTTP/1.1",
                                    "Host: localhost:11212",
                                    "Content-Type: text/plain",
                                    "",
                                    "increment orders.placed 1000000",
                                    "increment orders.placed 1",
                                    "")
                            .getBytes(ISO_8859_1));

            awaitClosed(browser);
            stream("increment end\n");
            awaitValue("end", 1);
            assertThat(kept.values()).containsOnlyKeys("end");
            assertThat(rejected("http")).isEqualTo(1);
            assertThat(kept.said.lines()).hasSize(1);
            assertThat(kept.said.lines().get(0))
                    .contains("TCP line \"POST / HTTP/1.1\" was rejected (http)")
                    .endsWith("; sent by 127.0.0.1:" + browser.getLocalPort());
        }
    }

    @Test
    void a_tls_clients_connection_is_closed_at_once() throws Exception {
        run();
        try (Socket client = connect()) {
            client.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc});

            awaitClosed(client);
        }
        assertThat(rejected("tls")).isEqualTo(1);
        assertThat(kept.said.lines().get(0)).contains("was rejected (tls)", "not TLS");
    }

    @Test
    void a_statsd_line_that_begins_like_http_counts() throws Exception {
        run();

        stream("host:1|c\norigin:2|c\nget:3|c\nincrement POST\nincrement /path\n");

        awaitValue("/path", 1);
        assertThat(kept.values().toString()).isEqualTo("{/path=1, POST=1, get=3, host=1, origin=2}");
        assertThat(kept.said.lines()).isEmpty();
    }

    /** Waits until the other side has closed the connection. */
    private static void awaitClosed(Socket socket) throws IOException {
        socket.setSoTimeout((int) PATIENCE.toMillis());
        try {
            assertThat(socket.getInputStream().read()).isEqualTo(-1);
        } catch (SocketTimeoutException stillOpen) {
            throw stillOpen;
        } catch (SocketException reset) {
            // A reset, because the server had not read everything.
        }
    }

    private static void line(Socket socket, String text) throws IOException {
        socket.getOutputStream().write((text + "\n").getBytes(ISO_8859_1));
    }

    @Test
    void a_connection_that_was_silent_for_a_day_still_counts() throws Exception {
        run();
        try (Socket fresh = connect();
                Socket heard = connect()) {
            line(heard, "increment heard");
            awaitValue("heard", 1);
            await().atMost(PATIENCE).until(() -> kept.counted("intake_connections") == 2);
            for (int hour = 1; hour <= 24; hour++) {
                nanos.addAndGet(TimeUnit.HOURS.toNanos(1));
                // Reading one connection makes the server check all of them.
                stream("increment hour\n");
                awaitValue("hour", hour);
            }
            await().atMost(PATIENCE).until(() -> kept.counted("intake_connections") == 2);

            line(fresh, "increment fresh");
            line(heard, "increment heard");

            awaitValue("fresh", 1);
            awaitValue("heard", 2);
        }
        assertThat(kept.counted("intake_idle_connections_total")).isZero();
        assertThat(kept.said.lines()).isEmpty();
    }

    @Test
    @Tag("slow")
    void an_incomplete_line_that_does_not_grow_for_a_minute_ends_its_connection() throws Exception {
        run();
        try (Socket half = connect();
                Socket tooLong = connect();
                Socket good = connect();
                Socket trickle = connect()) {
            half.getOutputStream().write("increment half\nincrement".getBytes(ISO_8859_1));
            tooLong.getOutputStream().write(("increment long\n" + "x".repeat(2000)).getBytes(ISO_8859_1));
            trickle.getOutputStream().write("increment trickle\nincrement tri".getBytes(ISO_8859_1));
            line(good, "increment good");
            for (String name : List.of("half", "long", "trickle", "good")) {
                awaitValue(name, 1);
            }
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(59));
            trickle.getOutputStream().write("ckle\nincrement tri".getBytes(ISO_8859_1));
            awaitValue("trickle", 2);

            nanos.addAndGet(TimeUnit.SECONDS.toNanos(2));

            awaitClosed(half);
            awaitClosed(tooLong);
            await().atMost(PATIENCE).until(() -> kept.counted("intake_connections") == 2);
            line(good, "increment good");
            line(trickle, "ckle");
            awaitValue("good", 2);
            awaitValue("trickle", 3);
        }
        assertThat(kept.counted("intake_idle_connections_total")).isEqualTo(2);
        assertThat(kept.said.lines())
                .filteredOn(line -> line.startsWith("WARN the TCP connection from 127.0.0.1:")
                        && line.endsWith(" did not complete a line or its handshake within 60 s and was closed"))
                .hasSize(1);
    }

    @Test
    void a_new_connection_beyond_the_limit_replaces_the_longest_silent_after_a_minute() throws Exception {
        run();
        List<Socket> all = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                all.add(connect());
                line(all.get(i), "increment a");
            }
            awaitValue("a", CONNECTIONS);
            try (Socket refused = connect()) {
                awaitClosed(refused);
                assertThat(kept.counted("intake_refused_connections_total")).isEqualTo(1);
                assertThat(kept.said.lines())
                        .containsExactly("WARN all " + CONNECTIONS
                                + " TCP connections are in use, so the one from 127.0.0.1:"
                                + refused.getLocalPort()
                                + " was refused; to allow more, raise --connections or ulimit -n");
            }
            nanos.addAndGet(TimeUnit.SECONDS.toNanos(61));
            line(all.get(0), "increment first");
            awaitValue("first", 1);

            try (Socket newcomer = connect()) {
                line(newcomer, "increment newcomer");

                awaitValue("newcomer", 1);
                awaitClosed(all.get(1));
                line(all.get(0), "increment first");
                awaitValue("first", 2);
                assertThat(kept.counted("intake_connections")).isEqualTo(CONNECTIONS);
                assertThat(kept.said.lines().get(1))
                        .endsWith("the one from 127.0.0.1:" + all.get(1).getLocalPort()
                                + ", silent longest, was closed for a new one; to allow more, raise --connections or"
                                + " ulimit -n");
            }
            assertThat(kept.counted("intake_idle_connections_total")).isEqualTo(1);
            assertThat(kept.counted("intake_refused_connections_total")).isEqualTo(1);
        } finally {
            for (Socket socket : all) {
                socket.close();
            }
        }
    }

    @Test
    void six_hundred_senders_may_connect_at_once() throws Exception {
        List<Socket> all = new ArrayList<>();
        try {
            for (int i = 0; i < 600; i++) {
                Socket socket = new Socket();
                all.add(socket);
                // No thread accepts yet; if the backlog is full, a connect waits for a second.
                socket.connect(intake.tcpAddress(), 900);
                line(socket, "increment a");
            }
            run();

            awaitValue("a", 600);
        } finally {
            for (Socket socket : all) {
                socket.close();
            }
        }
    }

    /** Reads Linux's table of sockets, where {@code 02} before the timer's time means keepalive. */
    @Test
    void a_sender_whose_machine_has_disappeared_is_detected_by_keepalive() throws Exception {
        run();
        try (Socket socket = connect()) {
            line(socket, "increment a");
            awaitValue("a", 1);
            String addresses = String.format(":%04X [0-9A-F]+:%04X", socket.getPort(), socket.getLocalPort());

            List<String> sockets = new ArrayList<>(Files.readAllLines(Path.of("/proc/net/tcp")));
            sockets.addAll(Files.readAllLines(Path.of("/proc/net/tcp6")));

            assertThat(sockets)
                    .anySatisfy(line -> assertThat(line)
                            .containsPattern(addresses)
                            .containsPattern(" 0[0-9A-F] [0-9A-F]{8}:[0-9A-F]{8} 02:"));
        }
    }

    @Test
    void the_maximum_of_connections_depends_on_descriptors_and_heap() {
        assertThat(IntakeSettings.connectionsMax(10_000, 1 << 20, 4L << 30, IntakeSettings.CONNECTION_BYTES))
                .isEqualTo(10_000);
        assertThat(IntakeSettings.connectionsMax(10_000, 1024, 4L << 30, IntakeSettings.CONNECTION_BYTES))
                .isEqualTo(512);
        assertThat(IntakeSettings.connectionsMax(10_000, 1 << 20, 256 << 20, IntakeSettings.CONNECTION_BYTES))
                .isEqualTo(6553);
        assertThat(IntakeSettings.connectionsMax(100, 1 << 20, 4L << 30, IntakeSettings.CONNECTION_BYTES))
                .isEqualTo(100);
        assertThat(IntakeSettings.connectionsMax(10_000, 1, 4L << 30, IntakeSettings.CONNECTION_BYTES))
                .isEqualTo(1);
    }

    @Test
    void a_port_that_is_closed_elsewhere_ends_the_server_with_the_failure() throws Exception {
        ServerSocketChannel port =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        TcpServer server = new TcpServer(
                port,
                settings(0),
                Optional.empty(),
                LineTarget.of(kept.ledger),
                KeptIntake.closedTap(),
                nanos::get,
                kept.said.log(),
                kept.metrics);
        port.close();

        assertThatThrownBy(server::run).isInstanceOf(UncheckedIOException.class).hasMessageContaining("was closed");
    }

    /** A server whose next accepts fail, with its own clock. */
    private final class FailingServer extends TcpServer {
        final AtomicInteger failuresLeft;

        FailingServer(ServerSocketChannel port, int failures, LongSupplier nanoClock) throws IOException {
            super(
                    port,
                    settings(0),
                    Optional.empty(),
                    LineTarget.of(kept.ledger),
                    KeptIntake.closedTap(),
                    nanoClock,
                    kept.said.log(),
                    kept.metrics);
            failuresLeft = new AtomicInteger(failures);
        }

        @Override
        @Nullable
        SocketChannel next() throws IOException {
            if (failuresLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IOException("Too many open files");
            }
            return super.next();
        }
    }

    @Test
    @Tag("slow")
    void accepts_that_fail_for_a_minute_end_the_thread_with_the_failure() throws Exception {
        ServerSocketChannel port =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        AtomicLong own = new AtomicLong(Long.MAX_VALUE - 5);
        TcpServer server = new FailingServer(port, Integer.MAX_VALUE, () -> own.addAndGet(TimeUnit.SECONDS.toNanos(1)));

        try (SocketChannel waiting = SocketChannel.open(port.getLocalAddress())) {
            assertThatThrownBy(server::run)
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessage("the TCP port's accept has failed for 60 s, so it receives nothing")
                    .hasRootCauseMessage("Too many open files");
            assertThat(waiting.isConnected()).isTrue();
        }
        assertThat(kept.counted("intake_receive_failures_total")).isGreaterThan(5);
        assertThat(port.isOpen()).isFalse();
    }

    @Test
    void accepts_that_fail_for_a_moment_are_counted_logged_once_and_lose_no_connection() throws Exception {
        ServerSocketChannel port =
                ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        TcpServer server = new FailingServer(port, 4, System::nanoTime);
        Thread running = new Thread(server);
        try (SocketChannel waiting = SocketChannel.open(port.getLocalAddress())) {
            running.start();
            waiting.write(ByteBuffer.wrap("increment a\n".getBytes(ISO_8859_1)));

            awaitValue("a", 1);
        }
        server.close();
        running.join(10_000);
        assertThat(running.isAlive()).isFalse();
        assertThat(kept.counted("intake_receive_failures_total")).isEqualTo(4);
        assertThat(kept.said.lines())
                .containsExactly("WARN the TCP port's accept failed and is tried again for at most 60 s:"
                        + " java.io.IOException: Too many open files");
    }

    @Test
    void lines_that_arrived_before_the_end_count() throws Exception {
        String line = "increment tcp\n";
        int lines = 100_000 / line.length();
        try (Socket waiting = connect();
                Socket written = connect()) {
            written.getOutputStream().write(line.repeat(lines).getBytes(ISO_8859_1));
            written.getOutputStream().write("increment half".getBytes(ISO_8859_1));
            for (int i = 0; i < 400; i++) {
                datagram("increment udp");
            }

            end();

            assertThat(waiting.isConnected()).isTrue();
        }
        assertThat(kept.values())
                .as("a line that was cut off may be incomplete")
                .isEqualTo(Map.of("tcp", (long) lines, "udp", 400L));
    }

    @Test
    void the_intake_ends_even_if_a_sender_never_stops() throws Exception {
        run();
        Thread flood = new Thread(() -> {
            try (Socket socket = connect()) {
                byte[] lines = "increment a\n".repeat(1000).getBytes(ISO_8859_1);
                while (!Thread.currentThread().isInterrupted()) {
                    socket.getOutputStream().write(lines);
                }
            } catch (IOException closed) {
                // Expected: the server closed the connection.
            }
        });
        flood.start();
        await().atMost(PATIENCE).until(() -> kept.value("a") > 0);

        end();

        flood.join(TimeUnit.SECONDS.toMillis(10));
        assertThat(flood.isAlive()).as("its connection was closed").isFalse();
    }

    @Test
    void a_udp_port_in_use_is_reported_with_the_remedy() throws Exception {
        InetSocketAddress taken = intake.udpAddress();

        assertThatThrownBy(() -> KeptIntake.open(kept, settings(taken.getPort()), null, nanos::get))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("UDP port " + taken.getPort())
                .hasMessageEndingWith("use --udp-port for another port");
    }

    @Test
    void a_tcp_port_in_use_is_reported_with_the_remedy() throws Exception {
        int taken = intake.tcpAddress().getPort();
        IntakeSettings settings =
                new IntakeSettings(InetAddress.getLoopbackAddress(), 0, taken, 250, CONNECTIONS, StatsdSettings.CLEAN);

        assertThatThrownBy(() -> KeptIntake.open(kept, settings, null, nanos::get))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("TCP port " + taken)
                .hasMessageEndingWith("use --tcp-port for another port");
    }

    @Test
    void by_default_tcp_has_the_number_of_the_udp_port() throws Exception {
        assertThat(intake.tcpAddress().getPort()).isEqualTo(intake.udpAddress().getPort());
        assertThat(kept.counted("intake_receive_buffer_bytes")).isPositive();
    }

    @Test
    void a_port_of_0_is_a_free_one_for_both() throws Exception {
        List<AutoCloseable> taken = new ArrayList<>();
        try {
            // One in fourteen of the assigned numbers is in use for TCP.
            for (int i = 0; i < 2000; i++) {
                taken.add(ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)));
            }
            for (int i = 0; i < 80; i++) {
                Intake free = KeptIntake.open(kept, settings(0), null, nanos::get);
                assertThat(free.tcpAddress().getPort())
                        .isEqualTo(free.udpAddress().getPort());
                free.close();
                free.run();
            }
        } finally {
            for (AutoCloseable socket : taken) {
                socket.close();
            }
        }
    }
}
