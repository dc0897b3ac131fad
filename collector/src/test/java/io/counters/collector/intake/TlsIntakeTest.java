package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.AllowedSenders;
import io.counters.collector.access.Certificate;
import io.counters.collector.access.Port;
import io.counters.collector.ledger.KeptLedger;
import io.counters.testsupport.Identity;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ports for lines with TLS and with a list of senders: real sockets, and a clock that the test moves. */
@Timeout(180)
@Tag("slow")
class TlsIntakeTest {
    @TempDir
    Path folder;

    private final AtomicLong nanos = new AtomicLong();
    private KeptLedger kept;

    @SuppressWarnings("NullAway.Init") // Set by each test first.
    private Intake intake;

    @SuppressWarnings("NullAway.Init")
    private Thread thread;

    @BeforeEach
    void open() throws IOException {
        kept = new KeptLedger(Files.createDirectory(folder.resolve("data")), false);
    }

    private void intake(Optional<Certificate> certificate, String allowed) throws IOException {
        Map<Port, AllowedSenders> senders = AccessSettings.allowed(allowed);
        intake = KeptIntake.open(
                kept,
                new IntakeSettings(
                        InetAddress.getLoopbackAddress(),
                        0,
                        IntakeSettings.AS_UDP,
                        250,
                        100,
                        Duration.ofHours(2),
                        StatsdSettings.CLEAN,
                        new AccessSettings(Optional.empty(), certificate, Set.of(Port.TCP), senders)),
                null,
                nanos::get);
        thread = new Thread(intake, "counters-intake");
        thread.start();
    }

    @AfterEach
    void close() throws Exception {
        intake.close();
        thread.join(10_000);
        assertThat(thread.isAlive()).isFalse();
        kept.close();
    }

    private static Certificate in(Path where, Identity identity, String clientCa) throws Exception {
        identity.write(where);
        return Certificate.of(
                where.resolve("cert.pem").toString(), where.resolve("key.pem").toString(), clientCa);
    }

