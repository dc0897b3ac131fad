package io.counters.demo;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Reports ports that are in use, before a program starts that would fail because of them. */
final class FreePorts {
    private FreePorts() {}

    /**
     * Checks each of the arguments, such as {@code --http-port=11213}: the option that changes the port, and the port.
     * Reports ports in use, and ends with status 1 if there are any.
     */
    public static void main(String... ports) {
        boolean free = true;
        for (String port : ports) {
            String option = port.substring(0, port.indexOf('='));
            int number = Integer.parseInt(port.substring(option.length() + 1));
            if (!isFree(number)) {
                System.err.println("port " + number + " is in use; choose another with " + option + " N");
                free = false;
            }
        }
        if (!free) {
            System.exit(1);
        }
    }

    /** Whether the port is free for TCP and UDP, on the loopback address and on the wildcard address. */
    static boolean isFree(int port) {
        InetAddress loopback = InetAddress.getLoopbackAddress();
        try (ServerSocket tcp = new ServerSocket(port, 1, loopback);
                DatagramSocket udp = new DatagramSocket(new InetSocketAddress(loopback, port))) {
            return tcp.isBound() && udp.isBound();
        } catch (IOException taken) {
            return false;
        }
    }
}
