package io.counters.benchmarks.collector;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;

/**
 * Receives datagrams on a free port of this machine, counts them and their lines, and discards them: the least that a
 * Java program on this machine needs to receive them. A separate process, so that its CPU time can be measured.
 *
 * <p>Prints {@code port PORT}; then, for every line on stdin, {@code DATAGRAMS LINES} so far. Ends when stdin ends.
 */
final class Sink {
    private Sink() {}

    /** @param arguments the name of a {@link Layer} */
    public static void main(String[] arguments) throws IOException {
        Layer.Open open = Layer.valueOf(arguments[0]).open();
        System.out.println("port " + open.port());
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in, US_ASCII));
        while (asked.readLine() != null) {
            long datagrams = 0;
            long lines = 0;
            for (Tally tally : open.tallies()) {
                datagrams += tally.datagrams();
                lines += tally.lines();
            }
            System.out.println(datagrams + " " + lines);
        }
        // Netty's thread is not a daemon.
        System.exit(0);
    }
}
