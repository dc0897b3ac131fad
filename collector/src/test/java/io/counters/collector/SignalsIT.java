package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.DefaultSignals;
import io.counters.testsupport.Ports;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGHUP to the collector and to the proxy, each in its own process. */
class SignalsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private static void hangUp(long pid) throws Exception {
        Process kill = new ProcessBuilder("kill", "-HUP", String.valueOf(pid)).start();
        assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(kill.exitValue()).isZero();
    }

    private static void awaitSaid(Path log, String text) {
        await().atMost(PATIENCE).until(() -> Files.readString(log).contains(text));
    }

    @Test
    void sighup_makes_a_collector_read_its_settings_again_and_log_what_needs_a_restart() throws Exception {
        Path ini = Files.writeString(folder.resolve("collector.ini"), "interval = 10s\n");
        try (ChildCollector collector = new ChildCollector(folder, Map.of(), List.of(), "--config=" + ini)) {
            hangUp(collector.pid());
            await().atMost(PATIENCE).until(() -> collector.said().contains("nothing has changed"));

            Files.writeString(ini, "interval = 20s\n");
            hangUp(collector.pid());
            await().atMost(PATIENCE)
                    .until(() -> collector.said().contains("changed settings, which need a restart: interval"));

            Files.writeString(ini, "interval = never\nhunter2\n");
            hangUp(collector.pid());
            await().atMost(PATIENCE).until(() -> collector.said().contains("have errors, so a restart would fail"));
            assertThat(collector.said()).doesNotContain("hunter2");
            collector.datagram("increment a");
            collector.awaitCounter("a", 1);
        }
    }

    @Test
    void sighup_makes_a_proxy_read_its_servers_again() throws Exception {
        Path servers = Files.writeString(folder.resolve("servers.conf"), "udp://127.0.0.1:9\t1\n");
        Path ini = Files.writeString(
                folder.resolve("proxy.ini"),
                "[statsite-proxy]\nport = 0\nudp_port = " + Ports.reserve()
                        + "\nhttp_port = 0\nbind_address = 127.0.0.1\n" + "log_level = INFO\nservers = " + servers
                        + "\n");
        Path err = folder.resolve("err");
        Process proxy = new ProcessBuilder(DefaultSignals.command(
                        "HUP,INT,TERM",
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-Xmx256m",
                                "-jar",
                                Path.of("target", "collector.jar")
                                        .toAbsolutePath()
                                        .toString(),
                                "proxy",
                                "-f",
                                ini.toString())))
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(err.toFile())
                .start();
        try {
            awaitSaid(folder.resolve("out"), "listens on");
            Files.writeString(servers, "udp://127.0.0.1:9\t1\nudp://127.0.0.1:10\t1\n");
            hangUp(proxy.pid());

            awaitSaid(err, "was read again");
            awaitSaid(err, "servers before 1, now 2");
            assertThat(Files.readString(err)).as("log_level is INFO").doesNotContain(" DEBUG ");
            assertThat(proxy.isAlive()).isTrue();
        } finally {
            proxy.destroyForcibly();
        }
    }
}
