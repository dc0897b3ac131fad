package io.counters.collector.doctor;

import static io.counters.collector.doctor.Finding.Level.FAIL;
import static io.counters.collector.doctor.Finding.Level.OK;
import static io.counters.collector.doctor.Finding.Level.WARN;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.counters.collector.access.AccessSettings;
import io.counters.collector.dashboard.DashboardSettings;
import io.counters.collector.fleet.FleetReport;
import io.counters.collector.fleet.FleetSettings;
import io.counters.collector.fleet.Member;
import io.counters.collector.intake.IntakeSettings;
import io.counters.collector.ledger.LedgerInspection;
import io.counters.collector.otlp.OtlpSettings;
import io.counters.collector.publish.PublishSettings;
import io.counters.collector.settings.CollectorFlag;
import io.counters.collector.settings.Settings;
import io.counters.collector.store.StoreSettings;
import io.counters.testsupport.Ports;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each check with something broken. What a test cannot break, such as the kernel's limits, is given as a fact. */
class ChecksTest {
    private final Checks checks = new Checks(InstantSource.system(), System::nanoTime);

    @TempDir
    Path folder;

    private static Settings settings(Map<CollectorFlag, String> flags) {
        return new Settings(flags, Map.of());
    }

    private static Finding only(List<Finding> findings, String what) {
        return findings.stream()
                .filter(finding -> finding.what().equals(what))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void a_small_receive_buffer_is_a_warning_with_the_remedy() {
        assertThat(Checks.receiveBuffer(212_992, 16_777_216))
                .isEqualTo(Finding.warning(
                        "receive buffer",
                        "212,992 of 16,777,216 bytes for waiting datagrams, so bursts may be dropped",
                        "sysctl -w net.core.rmem_max=16777216, and restart the collector"));
        assertThat(Checks.receiveBuffer(16_777_216, 16_777_216).level()).isEqualTo(OK);
        assertThat(Checks.receiveBuffer().level()).isNotEqualTo(FAIL);
    }

    @Test
    void too_few_descriptors_are_a_warning() {
        assertThat(Checks.descriptors(1024, 512, 10_000).level()).isEqualTo(WARN);
        assertThat(Checks.descriptors(1024, 512, 10_000).found()).contains("limited to 512 instead of 10000");
        assertThat(Checks.descriptors(1_000_000, 10_000, 10_000).level()).isEqualTo(OK);
    }

    @ParameterizedTest
    @CsvSource({
        "2026-01-01T00:00:00Z, 1000, OK, no jump",
        "1970-01-01T00:00:00Z, 1000, FAIL, the time is 1970",
        "2222-01-01T00:00:00Z, 1000, FAIL, the time is 2222",
        "2026-01-01T00:00:00Z, 9000, WARN, it moved by 9000 ms while 1000 ms passed",
        "2026-01-01T00:00:00Z, -5000, WARN, it moved by -5000 ms",
    })
    void a_wrong_or_jumping_clock_is_found(Instant wall, long wallMillis, Finding.Level level, String found) {
        // The monotonic clock may pass the end of its range.
        long nanos = Long.MAX_VALUE - 5;
        Finding finding = Checks.clock(
                new Checks.Moment(wall, nanos),
                new Checks.Moment(wall.plusMillis(wallMillis), nanos + TimeUnit.SECONDS.toNanos(1)));

        assertThat(finding.level()).isEqualTo(level);
        assertThat(finding.found()).contains(found);
    }

    @ParameterizedTest
    @CsvSource({
        "63, FAIL",
        "64, WARN",
        "1023, WARN",
        "1024, OK",
    })
    void a_full_disk_is_found(long megabytes, Finding.Level level) {
        assertThat(Checks.freeSpace(folder, megabytes << 20).level()).isEqualTo(level);
    }

    @ParameterizedTest
    @CsvSource({
        "ext4, OK",
        "xfs, OK",
        "nfs4, FAIL",
        "cifs, FAIL",
        "fuse.sshfs, FAIL",
        "tmpfs, WARN",
    })
    void a_file_system_that_is_shared_or_in_memory_is_found(String type, Finding.Level level) {
        assertThat(Checks.fileSystem(type).level()).isEqualTo(level);
    }

    @Test
    void a_slow_disk_is_a_warning() {
        assertThat(Checks.syncs(3).level()).isEqualTo(OK);
        assertThat(Checks.syncs(750).level()).isEqualTo(WARN);
    }

    @Test
    void a_folder_that_does_not_exist_yet_is_checked_by_its_parent_and_nothing_is_left() throws Exception {
        assertThat(checks.disk(folder.resolve("new").resolve("data")))
                .extracting(Finding::what)
                .containsExactly("disk space", "file system", "disk sync");
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void the_files_of_others_in_the_folder_stay_as_they_are() throws Exception {
        Path other = Files.writeString(folder.resolve("doctor.probe"), "kept");

        assertThat(only(checks.disk(folder), "disk sync").level()).isNotEqualTo(FAIL);

        assertThat(other).hasContent("kept");
        assertThat(folder.toFile().list()).containsExactly("doctor.probe");
    }

    @Test
    void a_file_in_the_place_of_the_folder_is_a_failure() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));

