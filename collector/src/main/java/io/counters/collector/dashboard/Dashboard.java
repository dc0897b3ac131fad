package io.counters.collector.dashboard;

import io.counters.collector.history.History;
import io.counters.collector.http.Answer;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The HTTP server. Its page requests {@code /api/counters} once a second and highlights what changed. */
public final class Dashboard implements AutoCloseable {
    private static final int STREAMS_MAX = 1000;
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    private final HttpPort port;
    private final Ledger ledger;

    /**
     * Opens the port; {@link #start} serves it.
     *
     * @param faults what a restart would cure, a line each; asked on the event loop, so it takes no lock
     * @param troubles what keeps the collector from some of its work, a line each; the same
     * @param clock the wall clock, for times of the past
     * @param nanoClock monotonic
     * @param threads creates the port's threads; an uncaught exception in one of them must end the program
     * @param more routes of other packages that the port serves, too
     * @throws IOException if the port is in use; the message contains the remedy
     */
    public Dashboard(
            DashboardSettings settings,
            Ledger ledger,
            History history,
            Self self,
            Supplier<List<String>> faults,
            Supplier<List<String>> troubles,
            InstantSource clock,
            LongSupplier nanoClock,
            FaultLog log,
            ThreadFactory threads,
            List<Route> more)
            throws IOException {
        this.ledger = ledger;
        CountersApi counters = new CountersApi(ledger, history, clock);
        port = new HttpPort(
                settings.port(),
                "if another collector uses it, use --http-port for another port",
                with(
                        more,
                        Route.file("/", Dashboard.class, "page.html"),
                        Route.file("/page.css", Dashboard.class, "page.css"),
                        Route.file("/page.js", Dashboard.class, "page.js"),
                        Route.file("/uplot.css", Dashboard.class, UPLOT + "uPlot.min.css"),
                        Route.file("/uplot.js", Dashboard.class, UPLOT + "uPlot.iife.min.js"),
                        Route.get("/api/counters", Work.MUCH, counters::list),
                        Route.get("/api/counters/*", Work.SOME, counters::one),
                        Route.get("/api/counters/*/history", Work.SOME, counters::history),
                        Route.get("/api/streams", Work.MUCH, this::streams),
                        Route.rejected(log),
                        Route.metrics(self),
                        Route.get("/healthz", Work.NONE, request -> health(faults.get())),
                        Route.get("/readyz", Work.NONE, request -> health(troubles.get()))),
                nanoClock,
                log,
                self,
                threads);
    }

    private static List<Route> with(List<Route> more, Route... own) {
        List<Route> all = new ArrayList<>(List.of(own));
        all.addAll(more);
        return all;
    }

    public void start() {
        port.start();
    }

    /** The address of the page, with the actual port. */
    public InetSocketAddress address() {
        return port.address();
    }

    /** The streams that miss most first, {@value #STREAMS_MAX} at the most. */
    private Answer streams(Request request) {
        List<StreamReport> reports = ledger.reports().stream()
                .sorted(Comparator.comparingLong(StreamReport::lost)
                        .reversed()
                        .thenComparingLong(StreamReport::quietMillis)
                        .thenComparing(StreamReport::sender))
                .limit(STREAMS_MAX)
                .toList();
        return new Answer(200, Answer.JSON, new StreamsText(reports));
    }

    private static Answer health(List<String> said) {
        return said.isEmpty() ? Answer.plain(200, "ok\n") : Answer.plain(503, String.join("\n", said) + "\n");
    }

    @Override
    public void close() {
        port.close();
    }
}
