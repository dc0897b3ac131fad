package io.counters.collector;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.testsupport.CollectorProgram;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGHUP to the collector and to the proxy, each in its own process. */
class SignalsIT {
    @TempDir
    Path folder;

    @Test
    void sighup_makes_a_collector_read_its_settings_again_and_log_what_needs_a_restart() throws Exception {
        Path ini = Files.writeString(folder.resolve("collector.ini"), "interval = 10s\n");
        try (CollectorProgram collector =
                CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of(), "--config=" + ini)) {
            collector.program().signal("HUP");
            collector.awaitLog("nothing has changed");

            Files.writeString(ini, "interval = 20s\n");
            collector.program().signal("HUP");
            collector.awaitLog("changed settings, which need a restart: interval");

            Files.writeString(ini, "interval = never\nhunter2\n");
            collector.program().signal("HUP");
            collector.awaitLog("have errors, so a restart would fail");
            assertThat(collector.log()).doesNotContain("hunter2");
            collector.send("increment a");
            collector.awaitCounter("a", 1);
        }
    }

    @Test
    void sighup_does_not_read_settings_again_from_what_can_be_read_only_once() throws Exception {
        try (CollectorProgram collector =
                CollectorProgram.launch(folder.resolve("data"), Map.of(), List.of(), "--config=/dev/null")) {
            collector.program().signal("HUP");

            collector.awaitLog(
                    "SIGHUP: the settings are not read again, because the file of --config is a pipe or a device");
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
        try (Program proxy = CollectorProgram.command("proxy", "-f", ini.toString())) {
            proxy.awaitLine("listens on");
            Files.writeString(servers, "udp://127.0.0.1:9\t1\nudp://127.0.0.1:10\t1\n");
            proxy.signal("HUP");

            proxy.awaitLine("was read again");
            proxy.awaitLine("servers before 1, now 2");
            assertThat(proxy.errors()).as("log_level is INFO").noneMatch(line -> line.contains(" DEBUG "));
            assertThat(proxy.isRunning()).isTrue();
        }
    }
}
