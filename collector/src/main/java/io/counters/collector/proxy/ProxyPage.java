package io.counters.collector.proxy;

import io.counters.collector.http.Answer;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;

/** {@code /metrics}, {@code /api/rejected} and {@code /healthz} of the proxy, and {@code POST /reload}; on loopback, as there is no login. */
public final class ProxyPage implements AutoCloseable {
    private final HttpPort page;
    private final ServersWatch watch;

    /**
     * Opens the port and serves it.
     *
     * @param nanoClock monotonic
     * @param threads serve the port; an uncaught exception in one of them must end the program
     * @throws IOException when the port is taken; the message names the remedy
     */
    public ProxyPage(
            int port,
            Forwarder forwarder,
            ServersWatch watch,
            Self self,
            LongSupplier nanoClock,
            FaultLog faults,
            ThreadFactory threads)
            throws IOException {
        this.watch = watch;
        page = new HttpPort(
                port,
                "another proxy may run there, http_port takes another, 0 turns it off",
                List.of(
                        Route.rejected(faults),
                        Route.metrics(self),
                        Route.get("/healthz", Work.NONE, request -> health(forwarder)),
                        Route.post("/reload", Work.SOME, this::reload)),
                nanoClock,
                faults,
                self,
                threads);
        page.start();
    }

    /** Where the page is, with the port that was got. */
    public InetSocketAddress address() {
        return page.address();
    }

    private static Answer health(Forwarder forwarder) {
        List<String> troubles = forwarder.troubles();
        return troubles.isEmpty()
                ? Answer.plain(200, "ok, " + forwarder.serversUp() + " servers up\n")
                : Answer.plain(503, String.join("\n", troubles) + "\n");
    }

    private Answer reload(Request request) {
        try {
            watch.take();
            return Answer.plain(200, "ok\n");
        } catch (SettingsException mistakes) {
            return Answer.plain(409, mistakes.getMessage() + "\n");
        }
    }

    @Override
    public void close() {
        page.close();
    }
}
