package io.counters.collector.dashboard;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.collector.ledger.Ledger;
import io.counters.collector.ledger.Snapshot;
import io.counters.collector.ledger.StreamReport;
import io.counters.collector.self.Self;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.stream.Collectors;

/** The HTTP server. Its page asks {@code /api/counters} once a second and shows what moved. */
public final class Dashboard implements AutoCloseable {
    private static final int STREAMS_MAX = 1000;

    private final HttpServer server;
    private final ExecutorService threads;
    private final Ledger ledger;
    private final Self self;
    private final byte[] page;

    /**
     * Opens the port; {@link #start} serves it.
     *
     * @param threads run the requests; closed with this
     * @throws IOException when the port is taken; the message names the remedy
     */
    public Dashboard(DashboardSettings settings, Ledger ledger, Self self, ExecutorService threads) throws IOException {
        this.ledger = ledger;
        this.self = self;
        this.threads = threads;
        try (InputStream in = Dashboard.class.getResourceAsStream("page.html")) {
            page = in == null ? new byte[0] : in.readAllBytes();
        }
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), settings.port()), 0);
        } catch (BindException taken) {
            throw new IOException(
                    "can't open the page on port " + settings.port() + " (" + taken.getMessage()
                            + "); another collector may run there, --http-port takes another",
                    taken);
        }
        server.setExecutor(threads);
        server.createContext("/", this::serve);
    }

    public void start() {
        server.start();
    }

    /** Where the page is, with the port that was got. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            switch (exchange.getRequestURI().getPath()) {
                case "/" -> answer(exchange, 200, "text/html; charset=utf-8", page);
                case "/api/counters" -> answer(exchange, 200, "application/json", counters());
                case "/api/streams" -> answer(exchange, 200, "application/json", streams());
                case "/metrics" -> answer(exchange, 200, "text/plain; version=0.0.4; charset=utf-8", metrics());
                case "/healthz" -> answer(exchange, 200, "text/plain; charset=utf-8", text("ok\n"));
                default ->
                    answer(
                            exchange,
                            404,
                            "text/plain; charset=utf-8",
                            text("there are /, /api/counters, /api/streams, /metrics and /healthz\n"));
            }
        }
    }

    private static void answer(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        boolean head = exchange.getRequestMethod().equals("HEAD");
        if (!head && !exchange.getRequestMethod().equals("GET")) {
            exchange.getResponseHeaders().set("Allow", "GET, HEAD");
            exchange.sendResponseHeaders(405, -1);
            return;
        }
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, head || body.length == 0 ? -1 : body.length);
        if (!head) {
            exchange.getResponseBody().write(body);
        }
    }

    /** One object, counters by name in order; the letters of names need no escaping in JSON. */
    private byte[] counters() {
        Snapshot now = ledger.snapshot();
        Integer[] order = new Integer[now.size()];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> now.names()[a].compareTo(now.names()[b]));
        StringBuilder json = new StringBuilder("{");
        for (int i : order) {
            json.append(json.length() == 1 ? "\n" : ",\n")
                    .append('"')
                    .append(now.names()[i])
                    .append("\": ");
            json.append(now.values()[i]);
        }
        return text(json.append("\n}\n").toString());
    }

    /** The streams that miss most first, {@value #STREAMS_MAX} at the most; the letters of ids need no escaping. */
    private byte[] streams() {
        String rows = ledger.reports().stream()
                .sorted(Comparator.comparingLong(StreamReport::lost)
                        .reversed()
                        .thenComparingLong(StreamReport::quietMillis)
                        .thenComparing(StreamReport::sender))
                .limit(STREAMS_MAX)
                .map(Dashboard::row)
                .collect(Collectors.joining(",\n"));
        return text("[\n" + rows + "\n]\n");
    }

    private static String row(StreamReport stream) {
        return "{\"sender\": \"" + stream.sender() + "\", \"counters\": " + stream.counters() + ", \"sent\": "
                + stream.sent() + ", \"received\": " + stream.received() + ", \"repeated\": " + stream.repeated()
                + ", \"lost\": " + stream.lost() + ", \"healed\": " + stream.healed() + ", \"quiet_seconds\": "
                + stream.quietMillis() / 1000 + ", \"whole\": " + stream.whole() + ", \"quarantined\": "
                + stream.quarantined() + ", \"split\": " + stream.isSplit() + "}";
    }

    private byte[] metrics() {
        StringBuilder lines = new StringBuilder();
        for (Map.Entry<String, Long> value : new TreeMap<>(self.values()).entrySet()) {
            lines.append("counters_")
                    .append(value.getKey())
                    .append(' ')
                    .append(value.getValue())
                    .append('\n');
        }
        return text(lines.toString());
    }

    private static byte[] text(String text) {
        return text.getBytes(UTF_8);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
    }
}
