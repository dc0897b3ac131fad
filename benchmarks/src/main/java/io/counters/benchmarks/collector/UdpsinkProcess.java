package io.counters.benchmarks.collector;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The program {@code udpsink}, in C, where somebody has it: one line on stdout whenever nothing has come for a second. */
final class UdpsinkProcess implements Receiver {
    private static final Pattern DATAGRAMS = Pattern.compile("datagrams=(\\d+)");

    /** As the others ask. With the kernel's default it drops the half under full load, and what it takes costs twice. */
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
