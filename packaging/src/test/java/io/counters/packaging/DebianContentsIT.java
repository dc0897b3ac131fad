package io.counters.packaging;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is in counters.deb, by the rules of Debian and by the program that it contains. Installs nothing. */
@Tag("once")
class DebianContentsIT {
    private static final Path DEB = Path.of("target", "counters.deb");

    private static List<String> found(String pattern, String text) {
        return Pattern.compile(pattern)
                .matcher(text)
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    @Test
    void lintian_has_nothing_to_say() throws Exception {
        assumeTrue(Shell.succeeds("lintian", "--version"), "no lintian");
        // Others have other rules, which would decide whether a build succeeds.
        assumeTrue(
                Shell.run("cat", "/etc/os-release").contains("VERSION_CODENAME=bookworm"),
                "not the lintian of Debian 12");

        // Only with --display-info it tells of an override that nothing needs any more.
        assertThat(Shell.run(
                        "lintian",
                        "--quiet",
                        "--display-info",
                        "--allow-root",
                        "--no-cfg",
                        "--profile=debian",
                        DEB.toString()))
                .isEmpty();
    }

    @Test
    void the_manual_page_has_every_command_and_no_other() throws Exception {
        String help = Shell.run(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                Path.of("..", "collector", "target", "collector.jar").toString(),
                "--help");
        List<String> commands = found("(?m)^  ([a-z-]+) +\\S", help.substring(help.indexOf("\nCommands, ")));

        assertThat(commands).contains("get", "simulate");
        assertThat(found("(?m)^\\.It Cm (\\S+)", Files.readString(Path.of("debian", "counters.1"))))
                .isEqualTo(commands);
    }

    @Test
    void the_package_and_its_changelog_have_the_version_of_the_project() throws Exception {
        assumeTrue(Shell.succeeds("dpkg-deb", "--version"), "no dpkg-deb");
        String project = found("<version>(.*?)</version>", Files.readString(Path.of("pom.xml")))
                .get(0);
        String version = project.replace('-', '~') + "-1";

        assertThat(Shell.run("dpkg-deb", "--field", DEB.toString(), "Version").strip())
                .isEqualTo(version);
        assertThat(changelog()).startsWith("counters (" + version + ") ").contains("Version " + project + ".");
    }

    private static String changelog() throws IOException {
        try (InputStream text =
                new GZIPInputStream(Files.newInputStream(Path.of("target", "debian", "changelog.Debian.gz")))) {
            return new String(text.readAllBytes(), UTF_8);
        }
    }
}
