package io.counters.packaging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the scripts of the Debian package ask of systemd, where it runs: every program that they could find only writes down that
 * it was called.
 */
@EnabledOnOs(OS.LINUX)
class MaintainerScriptsTest {
    private static final String SOCKET = "counters-collector.socket";
    private static final String SERVICE = "counters-collector.service";

    @TempDir
    Path folder;

    private Path calls;

    @BeforeEach
    void programs() throws IOException {
        Files.createDirectories(folder.resolve("system"));
        calls = Files.createFile(folder.resolve("calls"));
        for (String name : List.of(
                "deb-systemd-helper",
                "deb-systemd-invoke",
                "systemctl",
                "getent",
                "dpkg-statoverride",
                "groupadd",
                "useradd",
                "chown",
                "chmod",
                "install",
                "rm")) {
            program(name, 0);
        }
    }

    private void program(String name, int status) throws IOException {
        Path program = Files.createDirectories(folder.resolve("bin")).resolve(name);
        Files.writeString(program, "#!/bin/sh\necho \"" + name + " $*\" >>" + calls + "\nexit " + status + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The calls that are about units. */
    private List<String> run(String script, String... arguments) throws IOException, InterruptedException {
        // A copy for which systemd runs, and which finds no other programs.
        Path copy = Files.writeString(
                folder.resolve(script),
                Files.readString(Path.of("debian", "control", script))
                        .replace("/run/systemd/system", folder.resolve("system").toString())
                        .replace("/etc/systemd/system", folder.resolve("system").toString())
                        .replace("/etc/counters", folder.toString()));
        Files.writeString(calls, "");
        List<String> command = new ArrayList<>(List.of("/bin/sh", copy.toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder process = new ProcessBuilder(command).inheritIO();
        process.environment().put("PATH", folder.resolve("bin").toString());
        assertThat(process.start().waitFor()).isZero();
        try (Stream<String> lines = Files.lines(calls)) {
            return lines.filter(line -> line.contains("system")).toList();
        }
    }

    private static List<String> enabled() {
        return Stream.of(SOCKET, SERVICE)
                .flatMap(unit -> Stream.of(
                        "deb-systemd-helper unmask " + unit,
                        "deb-systemd-helper --quiet was-enabled " + unit,
                        "deb-systemd-helper enable " + unit))
                .toList();
    }

    private static List<String> with(List<String> first, String... more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(List.of(more));
        return all;
    }

    @Test
    void an_installation_enables_and_starts_the_socket_before_the_service() throws Exception {
        assertThat(run("postinst", "configure", ""))
                .isEqualTo(with(
                        enabled(),
                        "systemctl --system daemon-reload",
                        "deb-systemd-invoke start " + SOCKET + " " + SERVICE));
    }

    @Test
    void an_upgrade_restarts_the_service_and_leaves_the_socket_open() throws Exception {
        assertThat(run("prerm", "upgrade", "2")).isEmpty();
        assertThat(run("postrm", "upgrade", "2")).isEmpty();

        assertThat(run("postinst", "configure", "1"))
                .isEqualTo(with(
                        enabled(),
                        "systemctl --system daemon-reload",
                        "deb-systemd-invoke start " + SOCKET,
                        "deb-systemd-invoke restart " + SERVICE,
                        "systemctl is-active --quiet counters-proxy.service",
                        "deb-systemd-invoke restart counters-proxy.service"));
        program("systemctl", 3);
        assertThat(run("postinst", "configure", "1"))
                .as("a proxy that does not run stays so")
                .endsWith("systemctl is-active --quiet counters-proxy.service");
    }

    @Test
    void settings_that_the_administrator_has_removed_do_not_stop_an_upgrade() throws Exception {
        // dpkg does not bring them back.
        program("chown", 1);
        program("dpkg-statoverride", 1);
        run("postinst", "configure", "1");

        program("chown", 0);
        Path settings = Files.createFile(folder.resolve("collector.conf"));
        run("postinst", "configure", "1");
        assertThat(calls).content().contains("chown root:counters " + settings + "\n", "chmod 0640 " + settings + "\n");
    }

    @Test
    void what_the_administrator_has_disabled_is_not_enabled_again() throws Exception {
        program("deb-systemd-helper", 1);

        assertThat(run("postinst", "configure", "1"))
                .contains("deb-systemd-helper update-state " + SERVICE)
                .doesNotContain("deb-systemd-helper enable " + SERVICE);
    }

    @Test
    void a_removal_stops_the_socket_with_the_service_and_a_purge_forgets_both() throws Exception {
        assertThat(run("prerm", "remove"))
                .containsExactly("deb-systemd-invoke stop counters-proxy.service " + SERVICE + " " + SOCKET);
        assertThat(run("postrm", "remove")).containsExactly("systemctl --system daemon-reload");
        assertThat(run("postrm", "purge"))
                .containsExactly(
                        "deb-systemd-helper purge " + SOCKET + " " + SERVICE + " counters-proxy.service",
                        "deb-systemd-helper unmask " + SOCKET + " " + SERVICE + " counters-proxy.service",
                        "rm -f " + folder.resolve("system/multi-user.target.wants/counters-proxy.service"));
        assertThat(Files.readString(calls)).contains("rm -rf /var/lib/counters\n");
    }

    @Test
    void a_purge_leaves_the_link_to_a_unit_of_the_administrator() throws Exception {
        Path link = folder.resolve("system/multi-user.target.wants/counters-proxy.service");
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Files.createFile(folder.resolve("counters-proxy.service")));

        assertThat(run("postrm", "purge")).noneMatch(call -> call.startsWith("rm -f"));
    }
}
