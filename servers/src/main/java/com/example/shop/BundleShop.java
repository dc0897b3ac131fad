package com.example.shop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.Count;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** For OSGi: listens on the port in the framework's property {@code shop.port}. */
public final class BundleShop implements BundleActivator {
    private @Nullable HttpServer web;

    @Override
    @Count("bundle.starts")
    public void start(BundleContext context) throws IOException {
        int port = Integer.parseInt(context.getProperty("shop.port"));
        web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        web.createContext("/orders", this::handle);
        web.createContext("/ready.txt", exchange -> exchange.sendResponseHeaders(200, -1));
        web.start();
    }

    @Count("requests,by=osgi")
    private void handle(HttpExchange exchange) throws IOException {
        byte[] answer = Orders.answer(exchange.getRequestURI().getQuery()).getBytes(US_ASCII);
        exchange.sendResponseHeaders(200, answer.length);
        exchange.getResponseBody().write(answer);
        exchange.close();
    }

    @Override
    @Count("bundle.stops")
    public void stop(BundleContext context) {
        if (web != null) {
            web.stop(0);
        }
    }
}
