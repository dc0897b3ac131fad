package io.counters.servers;

import io.counters.testsupport.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/** Karaf 4, run by its scripts: OSGi, with a bundle that imports none of our packages. */
class KarafIT extends DrivenServer {
    private Path log = Path.of("");
    private Web web = new Web(0);

    @Override
    Program start(Path base, List<String> options) throws Exception {
        int port = Ports.reserve();
        web = new Web(port);
        log = base.resolve("karaf/data/log/karaf.log");
        Path home = base.resolve("karaf");
        Folders.copy(Folders.server("apache-karaf"), home);
        Path bundle = home.resolve("system/shop/shop/1.0/shop-1.0.jar");
        Files.createDirectories(bundle.getParent());
        Folders.bundle(bundle);
        Files.writeString(
                home.resolve("etc/startup.properties"), "\nmvn\\:shop/shop/1.0 = 80\n", StandardOpenOption.APPEND);
        Files.writeString(
                home.resolve("etc/config.properties"), "\nshop.port = " + port + "\n", StandardOpenOption.APPEND);
        Path shell = home.resolve("etc/org.apache.karaf.shell.cfg");
        Files.writeString(
                shell,
                Files.readString(shell)
                        .replaceAll("(?m)^sshPort *=.*$", "sshPort = " + Ports.reserve())
                        .replaceAll("(?m)^sshHost *=.*$", "sshHost = 127.0.0.1"));
        return script("karaf", "server", base, options);
    }

    private Program script(String name, String argument, Path base, List<String> options) throws IOException {
        return begin(
                base,
                Map.of("EXTRA_JAVA_OPTS", "-Xmx256m " + String.join(" ", options)),
                List.of(base.resolve("karaf/bin").resolve(name).toString(), argument));
    }

    @Override
    boolean isReady(Program server) throws IOException {
        // The last line that is logged at its start, after its boot features and ssh.
        return web.answers("/ready.txt") && Files.readString(log).contains("DefaultIoServiceFactoryFactory");
    }

    @Override
    void request(int number) throws IOException {
        web.get("/orders?" + number);
    }

    @Override
    void stop(Program server, Path base, List<String> options) throws IOException {
        script("karaf", "stop", base, options);
    }

    @Override
    Map<String, Long> expected() {
        return Map.of(
                "bundle.starts", 1L,
                "bundle.stops", 1L,
                "requests,by=osgi", 3L,
                "orders.placed", 2L,
                "orders.refused", 1L);
    }

    @Override
    List<Path> logs(Path base) {
        return List.of(log);
    }
}