    private Socket plain() throws IOException {
        Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), intake.tcpAddress().getPort());
        socket.setSoTimeout(50_000);
        return socket;
    }

    private SSLSocket tls(SSLContext context) throws IOException {
        SSLSocket socket = (SSLSocket) context.getSocketFactory()
                .createSocket(
                        InetAddress.getLoopbackAddress(), intake.tcpAddress().getPort());
        socket.setSoTimeout(50_000);
        socket.setTcpNoDelay(true);
        return socket;
    }

    private static void send(Socket to, String text) throws IOException {
        to.getOutputStream().write(text.getBytes(ISO_8859_1));
        to.getOutputStream().flush();
    }

    private void awaitValue(String name, long value) {
        await().until(() -> kept.value(name) == value);
    }

    private static void awaitClosed(Socket socket) throws IOException {
        try {
            while (socket.getInputStream().read() >= 0) {
                // An alert of TLS may come before the end.
            }
        } catch (SocketException | SSLException closed) {
            // A reset also ends the connection.
        }
    }

    private void seconds(long more) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(more));
    }

    @Test
    @Tag("slow")
    void lines_by_tls_count_wherever_they_are_split_and_a_new_certificate_cuts_no_connection() throws Exception {
        Identity one = Identity.of("one");
        Identity two = Identity.of("two");
        Certificate certificate = in(folder, one, "");
        intake(Optional.of(certificate), "");
        try (SSLSocket old = tls(one.client())) {
            send(old, "increment a 1\nincre");
            send(old, "ment a 2\n");
            awaitValue("a", 3);
            // More than one read, and more than one record of TLS.
            send(old, "increment b 1\n".repeat(20_000));
            awaitValue("b", 20_000);

            two.write(folder);
            certificate.look(Instant::now, kept.said.log());
            try (SSLSocket fresh = tls(two.client())) {
                send(fresh, "increment c 5\n");
                awaitValue("c", 5);
                assertThat(fresh.getSession().getPeerCertificates()[0]).isEqualTo(two.certificate());
            }
            send(old, "increment a 4\n");
            awaitValue("a", 7);
        }
        await().until(() -> kept.counted("intake_connections") == 0);
        assertThat(kept.counted("intake_broken_connections_total")).isZero();
        assertThat(kept.counted("intake_failed_tls_total")).isZero();
    }

    @ParameterizedTest
    @Tag("slow")
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void a_sender_that_never_reads_loses_nothing_when_it_closes(String protocol) throws Exception {
        intake(Optional.of(in(folder, Identity.of("one"), "")), "");
        // The socket under TLS is closed, because the JDK's TLS would read before it closes.
        try (Socket under = plain()) {
            SSLSocket tls = (SSLSocket) Identity.of("one")
                    .client()
                    .getSocketFactory()
                    .createSocket(under, "localhost", under.getPort(), false);
            tls.setEnabledProtocols(new String[] {protocol});
            send(tls, "increment a 1\n".repeat(80_000));
            assertThat(tls.getSession().getProtocol()).isEqualTo(protocol);
        }
        await().until(() ->
                kept.counted("intake_accepted_connections_total") == 1 && kept.counted("intake_connections") == 0);
        awaitValue("a", 80_000);
        assertThat(kept.counted("intake_broken_connections_total")).isZero();
        assertThat(kept.counted("intake_failed_tls_total")).isZero();
    }

    @Test
    @Tag("slow")
    void who_speaks_no_tls_or_stops_in_the_handshake_is_ended() throws Exception {
        intake(Optional.of(in(folder, Identity.of("one"), "")), "");
        try (Socket wrong = plain()) {
            send(wrong, "increment a 1\n");
            awaitClosed(wrong);
        }
        await().until(() -> kept.counted("intake_failed_tls_total") == 1);
        assertThat(kept.said.lines())
                .singleElement()
                .asString()
                .startsWith("WARN the TCP connection from 127.0.0.1:")
                .contains("the port speaks TLS");

        try (Socket half = plain();
                SSLSocket good = tls(Identity.of("one").client())) {
            send(half, "\u0016\u0003\u0001\u0002\u0000");
            send(good, "increment a 1\n");
            awaitValue("a", 1);
            for (int i = 0; i < 3; i++) {
                seconds(25);
                send(half, "\u0001");
                send(good, "increment a 1\n");
                awaitValue("a", 2 + i);
            }
            awaitClosed(half);
            send(good, "increment a 1\n");
            awaitValue("a", 5);
        }
        assertThat(kept.counted("intake_idle_connections_total")).isEqualTo(1);
    }

    @Test
    @Tag("slow")
    void a_record_that_is_longer_than_one_of_tls_ends_the_connection_before_it_has_arrived() throws Exception {
        intake(Optional.of(in(folder, Identity.of("one"), "")), "");
        try (Socket handshake = plain()) {
            send(handshake, "\u0016\u0003\u0001\u00ff\u00ff");
            awaitClosed(handshake);
        }
        await().until(() -> kept.counted("intake_failed_tls_total") == 1);
        try (Socket under = plain()) {
            SSLSocket tls = (SSLSocket) Identity.of("one")
                    .client()
                    .getSocketFactory()
                    .createSocket(under, "localhost", under.getPort(), false);
            send(tls, "increment a 1\n".repeat(80_000));
            awaitValue("a", 80_000);
            send(under, "\u0017\u0003\u0003H\u0001");
            awaitClosed(under);
        }
        await().until(() -> kept.counted("intake_failed_tls_total") == 2);
        assertThat(kept.said.lines())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARN the TCP connection from 127.0.0.1:")
                        .endsWith("not a TLS record: 160301ffff"));
    }

    @Test
    @Tag("slow")
    void with_an_authority_only_clients_with_its_certificate_count() throws Exception {
        Identity server = Identity.of("one");
        Identity known = Identity.of("known");
        String ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem())
                .toString();
        intake(Optional.of(in(folder, server, ca)), "");

        try (SSLSocket stranger = tls(server.client())) {
            try {
                send(stranger, "increment a 1\n");
                awaitClosed(stranger);
            } catch (SocketException | SSLException refused) {
                // It may notice at once.
            }
        }
        await().until(() -> kept.counted("intake_failed_tls_total") == 1);
        try (SSLSocket friend = tls(server.client(known))) {
            send(friend, "increment a 10\n");
            awaitValue("a", 10);
        }
    }

    @Test
    void what_senders_that_are_not_listed_send_does_not_count() throws Exception {
        intake(Optional.empty(), "tcp:10.0.0.0/8,udp:10.0.0.0/8,udp:127.0.0.2");
        try (Socket refused = plain();
                DatagramSocket stranger = new DatagramSocket(0, InetAddress.getLoopbackAddress());
                DatagramSocket listed = new DatagramSocket(other())) {
            awaitClosed(refused);
            byte[] line = "increment a 1".getBytes(ISO_8859_1);
            stranger.send(new DatagramPacket(line, line.length, intake.udpAddress()));
            await().until(() -> kept.counted("refused_senders_total{port=\"udp\"}") == 1);
            listed.send(new DatagramPacket(line, line.length, intake.udpAddress()));
            awaitValue("a", 1);
        }
        assertThat(kept.counted("refused_senders_total{port=\"tcp\"}")).isEqualTo(1);
        await().untilAsserted(
                        () -> assertThat(kept.counted("intake_datagrams_total")).isEqualTo(1));
        assertThat(kept.said.lines())
                .containsExactlyInAnyOrder(
                        "WARN TCP from 127.0.0.1 is refused, because --allow does not list it; nothing of it is"
                                + " counted",
                        "WARN UDP from 127.0.0.1 is refused, because --allow does not list it; nothing of it is"
                                + " counted");
    }

    /** Any port of another address of this machine. */
    private static InetSocketAddress other() throws IOException {
        return new InetSocketAddress(InetAddress.getByAddress(new byte[] {127, 0, 0, 2}), 0);
    }

    private Socket fromOther() throws IOException {
        Socket socket = new Socket();
        socket.bind(other());
        socket.connect(intake.tcpAddress());
        socket.setSoTimeout(50_000);
        return socket;
    }

    @Test
    void one_address_cannot_keep_the_others_out() throws Exception {
        intake(Optional.empty(), "");
        List<Socket> all = new ArrayList<>();
        try {
            for (int i = 0; i < 100; i++) {
                Socket crowd = plain();
                all.add(crowd);
                send(crowd, "increment crowd\n");
            }
            awaitValue("crowd", 100);
            try (Socket more = plain()) {
                awaitClosed(more);
            }
            assertThat(kept.counted("intake_refused_connections_total")).isEqualTo(1);

            for (int i = 1; i <= 50; i++) {
                Socket other = fromOther();
                all.add(other);
                send(other, "increment other\n");
                awaitValue("other", i);
            }
            try (Socket more = fromOther()) {
                awaitClosed(more);
            }
            // Half of the places is the crowd's.
            assertThat(kept.counted("intake_crowded_connections_total")).isEqualTo(50);
            assertThat(kept.counted("intake_idle_connections_total")).isZero();
            assertThat(kept.said.lines())
                    .anySatisfy(line -> assertThat(line)
                            .startsWith("WARN all 100 TCP connections are in use, so the one from 127.0.0.1:")
                            .contains(", whose address has more than half of them, was closed for a new one"));
            assertThat(kept.counted("intake_connections")).isEqualTo(100);
        } finally {
            for (Socket socket : all) {
                socket.close();
            }
        }
    }

    @Test
    void a_line_that_never_ends_and_a_connection_that_is_silent_for_hours_are_ended() throws Exception {
        intake(Optional.empty(), "");
        try (Socket drips = plain();
                Socket quiet = plain()) {
            send(quiet, "increment q\n");
            awaitValue("q", 1);
            send(drips, "increment d\nincrement ");
            awaitValue("d", 1);
            for (int i = 0; i < 3; i++) {
                seconds(25);
                send(drips, "x");
                send(quiet, "increment q\n");
                awaitValue("q", 2 + i);
            }
            awaitClosed(drips);
            assertThat(kept.counted("intake_connections")).isEqualTo(1);

            seconds(7190);
            send(quiet, "increment q\n");
            awaitValue("q", 5);
            seconds(7210);
            awaitClosed(quiet);
        }
        assertThat(kept.counted("intake_idle_connections_total")).isEqualTo(2);
        assertThat(kept.said.lines())
                .anySatisfy(line -> assertThat(line).endsWith(" has sent nothing for --tcp-idle and was closed"));
    }
}
