package io.counters.benchmarks.collector;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.channels.DatagramChannel;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Receives datagrams on a free loopback port, counts them and their lines, and throws them away: what the machine, and
 * Java on it, can receive at best. To be run as a process of its own.
 *
 * <p>Prints its port; then, for every line on stdin, its datagrams and lines so far. Ends with stdin.
 */
public final class Sink {
    private Sink() {}

    /** @param arguments the name of a {@link Layer} */
    public static void main(String... arguments) throws IOException {
        DatagramChannel channel = Layer.bound(Layer.anyPort());
        int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
        List<Tally> tallies = Layer.valueOf(arguments[0]).open(channel);
        System.out.println(tallies.isEmpty() ? "none" : "port " + port);
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        while (asked.readLine() != null) {
            System.out.println(tallies.stream().mapToLong(Tally::datagrams).sum() + " "
                    + tallies.stream().mapToLong(Tally::lines).sum());
        }
        // Netty's thread is no daemon.
        System.exit(0);
    }
}