        assertThat(checks.disk(file)).singleElement().satisfies(finding -> {
            assertThat(finding.level()).isEqualTo(FAIL);
            assertThat(finding.found()).isEqualTo(file + " is a file");
        });
    }

    private LedgerInspection ledger(boolean isInUse, boolean isShared, @Nullable String problem) {
        return new LedgerInspection(folder.resolve("ledger.sqlite"), true, isInUse, isShared, 4, 1234, 5, problem);
    }

    @Test
    void a_ledger_is_told_with_its_size_and_its_damage() {
        assertThat(Checks.ledger(ledger(false, false, null)).found())
                .endsWith("ledger.sqlite: format 4, 1,234 counters, 5 senders with totals, not damaged");
        assertThat(Checks.ledger(ledger(true, false, null)).level()).isEqualTo(OK);
        assertThat(Checks.ledger(ledger(false, false, "it is damaged: x")).level())
                .isEqualTo(FAIL);
        assertThat(Checks.ledger(ledger(false, true, null))).satisfies(shared -> {
            assertThat(shared.level()).isEqualTo(FAIL);
            assertThat(shared.remedy()).contains("let one collector take over all names");
        });
    }

    private List<Finding> ports(int udp, int tcp, int http) {
        Settings settings = settings(Map.of(
                CollectorFlag.BIND, "127.0.0.1",
                CollectorFlag.UDP_PORT, Integer.toString(udp),
                CollectorFlag.TCP_PORT, Integer.toString(tcp),
                CollectorFlag.HTTP_PORT, Integer.toString(http)));
        return ports(settings);
    }

    private static List<Finding> ports(Settings settings) {
        IntakeSettings taking = IntakeSettings.from(settings, AccessSettings.NONE);
        return new PortChecks(AccessSettings.NONE, "")
                .findings(
                        taking,
                        DashboardSettings.from(settings, AccessSettings.NONE, 1 << 28),
                        OtlpSettings.from(settings, taking, AccessSettings.NONE, 1 << 28));
    }

    @Test
    void the_port_for_otlp_is_checked_if_there_is_one() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<Finding> findings = ports(settings(Map.of(
                    CollectorFlag.BIND, "127.0.0.1",
                    CollectorFlag.UDP_PORT, "0",
                    CollectorFlag.HTTP_PORT, "0",
                    CollectorFlag.OTLP_PORT, Integer.toString(taken.getLocalPort()))));

            assertThat(findings)
                    .filteredOn(finding -> finding.level() == FAIL)
                    .hasSize(1)
                    .allMatch(finding -> finding.remedy().endsWith("--otlp-port"));
        }
    }

    @Test
    void ports_held_by_other_programs_are_failures_that_name_the_flag() throws Exception {
        try (DatagramSocket udp = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                ServerSocket tcp = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            List<Finding> findings = ports(udp.getLocalPort(), tcp.getLocalPort(), 0);

            assertThat(only(findings, "UDP port").level()).isEqualTo(FAIL);
            assertThat(only(findings, "UDP port").remedy()).endsWith("or give another --udp-port");
            assertThat(only(findings, "TCP port").level()).isEqualTo(FAIL);
            assertThat(only(findings, "HTTP port")).isEqualTo(Finding.ok("HTTP port", "any free port"));
        }
    }

    /** A program that gives these answers. */
    private static HttpServer serve(int readyStatus, String ready, String page) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/readyz", exchange -> answer(exchange, readyStatus, ready));
        server.createContext("/api/page", exchange -> answer(exchange, 200, page));
        server.start();
        return server;
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Test
    void another_program_on_the_http_port_is_not_taken_for_a_collector() throws Exception {
        HttpServer server = serve(200, "ok", "<html>");
        try {
            List<Finding> findings = ports(0, 0, server.getAddress().getPort());

            assertThat(only(findings, "running collector").found()).startsWith("none at ");
            assertThat(only(findings, "HTTP port").level()).isEqualTo(FAIL);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_port_that_the_running_collector_does_not_receive_on_is_held_by_another_program() throws Exception {
        HttpServer server = serve(200, "ok", "{\"udpPort\": 1}");
        try (DatagramSocket udp = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            List<Finding> findings =
                    ports(udp.getLocalPort(), 0, server.getAddress().getPort());

            assertThat(only(findings, "running collector"))
                    .isEqualTo(Finding.warning(
                            "running collector",
                            "http://127.0.0.1:" + server.getAddress().getPort()
                                    + " is ready, and receives on UDP port 1",
                            "give the flags and the environment of that collector"));
            assertThat(only(findings, "UDP port").level()).isEqualTo(FAIL);
            assertThat(only(findings, "HTTP port").level()).isEqualTo(OK);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_collector_that_lets_doctor_not_in_is_one_and_holds_its_ports() throws Exception {
        HttpServer server = serve(200, "ok", "{}");
        server.removeContext("/api/page");
        server.createContext("/api/page", asked -> {
            asked.sendResponseHeaders(401, -1);
            asked.close();
        });
        try (DatagramSocket udp = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            List<Finding> findings =
                    ports(udp.getLocalPort(), 0, server.getAddress().getPort());

            assertThat(only(findings, "running collector"))
                    .isEqualTo(Finding.warning(
                            "running collector",
                            "http://127.0.0.1:" + server.getAddress().getPort()
                                    + " does not let doctor in (401), and is ready",
                            "set its token; if it takes client certificates only, give it a token, too"));
            assertThat(only(findings, "UDP port").level()).isEqualTo(OK);
            assertThat(only(findings, "HTTP port").level()).isEqualTo(OK);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_running_collector_that_is_not_ready_is_a_failure_with_its_reasons() throws Exception {
        HttpServer server = serve(503, "the store does not answer\nthe disk is full\n", "{\"udpPort\": 11212}");
        try {
            List<Finding> findings = ports(0, 0, server.getAddress().getPort());

            assertThat(only(findings, "running collector"))
                    .isEqualTo(Finding.failure(
                            "running collector",
                            "the store does not answer; the disk is full",
                            "see docs/operations.md, or its log"));
            assertThat(only(findings, "HTTP port").found()).endsWith("is held by the running collector");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_store_and_a_sink_that_do_not_answer_are_failures() throws Exception {
        int nobody = Ports.reserve();
        Settings settings = settings(Map.of(
                CollectorFlag.STORE, "redis://127.0.0.1:" + nobody + "/0",
                CollectorFlag.OPENTSDB, "http://127.0.0.1:" + nobody));

        assertThat(checks.store(StoreSettings.from(settings))).singleElement().satisfies(finding -> {
            assertThat(finding.level()).isEqualTo(FAIL);
            assertThat(finding.found()).startsWith("Redis at 127.0.0.1:" + nobody + " does not answer");
        });
        assertThat(checks.sinks(PublishSettings.from(settings))).singleElement().satisfies(finding -> {
            assertThat(finding.level()).isEqualTo(FAIL);
            assertThat(finding.found()).startsWith("http://127.0.0.1:" + nobody + "/ does not answer");
        });
    }

    @Test
    void the_topics_of_a_fleet_are_told_with_their_remedies() {
        FleetSettings fleet =
                new FleetSettings(List.of("k1:9092"), "shop", "c1", 64, 1 << 30, Map.of("ssl.protocoll", "x"));
        FleetReport.Problem fault = new FleetReport.Problem("topic shop.ledger has cleanup.policy=delete", "change it");
        FleetReport.Problem remark = new FleetReport.Problem("there is only one broker", "use three");

        assertThat(Checks.fleet(fleet, new FleetReport(1, 0, List.of(), List.of(fault), List.of(remark)), List.of()))
                .containsExactly(
                        Finding.warning("settings", fleet.remarks().get(0), "correct or remove it"),
                        Finding.failure("fleet", "topic shop.ledger has cleanup.policy=delete", "change it"),
                        Finding.warning("fleet", "there is only one broker", "use three"));
        FleetSettings good = new FleetSettings(List.of("k1:9092"), "shop", "c1", 64, 1 << 30, Map.of());
        FleetReport absent = new FleetReport(3, 0, List.of("shop.ledger", "shop.lines"), List.of(), List.of());
        assertThat(Checks.fleet(good, absent, List.of()))
                .containsExactly(
                        Finding.ok(
                                "fleet",
                                "kafka://k1:9092: brokers: 3; shop.ledger, shop.lines do not exist yet; the collector"
                                        + " creates them"),
                        Finding.ok("collectors", "none in the fleet"));
        FleetReport ready = new FleetReport(3, 64, List.of(), List.of(), List.of());
        assertThat(Checks.fleet(
                        good,
                        ready,
                        List.of(new Member("c1", "10.0.0.1", 0, Set.of()), new Member("c2", "10.0.0.2", 0, Set.of()))))
                .containsExactly(
                        Finding.ok("fleet", "kafka://k1:9092: brokers: 3; topics with 64 partitions"),
                        Finding.ok(
                                "collectors",
                                "in the fleet: c1, c2; c1 is at 10.0.0.1, and if that is another collector, give this one"
                                        + " another --instance"));
    }
}
