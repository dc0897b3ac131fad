package io.counters.maven;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.testsupport.Program;
import java.io.File;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real Maven builds a project with the plugin, and the project's program runs. */
class WeaveMojoIT {
    private static final String VERSION = System.getProperty("counters.version");
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Path PROJECT = Path.of("src", "test", "project");
    private static final Path REPOSITORY = Path.of("target", "repository").toAbsolutePath();
    private static final Path CORE_JAR = ROOT.resolve("core/target/counters-core-" + VERSION + ".jar");
    private static final Path AGENT_JAR = ROOT.resolve("agent/target/counters.jar");

    @TempDir
    Path folder = Path.of("");

    /**
     * Creates a local repository with the artifacts of this build, and links to everything else in the local repository of
     * this build. Nothing is installed there.
     */
    @BeforeAll
    static void createRepository() throws IOException {
        Path real = Path.of(System.getProperty("local.repository"));
        Files.createDirectories(REPOSITORY.resolve("io"));
        link(real, REPOSITORY, "io");
        link(real.resolve("io"), REPOSITORY.resolve("io"), "counters");
        install("counters-core", CORE_JAR, ROOT.resolve("core"));
        install("counters-agent", AGENT_JAR, ROOT.resolve("agent"));
        install(
                "counters-maven-plugin",
                Path.of("target", "counters-maven-plugin-" + VERSION + ".jar"),
                ROOT.resolve("maven-plugin"));
    }

    private static void link(Path from, Path to, String except) throws IOException {
        try (Stream<Path> entries = Files.list(from)) {
            for (Path entry : entries.toList()) {
                Path link = to.resolve(entry.getFileName());
                if (!entry.getFileName().toString().equals(except) && !Files.exists(link)) {
                    Files.deleteIfExists(link);
                    Files.createSymbolicLink(link, entry);
                }
            }
        }
    }

