package io.counters.packaging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.counters.testsupport.Ports;
import io.counters.testsupport.Program;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the Dockerfile does, without Docker: the runtime with a list of modules, and the health check, by the built jar. */
@Tag("once")
class ImageIT {
    private static final Path JDK = Path.of(System.getProperty("java.home"));
    private static final Path JAR =
            Path.of("..", "collector", "target", "collector.jar").toAbsolutePath();

    @TempDir
    Path folder;

    private static String modules() throws Exception {
        return Files.readAllLines(Path.of("docker", "modules")).stream()
                .filter(line -> !line.startsWith("#"))
                .collect(Collectors.joining(","));
    }

    @Test
    void the_list_has_the_modules_that_our_classes_name() throws Exception {
        String needed = Shell.run(
                JDK.resolve("bin/jdeps").toString(),
                "--print-module-deps",
                "--ignore-missing-deps",
                Path.of("..", "collector", "target", "original-collector.jar").toString());

        Set<String> listed = new TreeSet<>(Arrays.asList(modules().split(",")));
        assertThat(listed).containsAll(Arrays.asList(needed.strip().split(",")));
    }

    @Test
    void a_collector_runs_on_the_linked_runtime_and_its_health_is_checked() throws Exception {
        assumeTrue(Files.isDirectory(JDK.resolve("jmods")), "this JDK has no modules to link");
        Path runtime = folder.resolve("runtime");
        Shell.run(
                JDK.resolve("bin/jlink").toString(),
                "--add-modules",
                modules(),
                "--strip-java-debug-attributes",
                "--no-header-files",
                "--no-man-pages",
                "--output",
                runtime.toString());
        List<String> arguments = List.of(
                "-Xmx128m",
                "-jar",
                JAR.toString(),
                "--bind=127.0.0.1",
                "--udp-port=0",
                "--http-port=" + Ports.reserve(),
                "--otlp-port=0",
                "--unix=" + folder.resolve("counters.sock"),
                "--data-dir=" + folder.resolve("data"));
        Path health = Path.of("docker", "healthy").toAbsolutePath();

        try (Program collector = Program.java(runtime, arguments)) {
            String port =
                    collector.awaitLine("page: +http://127\\.0\\.0\\.1:(\\d+)/").group(1);
            collector.awaitLine("points:");

            Shell.run(health.toString(), port);
            Shell.run(health.toString(), port, "/readyz");
            assertThat(Shell.succeeds(health.toString(), port, "/nothing")).isFalse();
            assertThat(collector.stop()).isEqualTo(143);
            assertThat(Shell.succeeds(health.toString(), port)).isFalse();
            assertThat(collector.errors()).noneMatch(line -> line.contains(" WARN ") || line.contains(" ERROR "));
        }
        assertThat(new File(runtime.toFile(), "lib/modules")).exists();
    }
}
