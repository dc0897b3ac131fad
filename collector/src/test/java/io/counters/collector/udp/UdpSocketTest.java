package io.counters.collector.udp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.AddressKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UdpSocketTest {
    private static final InetSocketAddress LOOPBACK = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private final ByteBuffer buffer = ByteBuffer.allocateDirect(UdpSocket.DATAGRAM_BYTES_MAX);

    @Test
    void datagrams_are_received_complete_and_one_by_one() throws IOException {
        try (UdpSocket socket = new UdpSocket(LOOPBACK);
                DatagramChannel sender = DatagramChannel.open()) {
            for (String text : List.of("first", "", "x".repeat(65_507))) {
                sender.send(ByteBuffer.wrap(text.getBytes(ISO_8859_1)), socket.address());

                int length = socket.receive(buffer.clear());

                byte[] bytes = new byte[length];
                buffer.get(0, bytes);
                assertThat(new String(bytes, ISO_8859_1)).isEqualTo(text);
            }
            socket.stopWaiting();
            assertThat(socket.receive(buffer.clear())).isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 127.0.0.1", "127.0.0.1, 127.0.0.77", "::1, ::1"})
    void the_sender_of_a_datagram_is_known(String to, String from) throws IOException {
        InetAddress source = InetAddress.getByName(from);
        try (UdpSocket socket = new UdpSocket(new InetSocketAddress(InetAddress.getByName(to), 0));
                DatagramChannel first = DatagramChannel.open().bind(new InetSocketAddress(source, 0));
                DatagramChannel second = DatagramChannel.open().bind(new InetSocketAddress(source, 0))) {
            assertThat(socket.sender()).isNull();
            assertThat(socket.senderKey()).isEqualTo(AddressKey.UNKNOWN);
            assertThat(socket.senderPort()).isZero();
            for (DatagramChannel sender : List.of(first, second)) {
                sender.send(ByteBuffer.allocate(5), socket.address());
                socket.receive(buffer.clear());

                InetSocketAddress local = (InetSocketAddress) sender.getLocalAddress();
                assertThat(socket.sender()).isEqualTo(local);
                assertThat(socket.senderPort()).isEqualTo(local.getPort());
                assertThat(socket.senderKey()).isEqualTo(AddressKey.of(local));
                assertThat(AddressKey.text(socket.senderKey())).isEqualTo(from);
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

    @Test
    void an_inherited_socket_keeps_its_buffer_and_is_not_closed() throws IOException {
        try (DatagramChannel inherited = DatagramChannel.open()
                .setOption(StandardSocketOptions.SO_RCVBUF, 65_536)
                .bind(LOOPBACK)) {
            int before = inherited.getOption(StandardSocketOptions.SO_RCVBUF);
            UdpSocket socket = new UdpSocket(inherited);

            assertThat(inherited.getOption(StandardSocketOptions.SO_RCVBUF)).isEqualTo(before);
            assertThat(socket.receiveBufferBytes()).isEqualTo(before);
            assertThat(socket.remark())
                    .hasValueSatisfying(text -> assertThat(text).contains("ReceiveBuffer="));
            assertThat(socket.keepsUnread()).isTrue();
            socket.close();
            assertThat(inherited.isOpen()).isTrue();
        }
    }

    /** By Linux's tables of sockets, in which addresses have several forms. */
    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.0.0.77", "0.0.0.0", "::1", "::"})
    @EnabledOnOs(OS.LINUX)
    void datagrams_that_wait_and_those_that_were_dropped_are_known(String bind) throws IOException {
        InetAddress to = InetAddress.getByName(bind.equals("0.0.0.0") ? "127.0.0.1" : bind.equals("::") ? "::1" : bind);
        try (DatagramChannel small = DatagramChannel.open()
                        .setOption(StandardSocketOptions.SO_RCVBUF, 4096)
                        .bind(new InetSocketAddress(InetAddress.getByName(bind), 0));
                DatagramChannel sender = DatagramChannel.open()) {
            UdpSocket socket = new UdpSocket(small);
            assertThat(socket.hasUnread()).isFalse();

            for (int i = 0; i < 100; i++) {
                sender.send(
                        ByteBuffer.allocate(1000),
                        new InetSocketAddress(to, socket.address().getPort()));
            }

            assertThat(socket.hasUnread()).isTrue();
            assertThat(socket.kernelDrops()).isBetween(50L, 99L);
            socket.stopWaiting();
            while (socket.receive(buffer.clear()) >= 0) {
                // Until the last one.
            }
            assertThat(socket.hasUnread()).isFalse();
        }
    }
}
