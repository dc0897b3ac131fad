package io.counters.benchmarks.collector;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers 204 to every request, in this process, and measures how long ticks take. */
final class DiscardingServer implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads;
    private final long intervalMillis;
    private final SortedMap<Long, Double> seconds = new TreeMap<>();

    /** @param intervalSeconds ticks are due at multiples of it */
    DiscardingServer(int intervalSeconds) throws IOException {
        intervalMillis = intervalSeconds * 1000L;
        threads = Executors.newCachedThreadPool(work -> {
            Thread thread = new Thread(work, "discard");
            thread.setDaemon(true);
            return thread;
        });
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            came(System.currentTimeMillis());
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
            came(System.currentTimeMillis());
        });
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private synchronized void came(long nowMillis) {
        seconds.put(nowMillis / intervalMillis, nowMillis % intervalMillis / 1000.0);
    }

    /**
     * The duration of each tick: from the time when it was due until its latest request was answered. If a tick takes
     * longer than the interval, the time after the interval is attributed to the next tick.
     */
    synchronized List<Double> tickSeconds() {
        return List.copyOf(seconds.values());
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
