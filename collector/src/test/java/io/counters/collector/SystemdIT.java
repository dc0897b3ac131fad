package io.counters.collector;

import static java.net.http.HttpResponse.BodyHandlers.ofString;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.jdi.Bootstrap;
import com.sun.jdi.connect.AttachingConnector;
import com.sun.jdi.connect.Connector;
import io.counters.testsupport.Identity;
import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import io.counters.testsupport.Systemd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * collector.jar as a service of systemd, which a program of the tests plays. By hand with more load, and with a store that
 * answers nothing:
 *
 * <pre>bin/test one SystemdIT -Dsystemd.datagrams=1000000 -Dsystemd.rate=20000 -Dsystemd.away=8 \
 *     -Dsystemd.restarts=10 -Dsystemd.store=silent</pre>
 */
@EnabledOnOs(OS.LINUX)
@Tag("once")
class SystemdIT {
    private static final int DATAGRAMS = Integer.getInteger("systemd.datagrams", 25_000);
    private static final int RESTARTS = Integer.getInteger("systemd.restarts", 3);
    private static final boolean HAS_SILENT_STORE = "silent".equals(System.getProperty("systemd.store"));

    /** Slow in a build, so that the buffer holds what arrives while a busy machine takes half a minute for a restart. */
    private static final int PER_SECOND_MAX = Integer.getInteger("systemd.rate", 5_000);

    /** That of the unit. */
    private static final int BUFFER_BYTES = 64 << 20;

    /** What the kernel takes for a small datagram. */
    private static final int DATAGRAM_BYTES = 768;

    /** How long the collector may be away on a busy machine. */
    private static final int AWAY_SECONDS_MAX = Integer.getInteger("systemd.away", 30);

    private static final Pattern PAGE = Pattern.compile("page: +(http://127\\.0\\.0\\.1:\\d+)/");

    @TempDir
    Path folder;

    private final HttpClient http = HttpClient.newHttpClient();

    private List<String> jar(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-jar",
                Path.of("target", "collector.jar").toAbsolutePath().toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    /** Its TCP port is any free one: the number of the UDP port, which the kernel chose, may be taken for TCP. */
    private List<String> collector(String... flags) {
        List<String> command = jar(
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--tcp-port=0",
                "--http-port=0",
                "--data-dir=" + folder.resolve("data"));
        command.addAll(List.of(flags));
        return command;
    }

    /** What the page of the present collector answers. */
    private String page(Systemd systemd, String path) throws IOException, InterruptedException {
        Matcher page = PAGE.matcher(String.join("\n", systemd.program().output()));
        String address =
                page.results().reduce((first, second) -> second).orElseThrow().group(1);
        return http.send(HttpRequest.newBuilder(URI.create(address + path)).build(), ofString())
                .body();
    }

    private void awaitCounter(Systemd systemd, String name, long value) {
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(page(systemd, "/api/counters"))
                        .as(systemd.program()::toString)
                        .contains("\"" + name + "\", \"value\": " + value + "}"));
    }

    /** Sends {@code increment loaded} at a steady rate, one a datagram, without totals, until it is ended; returns how many. */
    private static long send(int port, int perSecond, AtomicBoolean ends) throws IOException {
        ByteBuffer datagram = ByteBuffer.allocateDirect(32)
                .put("increment loaded".getBytes(US_ASCII))
                .flip();
        long begin = System.nanoTime();
        long sent = 0;
        try (DatagramChannel channel =
                DatagramChannel.open().connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            while (!ends.get()) {
                long due = (System.nanoTime() - begin) / 1000 * perSecond / 1_000_000;
                // After a pause of this thread no burst, which the buffer may not hold.
                if (due - sent > perSecond / 10) {
                    begin += (due - sent) * 1_000_000_000L / perSecond;
                }
                for (; sent < due; sent++) {
                    channel.write(datagram.rewind());
                }
                LockSupport.parkNanos(1_000_000);
            }
        }
        return sent;
    }

