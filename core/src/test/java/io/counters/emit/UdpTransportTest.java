package io.counters.emit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class UdpTransportTest {
    private static final byte[] DATAGRAM = "increment a 1".getBytes(ISO_8859_1);

    @Test
    void the_first_datagram_to_a_collector_that_came_back_arrives() throws Exception {
        int port;
        try (CollectorSocket gone = new CollectorSocket()) {
            port = gone.port();
        }
        try (UdpTransport transport = to(port)) {
            transport.send(DATAGRAM, DATAGRAM.length);
            try (CollectorSocket back = new CollectorSocket(port)) {
                transport.send(DATAGRAM, DATAGRAM.length);

                await().until(() -> back.received().value("a") == 1);
                assertThat(transport.faults()).isEqualTo(1);
                assertThat(transport.lastFault()).isEqualTo("nobody listens there");
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

    private static UdpTransport to(int port) throws IOException {
        return new UdpTransport(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }
}
