package io.counters.benchmarks.collector;

import java.io.IOException;
import java.util.List;

/** Runs {@link Sink} in its own JVM. */
final class SinkProcess implements Receiver {
    private static final int SETTLED_MILLIS = 100;

    private final Child child;
    private final int port;

    SinkProcess(Layer layer) throws IOException {
        child = Child.java(List.of(
                "-Xmx256m",
                // The same option as in the collector's manifest.
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Sink.class.getName(),
                layer.name()));
        port = Integer.parseInt(child.line("port ").substring("port ".length()));
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public long datagrams() throws IOException, InterruptedException {
        long before = -1;
        for (long now = asked(); now != before; now = asked()) {
            before = now;
            Thread.sleep(SETTLED_MILLIS);
        }
        return before;
    }

    private long asked() throws IOException {
        return Long.parseLong(child.ask().split(" ")[0]);
    }

    @Override
    public Child child() {
        return child;
    }
}
