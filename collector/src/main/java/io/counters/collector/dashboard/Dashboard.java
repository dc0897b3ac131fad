package io.counters.collector.dashboard;

import io.counters.collector.common.FaultLog;
import io.counters.collector.common.Metrics;
import io.counters.collector.fleet.FleetView;
import io.counters.collector.history.History;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Listening;
import io.counters.collector.http.Request;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.ledger.LedgerView;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.prometheus.CounterMetrics;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The HTTP server: the page with its files, and the API for it and for programs. */
public final class Dashboard implements AutoCloseable {
    private static final int STREAMS_MAX = 1000;
    private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/dist/";

    private static final List<String> PAGE = List.of(
            "page.css",
            "icon.svg",
            "main.js",
            "state.js",
            "live.js",
            "list.js",
            "sparklines.js",
            "charts.js",
            "panel.js",
            "explain.js",
            "welcome.js",
            "dom.js",
            "numbers.js");

    private final LiveApi live;
    private final HttpPort port;
    private final LedgerView counted;

    /**
     * Opens the port; {@link #start} serves it.
     *
     * @param commit writes what changed to the disk, and returns whether it is there; called after a counter was removed
     * @param faults what a restart would repair, one line each; called on the event loop, so it takes no lock
     * @param troubles what keeps the collector from some of its work, one line each; called in the same way
     * @param parts the store, the sinks and the disk: which work, and since when; called in the same way
     * @param fleet who else counts, and what; called in the same way
     * @param udpPort where increments are received, for the example on an empty page
     * @param clock the wall clock, for times of the past
     * @param nanoClock monotonic
     * @param threads creates the port's threads; an uncaught exception in one of them must end the program
     * @param more routes of other packages that the port serves too
     * @throws IOException if the port is in use; the message contains the remedy
     */
    public Dashboard(
            DashboardSettings settings,
            LedgerView counted,
            BooleanSupplier commit,
            History history,
            Metrics metrics,
            Supplier<List<String>> faults,
            Supplier<List<String>> troubles,
            Supplier<List<PartState>> parts,
            Supplier<FleetView> fleet,
            IntSupplier udpPort,
            InstantSource clock,
            LongSupplier nanoClock,
            FaultLog log,
            ThreadFactory threads,
            List<Route> more)
            throws IOException {
        this.counted = counted;
        CountersApi counters = new CountersApi(counted, commit, history, clock, fleet);
        CounterMetrics counterMetrics = new CounterMetrics(counted, metrics);
        PageApi page = new PageApi(counted, history, udpPort, clock);
        HealthPanel panel = new HealthPanel(counted, metrics, log, troubles, parts, fleet);
        live = new LiveApi(counted, panel, nanoClock, () -> clock.millis() / 1000);
        List<Route> routes = new ArrayList<>(List.of(
                Route.file("/", Dashboard.class, "page/index.html"),
                Route.file("/uplot.css", Dashboard.class, UPLOT + "uPlot.min.css"),
                Route.file("/uplot.js", Dashboard.class, UPLOT + "uPlot.iife.min.js"),
                Route.get("/api/counters", Work.MUCH, counters::list),
                Route.get("/api/counters/*", Work.SOME, counters::one),
                Route.delete("/api/counters/*", Work.DISK, counters::remove),
                Route.get("/api/counters/*/explain", Work.SOME, counters::explain),
                Route.get("/api/counters/*/history", Work.DISK, counters::history),
                Route.get("/api/streams", Work.MUCH, this::streams),
                Route.get("/api/live", Work.SOME, live::events),
                Route.get("/api/page", Work.NONE, page::page),
                Route.get("/api/tags", Work.MUCH, page::tags),
                Route.get("/api/rows", Work.MUCH, page::rows),
                Route.post("/api/history", PageApi.HISTORY_BODY_BYTES_MAX, Work.DISK, page::histories),
                Route.rejected(log),
                Route.metrics(metrics),
                Route.get("/metrics/counters", Work.MUCH, counterMetrics::answer),
                Route.get("/healthz", Work.NONE, request -> health(faults.get())),
                Route.get("/readyz", Work.NONE, request -> health(troubles.get()))));
        // Browsers ask for this name when what they show, such as an answer of the API, has no link to an icon.
        routes.add(Route.file("/favicon.ico", Dashboard.class, "page/icon.svg"));
        PAGE.forEach(file -> routes.add(Route.file("/" + file, Dashboard.class, "page/" + file)));
        routes.addAll(more);
        port = new HttpPort(
                Listening.page(
                        settings.bind(),
                        settings.port(),
                        "if another collector uses it, use --http-port for another port",
                        settings.limits(),
                        settings.guard()),
                routes,
                nanoClock,
                log,
                metrics,
                threads);
    }

    public void start() {
        port.start();
    }

    /** Sends open tabs what changes; a loop must call {@link LiveApi#run}. */
    public LiveApi live() {
        return live;
    }

    /** The address of the page, with the actual port. */
    public InetSocketAddress address() {
        return port.address();
    }

    /** The streams, those with the most lost datagrams first, at most {@value #STREAMS_MAX}. */
    private Response streams(Request request) {
        List<StreamReport> reports = counted.reports().stream()
                .sorted(StreamReport.WORST_FIRST)
                .limit(STREAMS_MAX)
                .toList();
        return new Response(200, Response.JSON, new StreamsText(reports));
    }

    private static Response health(List<String> said) {
        return said.isEmpty() ? Response.plain(200, "ok\n") : Response.plain(503, String.join("\n", said) + "\n");
    }

    @Override
    public void close() {
        port.close();
    }
}