    @Test
    void restarts_under_load_lose_no_datagram_of_the_socket_that_systemd_holds() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                Systemd systemd = Systemd.start(
                        folder,
                        "127.0.0.1",
                        BUFFER_BYTES,
                        Duration.ofSeconds(30),
                        HAS_SILENT_STORE
                                ? collector("--store=memcached://127.0.0.1:" + silent.getLocalPort())
                                : collector())) {
            int port = systemd.port();
            int perSecond = (int)
                    Math.min(PER_SECOND_MAX, Math.max(20, systemd.bufferBytes() / DATAGRAM_BYTES / AWAY_SECONDS_MAX));
            // Without the right to a large buffer, fewer.
            long datagrams = perSecond == PER_SECOND_MAX ? DATAGRAMS : 3L * perSecond;
            AtomicBoolean ends = new AtomicBoolean();
            FutureTask<Long> sending = new FutureTask<>(() -> send(port, perSecond, ends));
            new Thread(sending, "sender").start();
            long awayMillis = 0;

            for (int restart = 1; restart <= RESTARTS; restart++) {
                awaitTotal(systemd, datagrams * restart / (RESTARTS + 1));
                long begin = System.nanoTime();
                systemd.restart();
                awayMillis = Math.max(awayMillis, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin));
            }
            awaitTotal(systemd, datagrams);
            ends.set(true);
            long sent = sending.get();

            awaitCounter(systemd, "loaded", sent);
            String metrics = page(systemd, "/metrics");
            assertThat(metrics).contains("counters_intake_kernel_drops_total 0.0\n");
            assertThat(systemd.times("ended ")).isEqualTo(RESTARTS);
            assertThat(systemd.program().output())
                    .filteredOn(line -> line.startsWith("ended "))
                    .allMatch(line -> line.endsWith(" 143"));
            assertThat(systemd.program().errors())
                    .filteredOn(line -> line.contains(" WARN ") || line.contains(" ERROR "))
                    .allMatch(line -> HAS_SILENT_STORE && line.contains("gave no usable answer"));
            System.out.println("datagrams sent " + sent + ", restarts " + RESTARTS + ", lost 0, at " + perSecond
                    + " a second; buffer " + systemd.bufferBytes() + "; longest restart " + awayMillis + " ms; store "
                    + (HAS_SILENT_STORE ? "silent" : "none"));
            assertThat(systemd.stop()).isEqualTo(143);
            assertThat(systemd.program().errors().get(systemd.program().errors().size() - 1))
                    .as("closing the socket must not close the log")
                    .contains("the collector ended");
        }
    }

    private void awaitTotal(Systemd systemd, long atLeast) {
        await().atMost(Duration.ofMinutes(10)).until(() -> total(systemd) >= atLeast);
    }

    private long total(Systemd systemd) throws IOException, InterruptedException {
        Matcher value = Pattern.compile("\"loaded\", \"value\": (\\d+)").matcher(page(systemd, "/api/counters"));
        return value.find() ? Long.parseLong(value.group(1)) : 0;
    }

    private static void send(InetAddress to, int port, String line) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open().connect(new InetSocketAddress(to, port))) {
            channel.write(ByteBuffer.wrap(line.getBytes(US_ASCII)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "::", "::1"})
    void a_socket_of_each_family_is_taken_and_its_thread_is_woken_at_the_end(String address) throws Exception {
        try (Systemd systemd = Systemd.start(folder, address, 1 << 20, Duration.ZERO, collector())) {
            InetAddress to = InetAddress.getByName(address.equals("0.0.0.0") ? "127.0.0.1" : "::1");
            send(to, systemd.port(), "increment a");
            awaitCounter(systemd, "a", 1);
            assertThat(systemd.program().errors())
                    .anyMatch(line ->
                            line.contains(" WARN ") && line.contains("--bind is 127.0.0.1, which does not apply"));

            long begin = System.nanoTime();
            assertThat(systemd.stop()).isEqualTo(143);

            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(30));
            assertThat(systemd.program().output())
                    .contains("notified STOPPING=1")
                    .anyMatch(line -> line.startsWith("notified STATUS=receives on UDP "));
        }
    }

    @Test
    void the_status_has_the_address_of_a_page_that_speaks_tls() throws Exception {
        Identity.of("one").write(folder);
        List<String> withTls =
                collector("--tls-certificate=" + folder.resolve("cert.pem"), "--tls-key=" + folder.resolve("key.pem"));
        try (Systemd systemd = Systemd.start(folder, "127.0.0.1", 1 << 20, Duration.ZERO, withTls)) {
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(systemd.program().output())
                            .anyMatch(line -> line.startsWith("notified STATUS=receives on UDP ")
                                    && line.contains("; page: https://127.0.0.1:")));
        }
    }

    @Test
    void a_collector_whose_thread_is_held_is_restarted_by_the_watchdog_and_reload_is_told() throws Exception {
        List<String> debugged = collector();
        debugged.add(1, "-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=127.0.0.1:0");
        try (Systemd systemd = Systemd.start(folder, "127.0.0.1", 1 << 20, Duration.ofSeconds(10), debugged)) {
            systemd.awaitTimes("notified WATCHDOG=1", 3);
            signal("HUP", systemd.pid());
            systemd.awaitTimes("notified RELOADING=1", 1);
            systemd.awaitTimes("notified READY=1", 2);

            hold(systemd, "counters-udp");
            // The held thread takes the first in native code, and that one ends with the process.
            for (int i = 0; i < 10; i++) {
                send(InetAddress.getLoopbackAddress(), systemd.port(), "increment loaded");
            }
            assertThat(systemd.times("watchdog ")).as("only what lasts is told").isZero();

            systemd.awaitTimes("watchdog ", 1);
            assertThat(systemd.program().errors())
                    .anyMatch(
                            line -> line.contains("systemd's watchdog restarts this process if this lasts for 10000 ms:"
                                    + " the UDP socket's thread has read nothing for "));
            systemd.awaitTimes("notified READY=1", 3);
            awaitTotal(systemd, 9);
            assertThat(systemd.stop()).isEqualTo(143);
        }
    }

    /** Has a debugger stop one thread of the service; the others go on. */
    private static void hold(Systemd systemd, String thread) throws Exception {
        String port = systemd.program()
                .awaitLine("dt_socket at address: (?:.*:)?(\\d+)$")
                .group(1);
        AttachingConnector connector = Bootstrap.virtualMachineManager().attachingConnectors().stream()
                .filter(each -> each.transport().name().equals("dt_socket"))
                .findFirst()
                .orElseThrow();
        Map<String, Connector.Argument> arguments = connector.defaultArguments();
        requireNonNull(arguments.get("hostname")).setValue("127.0.0.1");
        requireNonNull(arguments.get("port")).setValue(port);
        connector.attach(arguments).allThreads().stream()
                .filter(each -> each.name().equals(thread))
                .findFirst()
                .orElseThrow()
                .suspend();
    }

    private static void signal(String name, long pid) throws IOException, InterruptedException {
        try (Program kill = Program.start("kill", "-" + name, Long.toString(pid))) {
            kill.awaitEnd();
        }
    }

    @Test
    void without_the_native_library_systemd_is_not_told_and_the_log_says_so() throws Exception {
        List<String> command = new ArrayList<>(collector());
        command.add(1, "-Dio.netty.transport.noNative=true");
        command.addAll(0, List.of("env", "NOTIFY_SOCKET=" + folder.resolve("notify"), "LISTEN_FDS=2"));
        try (Program collector = Program.start(command)) {
            collector.awaitLine("systemd cannot be told that this process is ready, because Netty's native library");
            collector.awaitLine("which Java cannot use; give the \\.socket unit one ListenDatagram=");
            collector.awaitLine("points:");
            assertThat(collector.stop()).isEqualTo(143);
        }
    }

    @Test
    void the_proxy_tells_that_it_is_ready_that_it_reloads_and_that_it_ends() throws Exception {
        Path servers = Files.writeString(folder.resolve("servers.conf"), "udp://127.0.0.1:9\t1\n");
        Path ini = Files.writeString(
                folder.resolve("proxy.ini"),
                "[statsite-proxy]\nport = 0\nudp_port = " + Ports.reserve() + "\nhttp_port = 0\n"
                        + "bind_address = 127.0.0.1\nlog_level = INFO\nservers = " + servers + "\n");
        try (Systemd systemd =
                Systemd.start(folder, "-", 0, Duration.ofSeconds(20), jar("proxy", "-f", ini.toString()))) {
            systemd.awaitTimes("notified STATUS=servers that can be reached: 1", 1);
            signal("HUP", systemd.pid());
            systemd.awaitTimes("notified RELOADING=1", 1);
            systemd.awaitTimes("notified READY=1", 2);
            systemd.awaitTimes("notified WATCHDOG=1", 3);

            assertThat(systemd.stop()).isEqualTo(143);

            assertThat(systemd.times("watchdog ")).isZero();
            assertThat(systemd.times("notified STOPPING=1")).isEqualTo(1);
        }
    }
}
