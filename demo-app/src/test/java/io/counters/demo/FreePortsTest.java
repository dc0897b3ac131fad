package io.counters.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.Ports;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class FreePortsTest {
    private final InetAddress loopback = InetAddress.getLoopbackAddress();

    @Test
    void a_port_is_taken_by_either_protocol() throws Exception {
        try (ServerSocket tcp = new ServerSocket(0, 1, loopback);
                DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
            assertThat(FreePorts.isFree(tcp.getLocalPort())).isFalse();
            assertThat(FreePorts.isFree(udp.getLocalPort())).isFalse();
        }
    }

    @Test
    void a_port_is_taken_by_who_listens_on_all_addresses() throws Exception {
        try (ServerSocket tcp = new ServerSocket(0);
                DatagramSocket udp = new DatagramSocket()) {
            assertThat(FreePorts.isFree(tcp.getLocalPort())).isFalse();
            assertThat(FreePorts.isFree(udp.getLocalPort())).isFalse();
        }
    }

    @Test
    void a_port_that_was_let_go_is_free() throws Exception {
        assertThat(FreePorts.isFree(Ports.reserve())).isTrue();
    }
}
