package io.counters.benchmarks.collector;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Answers 204 to whatever is sent to it, in this process, and tells how long ticks took. */
final class DiscardingServer implements AutoCloseable {
    /** Where nothing came for so long, a tick was over. */
    private static final long PAUSE_MILLIS = 1000;

    private final HttpServer server;
    private final ExecutorService threads;
    private final long intervalMillis;
    private final List<Double> tickSeconds = new ArrayList<>();
    private long dueMillis;
    private long lastMillis;

    /** @param intervalSeconds ticks are due at its multiples */
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
        if (nowMillis - lastMillis > PAUSE_MILLIS) {
            dueMillis = nowMillis / intervalMillis * intervalMillis;
            tickSeconds.add(0.0);
        }
        lastMillis = nowMillis;
        tickSeconds.set(tickSeconds.size() - 1, (nowMillis - dueMillis) / 1000.0);
    }

    /** Of each tick: from the moment it was due until its last request so far was answered. */
    synchronized List<Double> tickSeconds() {
        return List.copyOf(tickSeconds);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