    private static void install(String artifact, Path jar, Path module) throws IOException {
        Path to = REPOSITORY.resolve(Path.of("io", "counters", artifact, VERSION));
        Files.createDirectories(to);
        String name = artifact + "-" + VERSION;
        Files.copy(jar, to.resolve(name + ".jar"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(
                module.resolve(Path.of("target", ".flattened-pom.xml")),
                to.resolve(name + ".pom"),
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void a_project_is_woven_when_it_is_built_and_its_program_counts_without_the_agent() throws Exception {
        copyProject();
        Path orders = folder.resolve(Path.of("target", "classes", "shop", "Orders.class"));

        assertThat(maven(0))
                .anyMatch(line -> line.contains("methods that count: 2, classes: 1, class files written: 1"));
        Map<String, Long> expected = Map.of("orders.placed", 10L, "orders.shipped", 1L);
        assertThat(run("")).isEqualTo(expected);
        assertThat(run("methods=shop.Orders#ship = twice")).isEqualTo(expected);

        Files.setLastModifiedTime(orders, FileTime.fromMillis(2_000_000_000_000L));
        assertThat(maven(0)).anyMatch(line -> line.contains("class files written: 0"));
        assertThat(Files.getLastModifiedTime(orders).toMillis()).isEqualTo(2_000_000_000_000L);

        Files.writeString(folder.resolve("counters.conf"), "methods = shop.Orders#ship = shipped.{app}\napp = x\n");
        assertThat(maven(0)).anyMatch(line -> line.contains("class files written: 1"));
        assertThat(run("")).isEqualTo(Map.of("orders.placed", 10L, "shipped.x", 1L));

        Files.writeString(folder.resolve("counters.conf"), "methods = shop.Orders#ship = shipped.{host}\n");
        assertThat(maven(1))
                .anyMatch(line -> line.contains("[ERROR] shop.Orders.ship: a name with {host}"))
                .anyMatch(line -> line.contains("something that is marked will not count"));
    }

    @Test
    void a_build_fails_if_the_program_will_not_have_the_api() throws Exception {
        copyProject();
        Path pom = folder.resolve("pom.xml");
        String text = Files.readString(pom);
        Files.writeString(
                pom, text.replace("</version>\n    </dependency>", "</version>\n<scope>provided</scope></dependency>"));

        assertThat(Files.readString(pom)).isNotEqualTo(text);
        assertThat(maven(1))
                .anyMatch(
                        line -> line.contains("[ERROR] the class path at run time does not contain io.counters.Woven"));
    }

    @Test
    void a_second_execution_with_other_settings_is_refused() throws Exception {
        copyProject();
        Path pom = folder.resolve("pom.xml");
        String text = Files.readString(pom);
        Files.writeString(pom, text.replace("<executions>", """
                        <executions>
                          <execution>
                            <id>first</id>
                            <goals><goal>weave</goal></goals>
                            <configuration><app>shop</app></configuration>
                          </execution>
                        """));

        assertThat(Files.readString(pom)).isNotEqualTo(text);
        assertThat(maven(1)).anyMatch(line -> line.contains("weave is executed twice in this project"));
    }

    private void copyProject() throws IOException {
        try (Stream<Path> files = Files.walk(PROJECT)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path to = folder.resolve(PROJECT.relativize(file));
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
    }

    /** Builds the project up to its classes, offline, and returns the output. */
    private List<String> maven(int status) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "JAVA_HOME=" + System.getProperty("java.home"),
                Path.of(System.getProperty("maven.home"), "bin", "mvn").toString(),
                "-B",
                "-o",
                "-f",
                folder.toString(),
                "-Dmaven.repo.local=" + REPOSITORY,
                "-Dcounters.version=" + VERSION,
                "process-classes"));
        try (Program maven = Program.start(command)) {
            assertThat(maven.awaitEnd()).as(maven.toString()).isEqualTo(status);
            return maven.output();
        }
    }

    /**
     * Runs the project's program, and returns what it sent: the last total of each name, because it has one stream. If it
     * ends before its last sweep, on a busy machine, it runs again.
     *
     * @param agent settings of the agent; empty to run without the agent
     */
    private Map<String, Long> run(String agent) {
        return await().atMost(Duration.ofMinutes(1)).until(() -> runOnce(agent), totals -> !totals.isEmpty());
    }

    private Map<String, Long> runOnce(String agent) throws Exception {
        Map<String, Long> totals = new TreeMap<>();
        try (DatagramSocket collector = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + collector.getLocalPort();
            List<String> arguments = new ArrayList<>();
            if (agent.isEmpty()) {
                // As in a small runtime image: without java.instrument.
                arguments.addAll(List.of("--limit-modules", "java.base"));
            } else {
                arguments.add("-javaagent:" + AGENT_JAR + "=collector=" + address + "," + agent);
            }
            arguments.add("-cp");
            arguments.add(folder.resolve(Path.of("target", "classes")) + File.pathSeparator + CORE_JAR);
            arguments.add("shop.Orders");
            arguments.add(address);
            try (Program program = Program.java(arguments)) {
                assertThat(program.awaitEnd()).as(program.toString()).isZero();
            }
            collector.setSoTimeout(1);
            Pattern line = Pattern.compile("increment (\\S+) \\d+ (\\d+)");
            while (true) {
                DatagramPacket packet = new DatagramPacket(new byte[2000], 2000);
                try {
                    collector.receive(packet);
                } catch (SocketTimeoutException drained) {
                    return totals;
                }
                Matcher lines = line.matcher(new String(packet.getData(), 0, packet.getLength(), US_ASCII));
                while (lines.find()) {
                    totals.merge(lines.group(1), Long.parseLong(lines.group(2)), Math::max);
                }
            }
        }
    }

    @Test
    void the_example_in_the_document_is_a_part_of_this_project() throws IOException {
        String page = Files.readString(ROOT.resolve(Path.of("docs", "weaving.md")));
        Matcher example = Pattern.compile("(?s)```xml\n(.*?)```").matcher(page);

        assertThat(example.find()).isTrue();
        assertThat(squeezed(Files.readString(PROJECT.resolve("pom.xml")))).contains(squeezed(example.group(1)));
    }

    private static String squeezed(String text) {
        return text.replaceAll("\\s+", "");
    }
}
