package io.counters.testsupport;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Scanner;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Reserves ports: for servers that cannot choose a free port and print it, for servers that are started again on the same
 * port, and for servers that are not there. All others bind port 0.
 */
public final class Ports {
    private static final int LOWEST = 10_000;
    /** Lowest and highest of the ports that the kernel chooses from where a program asks for any. */
    private static final Path KERNELS = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

    private static final int KERNELS_LOWEST_USUALLY = 32_768;
    private static final int TRIES_MAX = 1000;
    /**
     * Keep other JVMs from reserving a port. A server over UDP on the wildcard address collides with them; one on 127.0.0.1, or
     * over TCP only, does not.
     */
    private static final List<DatagramSocket> RESERVATIONS = new ArrayList<>();

    private Ports() {}

    /**
     * A port for UDP and TCP on 127.0.0.1 on which no program listens. Until this JVM ends, the kernel gives it to no program that
     * asks for any port, and no other JVM reserves it.
     */
    public static synchronized int reserve() throws IOException {
        int end = KERNELS_LOWEST_USUALLY;
        if (Files.isReadable(KERNELS)) {
            try (Scanner range = new Scanner(KERNELS, US_ASCII)) {
                end = range.nextInt();
            }
        }
        if (end <= LOWEST) {
            throw new IOException(KERNELS + " begins with " + end + "; tests need ports from " + LOWEST
                    + " up that the kernel does not choose");
        }
        for (int tries = 0; tries < TRIES_MAX; tries++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, end);
            try {
                RESERVATIONS.add(new DatagramSocket(new InetSocketAddress("127.0.0.2", port)));
            } catch (SocketException reserved) {
                continue;
            }
            InetAddress loopback = InetAddress.getLoopbackAddress();
            try {
                new DatagramSocket(port, loopback).close();
                new ServerSocket(port, 1, loopback).close();
                return port;
            } catch (SocketException taken) {
                // Try another one.
            }
        }
        throw new IOException("no port could be reserved: " + TRIES_MAX + " were in use");
    }
}
