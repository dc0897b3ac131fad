package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Ports;
import io.counters.wire.DatagramWriter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

// Some tests close the transport explicitly.
@SuppressWarnings("try")
@Timeout(120)
class UdpTransportTest {
    private static final byte[] DATAGRAM = "increment a 1".getBytes(ISO_8859_1);

    @Test
    void the_first_datagram_to_a_collector_that_came_back_arrives() throws Exception {
        int port = Ports.reserve();
        try (UdpTransport transport = to(port)) {
            transport.send(DATAGRAM, DATAGRAM.length);
            try (CollectorSocket back = new CollectorSocket(port)) {
                transport.send(DATAGRAM, DATAGRAM.length);

                await().until(() -> back.received().value("a") == 1);
                assertThat(transport.faults()).isEqualTo(1);
                assertThat(transport.lastFault()).isEqualTo("no program listens there");
            }
        }
    }

    @Test
    void a_closed_transport_counts_faults_and_throws_nothing() throws Exception {
        try (CollectorSocket collector = new CollectorSocket()) {
            UdpTransport transport = to(collector.port());
            transport.close();
            transport.close();

            transport.send(DATAGRAM, DATAGRAM.length);

            assertThat(transport.faults()).isEqualTo(1);
            assertThat(collector.received().values()).isEmpty();
        }
    }

    @Test
    void a_datagram_that_the_kernel_rejects_is_not_sent_and_the_maximum_size_shrinks() throws Exception {
        byte[] large = new byte[DatagramWriter.BYTES_MAX + 1];
        try (CollectorSocket collector = new CollectorSocket();
                UdpTransport transport = new UdpTransport(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), collector.port()), large.length)) {
            assertThat(transport.send(large, large.length)).isFalse();
            assertThat(transport.datagramBytes()).isEqualTo(9216);
            transport.close();
            assertThat(transport.send(large, 9216)).isFalse();
            assertThat(transport.datagramBytes()).isEqualTo(1432);
            assertThat(transport.faults()).isZero();
            assertThat(transport.send(large, 1432)).isTrue();
            assertThat(transport.faults()).isEqualTo(1);
        }
    }

    @Test
    void the_largest_possible_datagram_arrives_on_loopback() throws Exception {
        byte[] large = new byte[DatagramWriter.BYTES_MAX];
        Arrays.fill(large, (byte) '\n');
        System.arraycopy(DATAGRAM, 0, large, 0, DATAGRAM.length);
        try (CollectorSocket collector = new CollectorSocket();
                UdpTransport transport = to(collector.port())) {
            assertThat(transport.datagramBytes()).isEqualTo(large.length);

            assertThat(transport.send(large, large.length)).isTrue();

            await().until(() -> collector.received().value("a") == 1);
            assertThat(transport.faults()).isZero();
        }
    }

    private static UdpTransport to(int port) throws IOException {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        return new UdpTransport(
                new InetSocketAddress(loopback, port), EmitterSettings.to("h").datagramBytes(loopback));
    }
}
