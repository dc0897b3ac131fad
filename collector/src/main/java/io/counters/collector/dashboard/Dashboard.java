package io.counters.collector.dashboard;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.http.Answer;
import io.counters.collector.http.HttpPort;
import io.counters.collector.http.Request;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.collector.http.Text;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.self.FaultLog;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** The HTTP server. Its page asks {@code /api/counters} once a second and shows what moved. */
public final class Dashboard implements AutoCloseable {
    private static final int STREAMS_MAX = 1000;
    private static final String JSON = "application/json";

    private final HttpPort port;
    private final Ledger ledger;
    private final Supplier<List<String>> troubles;
    private final String page;

    /**
     * Opens the port; {@link #start} serves it.
     *
     * @param troubles what keeps the collector from being well, a line each; asked on the event loop, so it takes no lock
     * @param nanoClock monotonic
     * @param threads serve the port; an uncaught exception in one of them must end the program
     * @throws IOException when the port is taken; the message names the remedy
     */
    public Dashboard(
            DashboardSettings settings,
            Ledger ledger,
            Self self,
            Supplier<List<String>> troubles,
            LongSupplier nanoClock,
            FaultLog faults,
            ThreadFactory threads)
            throws IOException {
        this.ledger = ledger;
        this.troubles = troubles;
        try (InputStream in = Dashboard.class.getResourceAsStream("page.html")) {
            page = in == null ? "" : new String(in.readAllBytes(), UTF_8);
        }
        port = new HttpPort(
                settings.port(),
                "another collector may run there, --http-port takes another",
                List.of(
                        Route.get(
                                "/", Work.NONE, request -> new Answer(200, "text/html; charset=utf-8", Text.of(page))),
                        Route.get("/api/counters", Work.MUCH, this::counters),
                        Route.get("/api/streams", Work.MUCH, this::streams),
                        Route.rejected(faults),
                        Route.metrics(self),
                        Route.get("/healthz", Work.NONE, this::health)),
                nanoClock,
                faults,
                self,
                threads);
    }

    public void start() {
        port.start();
    }

    /** Where the page is, with the port that was got. */
    public InetSocketAddress address() {
        return port.address();
    }

    private Answer counters(Request request) {
        return new Answer(200, JSON, new CountersText(ledger.snapshot()));
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
        return new Answer(200, JSON, new StreamsText(reports));
    }

    private Answer health(Request request) {
        List<String> said = troubles.get();
        return said.isEmpty() ? Answer.plain(200, "ok\n") : Answer.plain(503, String.join("\n", said) + "\n");
    }

    @Override
    public void close() {
        port.close();
    }
}
