package io.counters.demo;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Tells which ports are taken, before anything starts that would fail on them. */
final class FreePorts {
    private FreePorts() {}

    /**
     * Checks each of the arguments, such as {@code --http-port=11213}: the option that would change the port, and the
     * port. Says what is taken and ends with status 1 if any is.
     */
    public static void main(String... ports) {
        boolean free = true;
        for (String port : ports) {
            String option = port.substring(0, port.indexOf('='));
            int number = Integer.parseInt(port.substring(option.length() + 1));
            if (!isFree(number)) {
                System.err.println("port " + number + " is taken; choose another with " + option + " N");
                free = false;
            }
        }
        if (!free) {
            System.exit(1);
        }
    }

    /** Whether nobody listens there, by TCP or UDP, on the loopback address or on all of them. */
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
