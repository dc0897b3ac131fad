package io.counters.servers;

import static org.assertj.core.api.Assertions.assertThat;

import com.example.shop.JakartaShop;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Jetty 12, run by start.jar; its web application does not contain the API. */
class JettyIT extends DrivenServer {
    private int stopPort;
    private Web web = new Web(0);

    @Override
    Program start(Path base, List<String> options) throws Exception {
        int port = Ports.reserve();
        web = new Web(port);
        stopPort = Ports.reserve();
        try (Program setUp =
                Program.start(base, Map.of(), java(List.of(), "--add-modules=http,ee10-deploy,ee10-annotations"))) {
            assertThat(setUp.awaitEnd()).as("%s", setUp).isZero();
        }
        Folders.war(base.resolve("webapps/shop.war"), JakartaShop.class, false);
        return begin(
                base,
                Map.of(),
                java(options, "jetty.http.host=127.0.0.1", "jetty.http.port=" + port, "STOP.PORT=" + stopPort));
    }

    private static List<String> java(List<String> options, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(Program.java(), "-Xmx128m"));
        command.addAll(options);
        command.addAll(List.of(
                "-jar", Folders.server("jetty-home").resolve("start.jar").toString(), "STOP.KEY=stop"));
        command.addAll(List.of(arguments));
        return command;
    }

    @Override
    boolean isReady(Program server) throws IOException {
        return server.says("Started oejs.Server") && web.answers("/shop/ready.txt");
    }

    @Override
    void request(int number) throws IOException {
        web.get("/shop/orders?" + number);
    }

    @Override
    void stop(Program server, Path base, List<String> options) throws IOException {
        begin(base, Map.of(), java(options, "STOP.PORT=" + stopPort, "STOP.WAIT=20", "--stop"));
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("requests,by=jakarta", 3L, "orders.placed", 2L, "orders.refused", 1L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of();
    }
}
