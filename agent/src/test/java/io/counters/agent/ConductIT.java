package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import io.counters.fixture.ByRule;
import io.counters.fixture.Names;
import io.counters.fixture.Running;
import io.counters.fixture.Threads;
import io.counters.fixture.Tick;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the agent leaves unchanged in the application's JVM, and that the application runs if the agent cannot start. */
class ConductIT {
    private static final List<Path> FIXTURES = List.of(ChildJvm.FIXTURES);
    private static final List<Path> WITH_API = List.of(ChildJvm.FIXTURES, ChildJvm.CORE);

    @TempDir
    Path folder = Path.of("");

    @Test
    void threads_of_the_agent_are_daemons_that_inherit_nothing_and_the_application_sets_the_log_manager()
            throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child =
                    ChildJvm.run(receiver.arguments(), FIXTURES, Threads.class).well();

            assertThat(child.out().lines().filter(line -> line.startsWith("counters-")))
                    .hasSizeGreaterThanOrEqualTo(2)
                    .anyMatch(line -> line.startsWith("counters-watch "))
                    .allMatch(line -> line.contains(" daemon=true ") && line.endsWith(" context=null"))
                    .noneMatch(line -> line.contains("group=application"));
            assertThat(child.out()).contains("log manager Manager\n", "beans ");
            assertThat(receiver.sums()).containsOnly(entry("threads.marked", 1L));
        }
    }

    @Test
    void before_main_the_agent_uses_no_logging_no_management_and_no_name_server() throws Exception {
        String agent = ChildJvm.AGENT + "=collector=no-such-host.invalid:11212,sweep=10,debug=true";
        ChildJvm child = ChildJvm.start(List.of("-Xlog:class+load", agent), FIXTURES, Later.class.getName());
        await().until(() -> child.outSoFar().contains("ready"));
        child.tell("");
        await().until(() -> child.errSoFar().contains("collector no-such-host.invalid"));
        ChildJvm.Ended ended = child.hangUp().await().well();

        List<String> loads =
                ended.out().lines().filter(line -> line.contains(" source: ")).toList();
        int main = indexOf(loads, "ConductIT$Later ");
        assertThat(loads.subList(0, main))
                .anyMatch(line -> line.contains(" io.counters.agent.weave.Weaving "))
                .noneMatch(line -> line.contains(" java.net.InetAddress "));
        assertThat(loads.subList(main, loads.size())).anyMatch(line -> line.contains(" java.net.InetAddress "));
        assertThat(loads)
                .noneMatch(line -> line.contains(" java.util.logging."))
                .noneMatch(line -> line.contains(" java.lang.management."))
                .noneMatch(line -> line.contains(" sun.util.logging.internal"))
                .noneMatch(line -> line.contains(" java.lang.System$Logger"));
    }

    @Test
    void the_agent_opens_no_port() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(
                    List.of(ChildJvm.AGENT + "=" + receiver.arguments()), FIXTURES, Tick.class.getName());
            await().until(() -> child.outSoFar().contains("ready"));
            child.tell("");
            await().until(() -> receiver.sums().containsKey("tick.marked"));

            assertThat(listening(child.pid())).isEmpty();
            child.hangUp().await().well();
        }
    }

    @Test
    void the_number_of_names_is_bounded_and_reaching_the_bound_is_logged_once() throws Exception {
        try (Receiver receiver = new Receiver()) {
            String agent = ChildJvm.AGENT + "=" + receiver.arguments() + ",datagram=60000";
            ChildJvm running = ChildJvm.start(List.of(agent), WITH_API, Names.class.getName());
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> running.errSoFar().contains("more than 100000 counters"));
            // A sweep of all names may be more than the receiver's buffer takes; what is dropped is sent again.
            await().until(() -> receiver.sums().getOrDefault("counters.overflow", 0L) == 5);
            ChildJvm.Ended child = running.hangUp().await().well();

            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err())
                    .containsOnlyOnce("more than 100000 counters")
                    .containsOnlyOnce("Counters.start does nothing: the agent already sends");
        }
    }

    @Test
    void debug_prints_every_value_and_where_it_was_set() throws Exception {
        ChildJvm.Ended child = ChildJvm.run(
                        "debug=on,collector=127.0.0.1:9", FIXTURES, ByRule.class, "-Dcounters.sweep=2s")
                .well();

        assertThat(child.err())
                .contains("counters: collector = 127.0.0.1:9 (agent arguments)\n")
                .contains("counters: sweep = 2s (system property counters.sweep)\n")
                .contains("counters: datagram = ")
                .contains("counters: totals = on (default)\n")
                .contains("counters: enabled = true (default)\n");
    }

    @Test
    void with_strict_the_reason_is_printed_before_the_messages_of_the_jvm() throws Exception {
        ChildJvm.Ended child = ChildJvm.run("strict=true,sweep=often", FIXTURES, ByRule.class);

        assertThat(child.status()).isNotZero();
        assertThat(child.err().lines().findFirst().orElse("")).startsWith("counters: agent arguments: sweep is often");
    }

    @Test
    void an_agent_inside_an_applications_jar_does_not_start_and_the_application_runs() throws Exception {
        Path uber = JarFiles.ofCounters(folder.resolve("uber.jar"), FIXTURES, entry -> true);

        ChildJvm.Ended child = ChildJvm.start(List.of("-javaagent:" + uber), List.of(uber), ByRule.class.getName())
                .await()
                .well();

        assertThat(child.out()).isEqualTo("done");
        assertThat(child.err().lines())
                .singleElement()
                .asString()
                .contains("the agent did not start", "uber.jar also contains", "is not counters.jar");
    }

    @ParameterizedTest
    @ValueSource(strings = {"agent/Agent.classdata", "settings/Settings.classdata", "weave/Weaving.classdata"})
    void an_agent_with_a_missing_class_logs_one_line_and_the_application_runs(String part) throws Exception {
        Path torn = JarFiles.ofCounters(folder.resolve("torn.jar"), List.of(), entry -> !entry.endsWith(part));

        ChildJvm.Ended child = ChildJvm.start(List.of("-javaagent:" + torn), FIXTURES, ByRule.class.getName())
                .await()
                .well();

        assertThat(child.out()).isEqualTo("done");
        assertThat(child.err().lines())
                .singleElement()
                .asString()
                .contains("the agent did not start; the application continues without it");
    }

    @Test
    void an_executable_jar_whose_manifest_names_the_agent_starts_it() throws Exception {
        Files.copy(Path.of(System.getProperty("counters.jar")), folder.resolve("counters.jar"));
        for (String retransform : List.of("true", "false")) {
            Path app = JarFiles.ofFixtures(
                    folder.resolve("app.jar"),
                    "Main-Class: " + Running.class.getName(),
                    "Class-Path: counters.jar " + ChildJvm.CORE.toUri(),
                    "Launcher-Agent-Class: io.counters.agent.Premain",
                    "Can-Retransform-Classes: " + retransform);
            try (Receiver receiver = new Receiver()) {
                Map<String, String> environment =
                        Map.of("COUNTERS_COLLECTOR", receiver.address(), "COUNTERS_SWEEP", "50ms");

                ChildJvm.Ended child = ChildJvm.start("java", List.of("-jar", app.toString()), environment)
                        .hangUp()
                        .await()
                        .well();

                assertThat(receiver.sums()).as(child.err()).isEqualTo(Map.of("running.api", 5L, "running.marked", 2L));
                assertThat(child.err().lines().filter(line -> line.startsWith("counters: ")))
                        .hasSize(1);
            }
        }
    }

    @Test
    void rules_count_loaded_classes_of_the_jdk_except_those_that_counting_uses() throws Exception {
        String rules = "methods='java.util.ArrayList#ensureCapacity = ensured;java.lang.Thread#currentThread;"
                + "java.util.concurrent.ThreadLocalRandom#current = random;java.nio.file.FileSystems#getDefault = fs;"
                + "java.lang.invoke.MethodHandles#lookup;java.util.LinkedHashMap#get = got'";
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments() + "," + rules, FIXTURES, JdkCalls.class)
                    .well();

            assertThat(receiver.sums())
                    .containsEntry("ensured", 3L)
                    .doesNotContainKey("java.lang.Thread.currentThread");
            assertThat(child.err())
                    .containsOnlyOnce("rule \"java.lang.Thread#currentThread\" is ignored")
                    .doesNotContain("ClassCircularityError");
        }
    }

    /** Runs in the child. The first class that counts is loaded after main has begun. */
    static class Later {
        public static void main(String[] arguments) throws Exception {
            Tick.main(arguments);
        }
    }

    /** Runs in the child. */
    static class JdkCalls {
        public static void main(String[] arguments) {
            for (int i = 0; i < 3; i++) {
                new ArrayList<String>().ensureCapacity(i);
            }
        }
    }

    private static int indexOf(List<String> lines, String part) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).contains(part)) {
                return i;
            }
        }
        throw new AssertionError("no line has " + part);
    }

    /** The listening sockets of a process, including UDP sockets that are not connected. Linux only. */
    private static List<String> listening(long pid) throws Exception {
        List<String> inodes;
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/" + pid + "/fd"))) {
            inodes = descriptors
                    .map(descriptor -> {
                        try {
                            return Files.readSymbolicLink(descriptor).toString();
                        } catch (java.io.IOException closed) {
                            return "";
                        }
                    })
                    .filter(link -> link.startsWith("socket:["))
                    .map(link -> link.substring("socket:[".length(), link.length() - 1))
                    .toList();
        }
        assertThat(inodes).as("the sockets of the emitter").isNotEmpty();
        Stream<String> all = Stream.empty();
        for (String table : List.of("tcp", "tcp6", "udp", "udp6")) {
            Path of = Path.of("/proc/" + pid + "/net/" + table);
            all = Files.exists(of)
                    ? Stream.concat(all, Files.readAllLines(of).stream().skip(1))
                    : all;
        }
        return all.filter(line -> inodes.contains(line.trim().split("\\s+", -1)[9]))
                .filter(line -> line.trim().split("\\s+", -1)[2].endsWith(":0000"))
                .toList();
    }
}
