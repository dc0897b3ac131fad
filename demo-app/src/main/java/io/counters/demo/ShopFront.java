package io.counters.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.Count;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The shop's pages, over HTTP on the loopback address. */
final class ShopFront implements AutoCloseable {
    private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");
    private static final List<String> OPEN_A_CART = List.of("/carts");

    private final HttpServer server;
    private final Carts carts;
    private final Orders orders;

    /**
     * Starts to listen.
     *
     * @param port 0 chooses a free one
     * @param threads runs the requests; the caller must end it
     * @throws IOException if the port is in use
     */
    ShopFront(int port, Executor threads, Carts carts, Orders orders) throws IOException {
        this.carts = carts;
        this.orders = orders;
        // Without this, each answer would wait 40 ms for the client's delayed acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // In seconds, and longer than a client keeps an idle connection, which is up to 20 minutes. Otherwise the shop
        // may
        // close a connection that a client is about to use, and a POST without an answer is not sent again.
        System.setProperty("sun.net.httpserver.idleInterval", "3600");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
    }

    @Override
    public void close() {
        server.stop(0);
    }

    /** Answers {@code /tally} with this, as text. */
    void show(Tally tally) {
        server.createContext("/tally", exchange -> {
            byte[] text = tally.toString().getBytes(UTF_8);
            exchange.sendResponseHeaders(200, text.length);
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(text);
            }
        });
    }

    private void handle(HttpExchange exchange) throws IOException {
        Page page;
        try {
            page = answer(exchange.getRequestMethod(), exchange.getRequestURI().getPath());
        } catch (Refused no) {
            page = new Page(no.status(), "Sorry, " + no.getMessage(), List.of(), OPEN_A_CART);
        }
        byte[] html = page.html().getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
        exchange.sendResponseHeaders(page.status(), html.length);
        try (OutputStream body = exchange.getResponseBody()) {
            body.write(html);
        }
    }

    @Count(value = "requests", errors = "+.errors", inFlight = "requests.open")
    private Page answer(String method, String path) throws Refused {
        Matcher number = NUMBER.matcher(path);
        long cart = number.find() ? Long.parseLong(number.group()) : 0;
        return switch (method + " " + number.replaceFirst("N")) {
            case "GET /" ->
                new Page(200, "A small shop", List.of("piece " + Orders.PIECE_CENTS + " cents"), OPEN_A_CART);
            case "POST /carts" -> cart(201, carts.open(), 0);
            case "POST /carts/N/pieces" -> cart(200, cart, carts.add(cart));
            case "POST /carts/N/abandon" -> {
                carts.abandon(cart);
                yield new Page(200, "Goodbye", List.of(), OPEN_A_CART);
            }
            case "POST /carts/N/card" -> receipt(orders.place(cart, Payment.CARD));
            case "POST /carts/N/invoice" -> receipt(orders.place(cart, Payment.INVOICE));
            default -> throw new Refused(404, "there is no such page");
        };
    }

    private static Page cart(int status, long cart, int pieces) {
        String path = "/carts/" + cart;
        return new Page(
                status,
                "Your cart",
                List.of("cart " + cart, "pieces " + pieces),
                List.of(path + "/pieces", path + "/card", path + "/invoice", path + "/abandon"));
    }

    private static Page receipt(Receipt receipt) {
        return new Page(
                201,
                "Thank you",
                List.of(
                        "pieces " + receipt.pieces(),
                        "cents " + receipt.cents(),
                        "delivered " + receipt.delivered(),
                        "labels " + receipt.labels()),
                OPEN_A_CART);
    }
}
