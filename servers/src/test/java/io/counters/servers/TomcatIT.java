package io.counters.servers;

import com.example.shop.JakartaApiShop;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Tomcat 10, run by catalina.sh; its web application contains the API. */
class TomcatIT extends DrivenServer {
    private Web web = new Web(0);

    @Override
    Program start(Path base, List<String> options) throws Exception {
        int port = Ports.reserve();
        web = new Web(port);
        Folders.copy(Folders.server("apache-tomcat").resolve("conf"), base.resolve("conf"));
        Path settings = base.resolve("conf/server.xml");
        Files.writeString(
                settings,
                Files.readString(settings)
                        .replace("port=\"8005\"", "port=\"" + Ports.reserve() + "\"")
                        .replace("port=\"8080\"", "address=\"127.0.0.1\" port=\"" + port + "\""));
        Files.createDirectories(base.resolve("temp"));
        Folders.war(base.resolve("webapps/shop.war"), JakartaApiShop.class, true);
        return catalina("run", base, options);
    }

    private Program catalina(String command, Path base, List<String> options) throws IOException {
        return begin(
                base,
                Map.of("CATALINA_BASE", base.toString(), "JAVA_OPTS", "-Xmx128m " + String.join(" ", options)),
                List.of(
                        Folders.server("apache-tomcat")
                                .resolve("bin/catalina.sh")
                                .toString(),
                        command));
    }

    @Override
    boolean isReady(Program server) throws IOException {
        return server.says("Server startup in") && web.answers("/shop/ready.txt");
    }

    @Override
    void request(int number) throws IOException {
        web.get("/shop/orders?" + number);
    }

    @Override
    void stop(Program server, Path base, List<String> options) throws IOException {
        catalina("stop", base, options);
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("requests,by=jakarta", 3L, "requests.api", 6L, "orders.placed", 2L, "orders.refused", 1L);
    }

    @Override
    List<Path> logs(Path base) throws IOException {
        return Folders.in(base.resolve("logs"));
    }
}
