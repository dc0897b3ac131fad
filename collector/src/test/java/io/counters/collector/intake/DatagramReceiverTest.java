package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.counters.collector.access.AccessSettings;
import io.counters.collector.access.Gate;
import io.counters.collector.access.Port;
import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.collector.common.SeededHash;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.LedgerSettings;
import io.counters.collector.ledger.LedgerState;
import io.counters.collector.udp.UdpSocket;
import io.counters.wire.StatsdName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The UDP thread when its socket or a datagram fails. */
class DatagramReceiverTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();
    private final AtomicReference<@Nullable Throwable> clockFails = new AtomicReference<>();

    private final Ledger ledger = new Ledger(
            LedgerSettings.in(Path.of("unused")),
            false,
            this::millis,
            () -> 0,
            new LedgerState(1, new SeededHash(new Random(1))),
            metrics);

    /** The ledger's clock, with which a test can make the ledger fail. */
    private long millis() {
        Throwable failure = clockFails.get();
        if (failure instanceof RuntimeException fault) {
            throw fault;
        } else if (failure instanceof Error error) {
            throw error;
        }
        return 0;
    }

    /** A socket whose next receives fail. */
    private static final class FailingSocket extends UdpSocket {
        final AtomicInteger failuresLeft = new AtomicInteger();

        FailingSocket() throws IOException {
            super(LOOPBACK);
        }

        @Override
        public int receive(ByteBuffer empty) throws IOException {
            if (failuresLeft.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new IOException("Cannot allocate memory");
            }
            return super.receive(empty);
        }
    }

    private DatagramReceiver receiver(UdpSocket socket, LongSupplier nanoClock) {
        return receiver(socket, Optional.empty(), nanoClock);
    }

    private DatagramReceiver receiver(UdpSocket socket, Optional<Gate> gate, LongSupplier nanoClock) {
        return new DatagramReceiver(
                socket,
                gate,
                metrics.count("intake_datagrams_total", "Datagrams received over UDP."),
                new Lines(
                        LineTarget.of(ledger),
                        250,
                        StatsdName.strict(),
                        Optional.empty(),
                        KeptIntake.closedTap(),
                        said.log(),
                        metrics),
                nanoClock,
                said.log(),
                metrics);
    }

    private static void send(UdpSocket to, String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        try (DatagramSocket sender = new DatagramSocket()) {
            sender.send(new DatagramPacket(bytes, bytes.length, to.address()));
        }
    }

    private long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    private void awaitApplied(long lines) {
        await().atMost(PATIENCE).until(() -> counted("ledger_applied_lines_total") == lines);
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0/8", "127.0.0.0/8"})
    void the_end_counts_and_refuses_no_datagram(String allowed) throws Exception {
        Gate gate = new Gate(
                Port.UDP, Objects.requireNonNull(AccessSettings.allowed(allowed).get(Port.UDP)), said.log(), metrics);
        DatagramReceiver receiver = receiver(new UdpSocket(LOOPBACK), Optional.of(gate), System::nanoTime);
        Thread running = new Thread(receiver);
        running.start();

        receiver.close();
        running.join(10_000);

        assertThat(running.isAlive()).isFalse();
        assertThat(counted("intake_datagrams_total")).isZero();
        assertThat(counted("refused_senders_total{port=\"udp\"}")).isZero();
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void receives_that_fail_are_tried_again_counted_and_logged_once() throws Exception {
        FailingSocket socket = new FailingSocket();
        socket.failuresLeft.set(4);
        DatagramReceiver receiver = receiver(socket, System::nanoTime);
        Thread running = new Thread(receiver);
        running.start();

        send(socket, "increment a");

        awaitApplied(1);
        assertThat(counted("intake_receive_failures_total")).isEqualTo(4);
        assertThat(said.lines())
                .containsExactly("WARN the UDP socket failed and is tried again for at most 60 s:"
                        + " java.io.IOException: Cannot allocate memory");
        socket.failuresLeft.set(2);
        send(socket, "increment a");
        send(socket, "increment a");
        awaitApplied(3);
        receiver.close();
        running.join(10_000);
        assertThat(running.isAlive()).isFalse();
    }

    @Test
    void receives_that_fail_for_a_minute_end_the_thread_with_the_failure() throws Exception {
        FailingSocket socket = new FailingSocket();
        socket.failuresLeft.set(Integer.MAX_VALUE);
        AtomicLong nanos = new AtomicLong(Long.MAX_VALUE);
        DatagramReceiver receiver = receiver(socket, () -> nanos.addAndGet(10_000_000_000L));

        assertThatThrownBy(receiver::run)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessage("the UDP socket has failed for 60 s, so it receives nothing")
                .hasRootCauseMessage("Cannot allocate memory");
        assertThat(counted("intake_receive_failures_total")).isEqualTo(7);
        assertThat(socket.channel().isOpen()).isFalse();
    }

    @Test
    void a_socket_that_is_closed_elsewhere_ends_the_thread_with_the_failure() throws Exception {
        UdpSocket socket = new UdpSocket(LOOPBACK);
        DatagramReceiver receiver = receiver(socket, System::nanoTime);
        socket.channel().close();

        assertThatThrownBy(receiver::run)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("the UDP socket was closed");
    }

    @Test
    void an_internal_error_in_one_datagram_affects_only_that_datagram() throws Exception {
        UdpSocket socket = new UdpSocket(LOOPBACK);
        DatagramReceiver receiver = receiver(socket, System::nanoTime);
        Thread running = new Thread(receiver);
        running.start();
        send(socket, "from 8f2c6a1e0b7d4c93a5e1f07b 10 1\nincrement a 5 5");
        awaitApplied(1);
        IllegalStateException bug = new IllegalStateException("a bug");
        clockFails.set(bug);
        send(socket, "b@d\nincrement a 1\nincrement fresh");
        await().atMost(PATIENCE).until(() -> counted("intake_faulty_reads_total") == 1);
        clockFails.set(null);

        send(socket, "increment a 4 5");

        awaitApplied(3);
        assertThat(ledger.value("a")).isEqualTo(10);
        assertThat(said.lines()).hasSize(2);
        assertThat(said.lines().get(0)).contains("\"b@d\" was rejected").contains("; sent by 127.0.0.1:");
        assertThat(said.lines().get(1))
                .startsWith("WARN a datagram of 33 bytes from 127.0.0.1:")
                .endsWith(" caused an internal error; the lines before the error were counted");
        assertThat(said.thrown()).containsExactly(bug);
        receiver.close();
        running.join(10_000);
        assertThat(running.isAlive()).isFalse();
    }

    @Test
    void an_error_is_thrown_and_not_caught() throws Exception {
        UdpSocket socket = new UdpSocket(LOOPBACK);
        DatagramReceiver receiver = receiver(socket, System::nanoTime);
        clockFails.set(new OutOfMemoryError("as a test"));

        send(socket, "increment fresh");

        assertThatThrownBy(receiver::run).isInstanceOf(OutOfMemoryError.class);
        assertThat(said.lines()).isEmpty();
    }

    @Test
    void what_waits_in_an_inherited_socket_at_the_end_stays_there_and_the_socket_stays_open() throws Exception {
        try (DatagramChannel inherited = DatagramChannel.open().bind(LOOPBACK)) {
            UdpSocket socket = new UdpSocket(inherited);
            DatagramReceiver receiver = receiver(socket, System::nanoTime);
            Thread running = new Thread(receiver);
            running.start();
            send(socket, "increment a");
            awaitApplied(1);
            receiver.close();
            running.join(10_000);
            assertThat(running.isAlive()).isFalse();
            send(socket, "increment a");
            send(socket, "increment a");

            receiver.run();

            assertThat(counted("ledger_applied_lines_total")).isEqualTo(1);
            assertThat(inherited.isOpen()).isTrue();
            DatagramReceiver next = receiver(new UdpSocket(inherited), System::nanoTime);
            Thread nextRunning = new Thread(next);
            nextRunning.start();
            awaitApplied(3);
            next.close();
            nextRunning.join(10_000);
            assertThat(nextRunning.isAlive()).isFalse();
        }
    }
}
