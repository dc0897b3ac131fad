package io.counters.collector.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A port with these routes, and a clock that only a test moves. */
final class ServedRoutes implements AutoCloseable {
    final AtomicLong nanos = new AtomicLong();
    final Metrics metrics = new Metrics();
    final SaidFaults said = new SaidFaults();
    final HttpPort port;
    private final List<Throwable> deaths = new CopyOnWriteArrayList<>();
    private final List<Browser> browsers = new ArrayList<>();

    /** A page. */
    ServedRoutes(Route... routes) throws IOException {
        this(Listening.page(InetAddress.getLoopbackAddress(), 0, "take another", HttpLimits.PAGE, Guard.NONE), routes);
    }

    ServedRoutes(Listening at, Route... routes) throws IOException {
        port = new HttpPort(at, List.of(routes), nanos::get, said.log(), metrics, work -> {
            Thread thread = new Thread(work, "counters-http");
            thread.setDaemon(true);
            thread.setUncaughtExceptionHandler((dead, fault) -> deaths.add(fault));
            return thread;
        });
        port.start();
    }

    /** A connection, closed with the port. */
    Browser browser() throws IOException {
        return browser(0);
    }

    /** The same, with a receive buffer of this size. */
    Browser browser(int receiveBytes) throws IOException {
        Browser browser = new Browser(port.address(), receiveBytes);
        browsers.add(browser);
        return browser;
    }

    /** One request on a connection of its own. */
    Browser.Reply ask(String method, String path, String... headers) throws IOException {
        try (Browser browser = new Browser(port.address())) {
            return browser.ask(method, path, headers).reply(!method.equals("HEAD"));
        }
    }

    long counted(String name) {
        return metrics.values().getOrDefault(name, 0L);
    }

    void seconds(long more) {
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(more));
    }

    @Override
    public void close() throws IOException {
        for (Browser browser : browsers) {
            browser.close();
        }
        port.close();
        assertThat(deaths).isEmpty();
    }
}
