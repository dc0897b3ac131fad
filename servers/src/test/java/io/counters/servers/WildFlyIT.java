package io.counters.servers;

import com.example.shop.JavaxShop;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.JRE;

/** WildFly 26, run by standalone.sh and jboss-cli.sh: it has JBoss Modules and its own log manager. */
@DisabledForJreRange(
        min = JRE.JAVA_24,
        disabledReason = "WildFly 26 sets a security policy at its start, which JDK 24 and newer refuse")
class WildFlyIT extends DrivenServer {
    private int managementPort;
    private Web web = new Web(0);

    @Override
    Program start(Path base, List<String> options) throws Exception {
        int port = Ports.reserve();
        web = new Web(port);
        managementPort = Ports.reserve();
        Path home = Folders.server("wildfly");
        Path standalone = base.resolve("standalone");
        Folders.copy(home.resolve("standalone"), standalone);
        Folders.war(standalone.resolve("deployments/shop.war"), JavaxShop.class, false);
        Path settings = base.resolve("standalone.conf");
        Files.copy(home.resolve("bin/standalone.conf"), settings);
        Files.writeString(
                settings,
                "JAVA_OPTS=\"$JAVA_OPTS -Xmx256m " + String.join(" ", options) + "\"\n",
                StandardOpenOption.APPEND);
        return begin(
                base,
                Map.of("RUN_CONF", settings.toString()),
                List.of(
                        home.resolve("bin/standalone.sh").toString(),
                        "-Djboss.server.base.dir=" + standalone,
                        "-Djboss.http.port=" + port,
                        "-Djboss.https.port=" + Ports.reserve(),
                        "-Djboss.management.http.port=" + managementPort,
                        "-Djboss.management.https.port=" + Ports.reserve()));
    }

    @Override
    boolean isReady(Program server) throws IOException {
        return server.says("WFLYSRV0025") && web.answers("/shop/ready.txt");
    }

    @Override
    void request(int number) throws IOException {
        web.get("/shop/orders?" + number);
    }

    @Override
    void stop(Program server, Path base, List<String> options) throws IOException {
        begin(
                base,
                Map.of("JAVA_OPTS", "-Xmx128m -Duser.home=" + base + " " + String.join(" ", options)),
                List.of(
                        Folders.server("wildfly").resolve("bin/jboss-cli.sh").toString(),
                        "--connect",
                        "--controller=127.0.0.1:" + managementPort,
                        "command=:shutdown"));
    }

    @Override
    Map<String, Long> expected() {
        return Map.of("requests,by=javax", 3L, "orders.placed", 2L, "orders.refused", 1L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of(base.resolve("standalone/log/server.log"));
    }
}
