package io.counters.benchmarks.collector;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs the C program {@code udpsink}, if available. It prints a line once nothing has arrived for a second. */
final class UdpsinkProcess implements Receiver {
    private static final Pattern DATAGRAMS = Pattern.compile("datagrams=(\\d+)");

    /**
     * The same as for the others. With the kernel's default it drops half of a full load, and the rest costs twice as
     * much.
     */
    private static final String RECEIVE_BUFFER_BYTES = Integer.toString(Layer.RECEIVE_BUFFER_BYTES);

    private final Child child;
    private final int port;
    private long datagrams;

    UdpsinkProcess(String program) throws IOException {
        try (DatagramSocket free = new DatagramSocket(new InetSocketAddress("127.0.0.1", 0))) {
            port = free.getLocalPort();
        }
        child = Child.start(List.of(program, "-p", Integer.toString(port), "-b", RECEIVE_BUFFER_BYTES));
        child.line("ready");
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public long datagrams() throws IOException {
        Matcher report = DATAGRAMS.matcher(child.line("report"));
        if (report.find()) {
            datagrams += Long.parseLong(report.group(1));
        }
        return datagrams;
    }

    @Override
    public Child child() {
        return child;
    }
}
