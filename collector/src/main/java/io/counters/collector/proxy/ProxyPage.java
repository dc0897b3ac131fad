package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.collector.self.Self;
import io.counters.collector.settings.SettingsException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutorService;

/** {@code /metrics} and {@code /healthz} of the proxy, and {@code POST /reload}; on loopback, as there is no login. */
public final class ProxyPage implements AutoCloseable {
    private final HttpServer server;
    private final ExecutorService threads;
    private final Forwarder forwarder;
    private final ServersWatch watch;
    private final Self self;

    /**
     * Opens the port and serves it.
     *
     * @param threads run the requests; closed with this
     * @throws IOException when the port is taken; the message names the remedy
     */
    public ProxyPage(int port, Forwarder forwarder, ServersWatch watch, Self self, ExecutorService threads)
            throws IOException {
        this.forwarder = forwarder;
        this.watch = watch;
        this.self = self;
        this.threads = threads;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        } catch (BindException taken) {
            throw new IOException(
                    "can't open the page on port " + port + " (" + taken.getMessage()
                            + "); another proxy may run there, http_port takes another, 0 turns it off",
                    taken);
        }
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    /** Where the page is, with the port that was got. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean isPost = exchange.getRequestMethod().equals("POST");
            switch (exchange.getRequestURI().getPath()) {
                case "/metrics" -> answer(exchange, 200, metrics());
                case "/healthz" -> answer(exchange, 200, "ok, " + forwarder.serversUp() + " servers up\n");
                case "/reload" -> {
                    if (isPost) {
                        reload(exchange);
                    } else {
                        answer(exchange, 405, "POST reloads the servers\n");
                    }
                }
                default -> answer(exchange, 404, "there are /metrics, /healthz and POST /reload\n");
            }
        }
    }

    private void reload(HttpExchange exchange) throws IOException {
        try {
            watch.take();
            answer(exchange, 200, "ok\n");
        } catch (SettingsException mistakes) {
            answer(exchange, 409, mistakes.getMessage() + "\n");
        }
    }

    private String metrics() {
        StringBuilder lines = new StringBuilder();
        for (Map.Entry<String, Long> value : self.values().entrySet()) {
            lines.append("counters_")
                    .append(value.getKey())
                    .append(' ')
                    .append(value.getValue())
                    .append('\n');
        }
        return lines.toString();
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(UTF_8);
        boolean isHead = exchange.getRequestMethod().equals("HEAD");
        exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, isHead ? -1 : body.length);
        if (!isHead) {
            exchange.getResponseBody().write(body);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdown();
    }
}
