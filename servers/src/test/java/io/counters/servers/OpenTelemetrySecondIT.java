package io.counters.servers;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Tomcat with two agents, ours before OpenTelemetry's; both change the same methods. */
class OpenTelemetrySecondIT extends TomcatIT {
    @Override
    List<String> options(String agent) throws IOException {
        List<String> both = new ArrayList<>(List.of(agent));
        both.addAll(OpenTelemetryFirstIT.openTelemetry());
        return both;
    }

    @Override
    List<String> landmarks() {
        return List.of("'Orders.place' : ", "'GET /shop/orders' : ");
    }
}
