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
    void a_port_in_use_by_either_protocol_is_not_free() throws Exception {
        try (ServerSocket tcp = new ServerSocket(0, 1, loopback);
                DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, 0))) {
            assertThat(FreePorts.isFree(tcp.getLocalPort())).isFalse();
            assertThat(FreePorts.isFree(udp.getLocalPort())).isFalse();
        }
    }

    @Test
    void a_port_in_use_on_all_addresses_is_not_free() throws Exception {
        try (ServerSocket tcp = new ServerSocket(0);
                DatagramSocket udp = new DatagramSocket()) {
            assertThat(FreePorts.isFree(tcp.getLocalPort())).isFalse();
            assertThat(FreePorts.isFree(udp.getLocalPort())).isFalse();
        }
    }

    @Test
    void a_released_port_is_free() throws Exception {
        assertThat(FreePorts.isFree(Ports.reserve())).isTrue();
    }
}
