package io.counters.packaging;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.counters.testsupport.Systemd;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * counters.deb, installed, started, upgraded, removed and purged on this machine, if it is a Debian where this is root and
 * counters is not installed. systemd is played by a program of the tests, which runs what the installed unit says.
 */
@Tag("once")
class DebianPackageIT {
    private static final Path DEB = Path.of("target", "counters.deb").toAbsolutePath();
    private static final Path UNITS = Path.of("/usr/lib/systemd/system");
    private static final Path SETTINGS = Path.of("/etc/counters/collector.conf");
    private static final Path STATE = Path.of("/var/lib/counters");
    private static final Pattern PAGE = Pattern.compile("page: +(http://127\\.0\\.0\\.1:\\d+)/");

    @TempDir
    Path folder;

    private boolean mayInstall;

    @BeforeEach
    void only_where_nothing_can_be_broken() throws Exception {
        assumeTrue(Files.exists(Path.of("/etc/debian_version")), "not a Debian");
        assumeTrue(System.getProperty("user.name").equals("root"), "not root");
        assumeTrue(!Files.exists(Path.of("/run/systemd/system")), "systemd would start the services");
        assumeTrue(
                Shell.succeeds("setpriv", "--version") && Shell.succeeds("gcc", "--version"), "no setpriv or no gcc");
        assumeTrue(
                Files.readString(Path.of("/var/lib/dpkg/status")).contains("java17-runtime-headless"),
                "no Java of Debian");
        assumeTrue(!Shell.succeeds("dpkg", "-s", "counters") && !Files.exists(STATE), "counters is installed here");
        mayInstall = true;
    }

    @AfterEach
    void purge() throws Exception {
        if (mayInstall) {
            Shell.run("dpkg", "--purge", "--force-unsafe-io", "counters");
            Shell.succeeds("userdel", "counters");
            Shell.succeeds("groupdel", "counters");
        }
    }

    private static void install(Path deb) throws IOException, InterruptedException {
        Shell.run("dpkg", "--install", "--force-unsafe-io", deb.toString());
    }

    /** The same package with a later version. */
    private Path later() throws IOException, InterruptedException {
        Path tree = folder.resolve("later");
        Shell.run("dpkg-deb", "--raw-extract", DEB.toString(), tree.toString());
        Path control = tree.resolve("DEBIAN/control");
        Files.writeString(control, Files.readString(control).replaceFirst("(?m)^Version: .*$", "Version: 9:9"));
        Path deb = folder.resolve("later.deb");
        Shell.run("dpkg-deb", "--build", "-Zgzip", "-z1", tree.toString(), deb.toString());
        return deb;
    }

    /** What systemd would run for the installed unit, as its user, with the variables of its file. */
    private List<String> service() throws IOException {
        Unit unit = Unit.read(UNITS.resolve("counters-collector.service"));
        assertThat(unit.value("Type")).isEqualTo("notify");
        assertThat(unit.value("StandardInput")).isEqualTo("socket");
        assertThat(unit.value("NoNewPrivileges")).isEqualTo("yes");
        assertThat(STATE).hasFileName(unit.value("StateDirectory"));
        List<String> command = new ArrayList<>(List.of(
                "setpriv",
                "--reuid=" + unit.value("User"),
                "--regid=" + unit.value("Group"),
                "--clear-groups",
                "--no-new-privs",
                "env",
                "--unset=JAVA_TOOL_OPTIONS",
                "--unset=JDK_JAVA_OPTIONS"));
        Path variables = Path.of(unit.value("EnvironmentFile").substring(1));
        for (String line : Files.readAllLines(variables)) {
            if (!line.startsWith("#") && line.contains("=")) {
                command.add(line.replace("\"", ""));
            }
        }
        assertThat(command).anyMatch(word -> word.startsWith("JAVA_OPTS=-Xmx"));
        command.addAll(List.of(unit.value("ExecStart").split(" ")));
        return command;
    }

