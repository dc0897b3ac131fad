package io.counters.collector.proxy;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Listening;
import io.counters.collector.http.Request;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;

/**
 * Serves the proxy's {@code /metrics}, {@code /api/rejected}, {@code /healthz} and {@code POST /reload}.
 */
public final class ProxyHttp implements AutoCloseable {
    private final HttpPort page;
    private final ServersReloader reloader;

    /**
     * Opens the port and starts to serve it.
     *
     * @param nanoClock monotonic
     * @param threads makes the threads that serve the port; an uncaught exception in one of them must end the program
     * @throws IOException when the port is taken; the message names the remedy
     */
    public ProxyHttp(
            Listening at,
            Forwarder forwarder,
            ServersReloader reloader,
            Metrics metrics,
            LongSupplier nanoClock,
            FaultLog faults,
            ThreadFactory threads)
            throws IOException {
        this.reloader = reloader;
        page = new HttpPort(
                at,
                List.of(
                        Route.rejected(faults),
                        Route.metrics(metrics),
                        Route.get("/healthz", Work.NONE, request -> health(forwarder)),
                        Route.post("/reload", Work.DISK, this::reload)),
                nanoClock,
                faults,
                metrics,
                threads);
        page.start();
    }

    /** The page's address, with the actual port. */
    public InetSocketAddress address() {
        return page.address();
    }

    private static Response health(Forwarder forwarder) {
        List<String> troubles = forwarder.troubles();
        long up = forwarder.serversUp();
        return troubles.isEmpty()
                ? Response.plain(200, "ok, " + up + (up == 1 ? " server up\n" : " servers up\n"))
                : Response.plain(503, String.join("\n", troubles) + "\n");
    }

    private Response reload(Request request) {
        try {
            reloader.take();
            return Response.plain(200, "ok\n");
        } catch (SettingsException mistakes) {
            return Response.plain(409, mistakes.getMessage() + "\n");
        }
    }

    @Override
    public void close() {
        page.close();
    }
}
