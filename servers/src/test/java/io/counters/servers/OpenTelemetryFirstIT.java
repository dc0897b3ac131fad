package io.counters.servers;

import com.example.shop.Orders;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Tomcat with two agents, OpenTelemetry's before ours; both change the same methods. */
class OpenTelemetryFirstIT extends TomcatIT {
    /** OpenTelemetry's options; its spans are lines in the server's log. */
    static List<String> openTelemetry() throws IOException {
        return List.of(
                "-javaagent:" + Folders.server("opentelemetry"),
                "-Dotel.traces.exporter=console",
                "-Dotel.metrics.exporter=none",
                "-Dotel.logs.exporter=none",
                "-Dotel.instrumentation.methods.include=" + Orders.class.getName() + "[place]");
    }

    @Override
    List<String> options(String agent) throws IOException {
        List<String> both = new ArrayList<>(openTelemetry());
        both.add(agent);
        return both;
    }

    @Override
    List<String> landmarks() {
        return List.of("'Orders.place' : ", "'GET /shop/orders' : ");
    }
}
