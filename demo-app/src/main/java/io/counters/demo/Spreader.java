package io.counters.demo;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * A UDP load balancer for {@code bin/fleet-demo}: hands each datagram to one of several collectors, chosen at random. It does
 * not know which of them run, so what it hands to one that does not is lost.
 */
final class Spreader {
    private static final String USAGE = "usage: spreader PORT PORT...    its own port, and those of the collectors";
    private static final int DATAGRAM_BYTES_MAX = 65_535;
    private static final int RECEIVE_BUFFER_BYTES = 4 << 20;

    private Spreader() {}

    /** Runs until the process ends. */
    public static void main(String... arguments) throws IOException {
        if (arguments.length < 2
                || !Arrays.stream(arguments)
                        .allMatch(port -> port.matches("\\d{1,5}") && Integer.parseInt(port) <= 65_535)) {
            System.err.println(USAGE);
            System.exit(2);
        }
        InetAddress loopback = InetAddress.getLoopbackAddress();
        List<InetSocketAddress> ports = Arrays.stream(arguments)
                .map(port -> new InetSocketAddress(loopback, Integer.parseInt(port)))
                .toList();
        try (DatagramSocket socket = new DatagramSocket(ports.get(0))) {
            socket.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
            System.out.println("spreading from UDP " + socket.getLocalPort());
            spread(socket, ports.subList(1, ports.size()), new Random());
        }
    }

    /** Hands on what arrives, until the socket is closed, which throws. */
    static void spread(DatagramSocket socket, List<InetSocketAddress> collectors, RandomGenerator random)
            throws IOException {
        DatagramPacket datagram = new DatagramPacket(new byte[DATAGRAM_BYTES_MAX], DATAGRAM_BYTES_MAX);
        while (true) {
            datagram.setLength(DATAGRAM_BYTES_MAX);
            socket.receive(datagram);
            datagram.setSocketAddress(collectors.get(random.nextInt(collectors.size())));
            socket.send(datagram);
        }
    }
}
