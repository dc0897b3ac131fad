package io.counters.collector.udp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.self.AddressKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReceiveTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(65_536);

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void datagrams_are_received_complete_and_one_by_one_with_either_method(boolean isLean) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open().bind(LOOPBACK);
                DatagramChannel sender = DatagramChannel.open()) {
            Receive receive = new Receive(channel, isLean);
            for (String text : List.of("first", "", "x".repeat(65_507))) {
                sender.send(ByteBuffer.wrap(text.getBytes(ISO_8859_1)), channel.getLocalAddress());

                int length = receive.into(buffer.clear());

                byte[] bytes = new byte[length];
                buffer.get(0, bytes);
                assertThat(new String(bytes, ISO_8859_1)).isEqualTo(text);
            }
            channel.configureBlocking(false);
            assertThat(receive.into(buffer.clear())).isEqualTo(-1);
            assertThat(receive.isLean()).isEqualTo(isLean);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "true,  INET6, 127.0.0.1, 127.0.0.1",
        "true,  INET6, 127.0.0.1, 127.0.0.77",
        "true,  INET,  127.0.0.1, 127.0.0.77",
        "true,  INET6, ::1,       ::1",
        "false, INET6, 127.0.0.1, 127.0.0.77",
        "false, INET6, ::1,       ::1"
    })
    void the_sender_of_a_datagram_is_known(boolean isLean, StandardProtocolFamily family, String to, String from)
            throws IOException {
        InetAddress source = InetAddress.getByName(from);
        try (DatagramChannel channel =
                        DatagramChannel.open(family).bind(new InetSocketAddress(InetAddress.getByName(to), 0));
                DatagramChannel first = DatagramChannel.open().bind(new InetSocketAddress(source, 0));
                DatagramChannel second = DatagramChannel.open().bind(LOOPBACK)) {
            Receive receive = new Receive(channel, isLean);
            assertThat(receive.isLean()).isEqualTo(isLean);
            assertThat(receive.sender()).isNull();
            assertThat(receive.senderKey()).isEqualTo(AddressKey.UNKNOWN);

            first.send(ByteBuffer.allocate(5), channel.getLocalAddress());
            receive.into(buffer.clear());

            assertThat(receive.sender()).isEqualTo(first.getLocalAddress());
            assertThat(receive.senderKey()).isEqualTo(AddressKey.of((InetSocketAddress) first.getLocalAddress()));
            assertThat(AddressKey.text(receive.senderKey())).isEqualTo(from);
            if (!to.contains(":")) {
                second.send(ByteBuffer.allocate(0), channel.getLocalAddress());
                receive.into(buffer.clear());
                assertThat(receive.sender()).isEqualTo(second.getLocalAddress());
            }
        }
    }

    @Test
    void two_buffers_may_be_used_in_turn() throws IOException {
        ByteBuffer other = ByteBuffer.allocateDirect(65_536);
        try (DatagramChannel channel = DatagramChannel.open().bind(LOOPBACK);
                DatagramChannel sender = DatagramChannel.open()) {
            Receive receive = new Receive(channel);
            for (ByteBuffer into : List.of(buffer, other, buffer)) {
                sender.send(ByteBuffer.wrap(new byte[] {1, 2, 3}), channel.getLocalAddress());

                assertThat(receive.into(into.clear())).isEqualTo(3);

                assertThat(into.get(2)).isEqualTo((byte) 3);
                into.put(2, (byte) 0);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "0.0.0.0", "::1", "::"})
    void a_waiting_thread_is_woken_by_the_socket_itself(String bind) throws Exception {
        try (UdpSocket socket = new UdpSocket(new InetSocketAddress(InetAddress.getByName(bind), 0))) {
            FutureTask<Integer> waiting = new FutureTask<>(() -> socket.receive(buffer.clear()));
            new Thread(waiting).start();

            socket.wake();

            assertThat(waiting.get(10, TimeUnit.SECONDS)).isZero();
            assertThat(socket.sender())
                    .isNotNull()
                    .extracting(InetSocketAddress::getPort)
                    .isEqualTo(socket.address().getPort());
        }
    }
}
