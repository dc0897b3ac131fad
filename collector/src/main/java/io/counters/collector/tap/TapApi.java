package io.counters.collector.tap;

import io.counters.collector.common.Glob;
import io.counters.collector.http.Request;
import io.counters.collector.http.Response;
import io.counters.collector.http.Route;
import io.counters.collector.http.Route.Work;
import io.counters.wire.StatsdName;
import java.util.List;
import java.util.Objects;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** {@code /api/tap} and {@code /api/tap/datagrams}. */
public final class TapApi {
    private static final int LINES_MAX = 10_000;
    private static final int LINES_USUAL = 500;

    private final Tap tap;
    private final int nameBytesMax;
    private final Supplier<StatsdName> statsdNames;
    private final LongSupplier nanoClock;

    /**
     * @param nameBytesMax longer names are rejected
     * @param statsdNames creates readers of StatsD names like those of the collector
     */
    public TapApi(Tap tap, int nameBytesMax, Supplier<StatsdName> statsdNames, LongSupplier nanoClock) {
        this.tap = tap;
        this.nameBytesMax = nameBytesMax;
        this.statsdNames = statsdNames;
        this.nanoClock = nanoClock;
    }

    public List<Route> routes() {
        return List.of(
                Route.get("/api/tap", Work.NONE, this::lines),
                Route.get("/api/tap/datagrams", Work.NONE, this::datagrams));
    }

    private Response lines(Request request) {
        request.allow("match", "lines");
        Glob match = new Glob(Objects.requireNonNullElse(request.parameter("match"), ""));
        int linesMax = (int) request.number("lines", 1, LINES_MAX, LINES_USUAL);
        return Response.events(
                tap.listeners,
                new LineEvents(new TapReader(tap), match, linesMax, nameBytesMax, statsdNames.get(), nanoClock));
    }

    private Response datagrams(Request request) {
        request.allow();
        return Response.events(tap.listeners, new DatagramEvents(new TapReader(tap)));
    }
}
