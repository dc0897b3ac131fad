package io.counters.servers;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Zipkin's server, a Spring Boot program in one jar; rules select its methods. */
class ZipkinIT extends DrivenServer {
    private Web web = new Web(0);

    @Override
    Program start(Path base, List<String> options) throws Exception {
        int port = Ports.reserve();
        web = new Web(port);
        List<String> command = new ArrayList<>(List.of(Program.java(), "-Xmx256m"));
        command.addAll(options);
        command.addAll(List.of(
                "-jar",
                Folders.server("zipkin").toString(),
                "--armeria.ports[0].ip=127.0.0.1",
                "--armeria.ports[0].port=" + port,
                "--armeria.ports[0].protocols=http"));
        return begin(base, Map.of(), command);
    }

    @Override
    String rules() {
        return "zipkin2.server.internal.ZipkinHttpCollector#uploadSpansJson=zipkin.uploads;"
                + "zipkin2.storage.InMemoryStorage#accept=zipkin.stored";
    }

    @Override
    boolean isReady(Program server) {
        return web.answers("/health");
    }

    @Override
    void request(int number) throws IOException {
        String span = "[{\"traceId\":\"000000000000000" + number + "\",\"id\":\"000000000000000" + number
                + "\",\"name\":\"order\",\"timestamp\":1500000000000000,\"duration\":1}]";
        assertThat(web.post("/api/v2/spans", span.replace("000000000000000", "100000000000000")))
                .isEqualTo(202);
    }

    @Override
    void stop(Program server, Path base, List<String> options) {
        server.terminate();
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("zipkin.uploads", 3L, "zipkin.stored", 3L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of();
    }
}