    private static void send(int port, int datagrams) throws IOException {
        try (DatagramChannel channel =
                DatagramChannel.open().connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))) {
            for (int i = 0; i < datagrams; i++) {
                channel.write(ByteBuffer.wrap("increment a".getBytes(US_ASCII)));
            }
        }
    }

    private static void awaitCounter(Systemd systemd, long value) {
        Matcher page = PAGE.matcher(String.join("\n", systemd.program().output()));
        String at =
                page.results().reduce((first, second) -> second).orElseThrow().group(1);
        await().atMost(Duration.ofSeconds(60))
                .untilAsserted(() -> assertThat(Shell.run("counters", "get", "--at", at, "a"))
                        .contains("a " + value + "\n"));
    }

    private static String rights(String path) throws IOException, InterruptedException {
        return Shell.run("stat", "--format=%U:%G %a", path).strip();
    }

    @Test
    void it_is_installed_started_upgraded_removed_and_purged() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        install(DEB);

        assertThat(Shell.run("counters", "--version"))
                .contains("counters collector ")
                .doesNotContain("not packaged");
        assertThat(Shell.run("counters")).contains("Usage: ");
        assertThat(rights(SETTINGS.toString())).isEqualTo("root:counters 640");
        assertThat(rights(STATE.toString())).isEqualTo("counters:counters 750");
        assertThat(rights("/usr/share/counters/collector.jar")).isEqualTo("root:root 644");
        assertThat(rights("/usr/share/counters/collector-couchbase.jar")).isEqualTo("root:root 644");
        assertThat(Shell.run("getent", "passwd", "counters")).contains(":/var/lib/counters:/usr/sbin/nologin");
        analyze();
        // On free ports, for this test; an administrator's change, which an upgrade must keep.
        Files.writeString(SETTINGS, Files.readString(SETTINGS) + "\nbind = 127.0.0.1\ntcp_port = 0\nhttp_port = 0\n");
        try (Systemd systemd = Systemd.start(folder, "127.0.0.1", 8 << 20, Duration.ofSeconds(30), service())) {
            send(systemd.port(), 10);
            awaitCounter(systemd, 10);
            assertThat(rights("/var/lib/counters/ledger.sqlite")).startsWith("counters:counters ");
            assertThat(Shell.run("ps", "-o", "user=", "-p", Long.toString(systemd.pid()))
                            .strip())
                    .isEqualTo("counters");

            install(later());
            send(systemd.port(), 10);
            awaitCounter(systemd, 20);
            systemd.restart();
            send(systemd.port(), 10);
            awaitCounter(systemd, 30);

            assertThat(SETTINGS).content().contains("http_port = 0");
            assertThat(systemd.stop()).isEqualTo(143);
            assertThat(systemd.program().errors())
                    .noneMatch(line -> line.contains(" WARN ") || line.contains(" ERROR "));
        }
        Shell.run("dpkg", "--remove", "--force-unsafe-io", "counters");
        assertThat(Path.of("/usr/bin/counters")).doesNotExist();
        assertThat(STATE.resolve("ledger.sqlite")).exists();
        assertThat(SETTINGS).exists();

        Shell.run("dpkg", "--purge", "--force-unsafe-io", "counters");

        assertThat(STATE).doesNotExist();
        assertThat(SETTINGS.getParent()).doesNotExist();
        assertThat(Path.of("/etc/default/counters")).doesNotExist();
        assertThat(UNITS.resolve("counters-collector.service")).doesNotExist();
        assertThat(Path.of("/etc/systemd/system/multi-user.target.wants/counters-collector.service"))
                .doesNotExist();
    }

    private static void analyze() throws IOException, InterruptedException {
        if (!Shell.succeeds("systemd-analyze", "--version")) {
            return;
        }
        assertThat(Shell.run(
                                "systemd-analyze",
                                "verify",
                                "--man=no",
                                UNITS.resolve("counters-collector.service").toString(),
                                UNITS.resolve("counters-proxy.service").toString(),
                                UNITS.resolve("counters-collector.socket").toString())
                        .lines()
                        .filter(line -> line.contains("counters")))
                .isEmpty();
        for (String unit : List.of("counters-collector.service", "counters-proxy.service")) {
            // The exit status is that of a service that is more exposed than 2.0 of 10.
            assertThat(Shell.run(
                            "systemd-analyze",
                            "security",
                            "--offline=true",
                            "--threshold=20",
                            UNITS.resolve(unit).toString()))
                    .contains("Overall exposure level");
        }
    }
}
