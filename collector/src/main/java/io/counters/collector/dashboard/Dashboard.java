package io.counters.collector.dashboard;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.counters.collector.http.Answer;
import io.counters.collector.http.HttpPort;
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

/** The HTTP server. Its page requests {@code /api/counters} once a second and highlights what changed. */
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
     * @param troubles returns the collector's problems, one line each; called on the event loop, so it must take no lock
     * @param nanoClock monotonic
     * @param threads creates the port's threads; an uncaught exception in one of them must end the program
     * @throws IOException if the port is in use; the message contains the remedy
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
                "if another collector uses it, use --http-port for another port",
                List.of(
                        Route.get("/", Work.NONE, () -> new Answer(200, "text/html; charset=utf-8", Text.of(page))),
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

    /** The address of the page, with the actual port. */
    public InetSocketAddress address() {
        return port.address();
    }

    private Answer counters() {
        return new Answer(200, JSON, new CountersText(ledger.snapshot()));
    }

    /** The streams that lost most first, at most {@value #STREAMS_MAX}. */
    private Answer streams() {
        List<StreamReport> reports = ledger.reports().stream()
                .sorted(Comparator.comparingLong(StreamReport::lost)
                        .reversed()
                        .thenComparingLong(StreamReport::quietMillis)
                        .thenComparing(StreamReport::sender))
                .limit(STREAMS_MAX)
                .toList();
        return new Answer(200, JSON, new StreamsText(reports));
    }

    private Answer health() {
        List<String> said = troubles.get();
        return said.isEmpty() ? Answer.plain(200, "ok\n") : Answer.plain(503, String.join("\n", said) + "\n");
    }

    @Override
    public void close() {
        port.close();
    }
}
