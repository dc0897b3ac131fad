package io.counters.collector.proxy;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import io.counters.collector.common.Metrics;
import io.counters.collector.common.SaidFaults;
import io.counters.emit.EmitterSettings;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The effect of SIGHUP. */
@Timeout(180)
class ServersReloaderTest {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final Metrics metrics = new Metrics();
    private final SaidFaults said = new SaidFaults();

    private ProxyIni settings(Path list, EmitterSettings sums) throws Exception {
        Path ini = Files.writeString(
                folder.resolve("proxy.conf"),
                "[statsite]\nbind_address = 127.0.0.1\nport = 1\nudp_port = 0\nservers = " + list + "\n");
        ProxyIni read = ProxyIni.read(ini, 1L << 30);
        return new ProxyIni(
                read.bind(),
                0,
                ProxyIni.OFF,
                Optional.empty(),
                read.queueBytes(),
                read.senderBytes(),
                read.senders(),
                read.namesBytes(),
                List.of(),
                sums,
                list,
                read.list(),
                read.logLevel(),
                read.pidFile(),
                read.remarks());
    }

    private Forwarder forwarder(ProxyIni settings) throws IOException {
        return new Forwarder(
                settings,
                System::nanoTime,
                System::currentTimeMillis,
                new Random(1),
                1000,
                () -> "0123456789abcdef",
                said.log(),
                metrics);
    }

    @Test
    void a_reload_that_brings_servers_over_tcp_although_there_is_a_key_is_a_warning() throws Exception {
        Path key = Files.writeString(folder.resolve("key"), "proxy-1 " + "0123456789abcdef".repeat(4));
        Path list = Files.writeString(folder.resolve("servers.conf"), "udp://127.0.0.1:9\t1\n");
        ProxyIni settings = settings(list, SignedSums.UNSIGNED.key("proxy-1:" + key));
        try (LogLines log = new LogLines();
                Forwarder forwarder = forwarder(settings)) {
            Thread loop = new Thread(forwarder, "proxy");
            loop.setDaemon(true);
            loop.start();
            ServersReloader reloader = new ServersReloader(settings, forwarder, said.log(), metrics);

            Files.writeString(list, "udp://127.0.0.1:9\t1\n127.0.0.1:10\t1\n");
            reloader.look();
            assertThat(log.lines()).noneMatch(line -> line.contains("key is set"));
            reloader.look();
            reloader.look();

            assertThat(log.lines())
                    .filteredOn(line -> line.contains("key is set"))
                    .singleElement()
                    .asString()
                    .endsWith("write udp:// before the address: 127.0.0.1:10");
        }
    }

    @Test
    void a_reload_uses_a_valid_list_at_once_and_ignores_an_invalid_or_missing_one() throws Exception {
        try (Sink first = new Sink();
                Sink second = new Sink()) {
            Path list = Files.writeString(folder.resolve("servers.conf"), first.address() + "\t1\n");
            ProxyIni settings = settings(list, EmitterSettings.to("nowhere"));
            try (Forwarder forwarder = forwarder(settings)) {
                Thread loop = new Thread(forwarder, "proxy");
                loop.setDaemon(true);
                loop.start();
                ServersReloader reloader = new ServersReloader(settings, forwarder, said.log(), metrics);

                Files.writeString(list, second.address() + "\t1\nbad\n");
                assertThatCode(reloader::reload).doesNotThrowAnyException();
                Files.delete(list);
                assertThatCode(reloader::reload).doesNotThrowAnyException();
                assertThat(metrics.values()).containsEntry("proxy_bad_lists_total", 2L);
                await().atMost(SOON).until(() -> first.connections() == 1);
                assertThat(second.connections()).isZero();

                Files.writeString(list, second.address() + "\t1\n");
                reloader.reload();
                await().atMost(SOON).until(() -> second.connections() == 1);
                try (Socket sender = new Socket()) {
                    sender.connect(Objects.requireNonNull(forwarder.tcpAddress()));
                    sender.getOutputStream().write("a:1|c\n".getBytes(ISO_8859_1));
                    await().atMost(SOON).until(() -> second.received().equals("a:1|c\n"));
                }
            }
        }
    }
}
