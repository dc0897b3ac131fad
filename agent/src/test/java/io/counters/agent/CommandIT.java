package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.counters.fixture.Running;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The commands of {@code java -jar counters.jar}. */
class CommandIT {
    private static final List<Path> WITH_API = List.of(ChildJvm.FIXTURES, ChildJvm.CORE);

    @Test
    void help_and_version_are_printed_to_stdout() throws Exception {
        ChildJvm.Ended help = counters("help").well();
        assertThat(help.out()).startsWith("usage: java -jar counters.jar").contains("attach PID", "list APP");
        assertThat(counters("--help")).isEqualTo(help);

        ChildJvm.Ended version = counters("version").well();
        assertThat(version.out()).matches("counters \\d\\S+\n");
        assertThat(version.err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "atach 1", "attach", "attach 1 2 3", "attach me"})
    void a_wrong_command_line_prints_to_stderr_and_exits_with_2(String line) throws Exception {
        ChildJvm.Ended ended = counters(line.isEmpty() ? new String[0] : line.split(" ", -1));

        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).isNotEmpty();
    }

    @Test
    void attach_counts_in_a_running_jvm_and_prints_what_the_agent_logged_there() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(List.of(), WITH_API, Running.class.getName());
            await().until(() -> child.outSoFar().contains("ready"));
            String pid = Long.toString(child.pid());

            ChildJvm.Ended first = counters("attach", pid, receiver.arguments()).well();
            ChildJvm.Ended second = counters("attach", pid, receiver.arguments());
            child.hangUp().await().well();

            assertThat(first.out()).contains("counters: agent ", "sends to " + receiver.address());
            assertThat(first.out().contains("EnableDynamicAgentLoading"))
                    .isEqualTo(Runtime.version().feature() >= 21);
            assertThat(second.status()).isEqualTo(1);
            assertThat(second.out()).contains("is already in this JVM");
            assertThat(receiver.sums()).isEqualTo(Map.of("running.api", 5L, "running.marked", 1L));
        }
    }

    @Test
    void attach_with_bad_settings_fails_and_prints_the_reason() throws Exception {
        ChildJvm child = ChildJvm.start(List.of(), WITH_API, Running.class.getName());
        await().until(() -> child.outSoFar().contains("ready"));

        ChildJvm.Ended strict = counters("attach", Long.toString(child.pid()), "collector=a b,strict=true");
        ChildJvm.Ended off = counters("attach", Long.toString(child.pid()), "enabled=false");
        child.hangUp().await().well();

        assertThat(strict.status()).isEqualTo(1);
        assertThat(strict.out()).contains("collector is \"a b\"");
        assertThat(strict.err()).contains("refused the agent");
        assertThat(off.status()).isEqualTo(1);
        assertThat(off.out()).contains("is switched off");
    }

    @Test
    void attach_to_a_jvm_that_refuses_or_does_not_exist_fails_and_prints_the_remedy() throws Exception {
        ChildJvm child = ChildJvm.start(List.of("-XX:+DisableAttachMechanism"), WITH_API, Running.class.getName());
        await().until(() -> child.outSoFar().contains("ready"));
        long pid = child.pid();

        ChildJvm.Ended refused = counters("attach", Long.toString(pid));
        child.hangUp().await().well();
        ChildJvm.Ended gone = counters("attach", Long.toString(pid));

        for (ChildJvm.Ended ended : List.of(refused, gone)) {
            assertThat(ended.status()).isEqualTo(1);
            assertThat(ended.err())
                    .contains("could not attach to process " + pid, "-javaagent:counters.jar", "DisableAttachMechanism")
                    .doesNotContain("\tat ");
        }
    }

    @Test
    void attach_with_a_java_without_the_attach_module_fails_and_names_the_java_to_use() throws Exception {
        ChildJvm.Ended ended =
                java("--limit-modules=java.base", "-jar", System.getProperty("counters.jar"), "attach", "1");

        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.err())
                .contains("has no jdk.attach module", "the java of a JDK")
                .doesNotContain("\tat ");
    }

    static ChildJvm.Ended counters(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("-jar", System.getProperty("counters.jar")));
        all.addAll(List.of(arguments));
        return java(all.toArray(new String[0]));
    }

    private static ChildJvm.Ended java(String... arguments) throws Exception {
        return ChildJvm.start("java", List.of(arguments), Map.of()).await();
    }
}
