package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import com.sun.tools.attach.VirtualMachine;
import io.counters.fixture.ByRule;
import io.counters.fixture.Guarded;
import io.counters.fixture.Marked;
import io.counters.fixture.Running;
import io.counters.fixture.SendsItself;
import io.counters.fixture.Undeployed;
import io.counters.fixture.WithApi;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the agent behaves in the JVM of an application. */
class AgentIT {
    private static final List<Path> FIXTURES = List.of(ChildJvm.FIXTURES);
    private static final List<Path> WITH_API = List.of(ChildJvm.FIXTURES, ChildJvm.CORE);

    @TempDir
    Path folder = Path.of("");

    @Test
    void the_api_and_the_annotation_add_up_under_one_name() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child =
                    ChildJvm.run(receiver.arguments(), WITH_API, WithApi.class).well();

            assertThat(receiver.sums()).containsEntry("both", 10L);
            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err()).contains("Counters.start does nothing: the agent already sends");
        }
    }

    @Test
    @EnabledForJreRange(max = JRE.JAVA_23, disabledReason = "newer JVMs have no security managers")
    void the_agent_counts_under_a_security_manager_that_permits_the_application_nothing() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments(), FIXTURES, Guarded.class, "-Djava.security.manager=allow")
                    .well();

            assertThat(receiver.sums()).isEqualTo(Map.of("guarded", 3L));
            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err().lines().filter(line -> line.startsWith("counters: ")))
                    .hasSize(1);
        }
    }

    @Test
    void the_loader_of_an_undeployed_application_is_collected() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), FIXTURES, Undeployed.class)
                    .well();

            assertThat(receiver.sums()).isEqualTo(Map.of("undeployed", 1L));
            assertThat(child.out()).isEqualTo("gone");
        }
    }

    @Test
    void rules_count_the_methods_that_they_name_in_the_application_and_in_the_jdk() throws Exception {
        String rules = "methods='io.counters.fixture.ByRule#named = by.rule,kind=a exit;"
                + "io.counters.fixture.ByRule#<init>;io.counters.fixture.ByRule$Whole;"
                + "java.util.StringJoiner#add = joined;no such rule;pkg.*#all'";
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments() + "," + rules, FIXTURES, ByRule.class)
                    .well();

            assertThat(receiver.sums())
                    .containsEntry("by.rule,kind=a", 2L)
                    .containsEntry("io.counters.fixture.ByRule.new", 3L)
                    .containsEntry("io.counters.fixture.ByRule.Whole.open", 1L)
                    .containsEntry("joined", 2L)
                    .hasSize(4);
            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err())
                    .contains("rules besides @Count: 5")
                    .containsOnlyOnce("rule \"no such rule\" is ignored")
                    .doesNotContain("rule \"pkg.*#all\" is ignored");
        }
    }

    @Test
    void without_a_class_that_counts_no_bridge_is_defined_and_nothing_is_sent() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), FIXTURES, ByRule.class, "-Xlog:class+load")
                    .well();

            assertThat(receiver.sums()).isEmpty();
            assertThat(child.out())
                    .contains("io.counters.agent.weave.ConstantPool")
                    .doesNotContain("CountersCells")
                    .doesNotContain("io.counters.emit.Emitter ")
                    .doesNotContain("io.counters.agent.asm")
                    .doesNotContain("io.counters.agent.weave.Hierarchy")
                    .doesNotContain("java.util.logging")
                    .doesNotContain("Agent$$Lambda");
            assertThat(lines(child.err())).hasSize(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1:9", "no-such-host.invalid:11212"})
    void an_unreachable_collector_is_logged_once(String collector) throws Exception {
        String agent = ChildJvm.AGENT + "=sweep=10,collector=" + collector;
        ChildJvm child = ChildJvm.start(List.of(agent), WITH_API, Running.class.getName());

        await().until(() -> child.errSoFar().contains("collector " + collector));

        ChildJvm.Ended ended = child.hangUp().await().well();
        assertThat(ended.out()).isEqualTo("ready\n");
        assertThat(lines(ended.err()))
                .filteredOn(line -> line.startsWith("counters: collector " + collector))
                .hasSize(1);
    }

    @Test
    void each_bad_setting_is_logged_in_one_line_and_the_application_runs() throws Exception {
        ChildJvm.Ended child = ChildJvm.run(
                        "sweep=often,colector=here,collector='a b',settings=nowhere.conf", FIXTURES, ByRule.class)
                .well();

        assertThat(child.out()).isEqualTo("done");
        assertThat(lines(child.err()))
                .hasSize(5)
                .anyMatch(line -> line.contains("sweep is often"))
                .anyMatch(line -> line.contains("colector is not a setting; did you mean collector="))
                .anyMatch(line -> line.contains("collector is \"a b\""))
                .anyMatch(line -> line.contains("settings is nowhere.conf, which cannot be read"));
    }

    @Test
    void with_strict_a_bad_setting_stops_the_application() throws Exception {
        ChildJvm.Ended child = ChildJvm.run("strict=true,sweep=often", FIXTURES, ByRule.class);

        assertThat(child.status()).isNotZero();
        assertThat(child.out()).doesNotContain("done");
    }

    @Test
    void a_disabled_agent_installs_nothing_and_logs_that() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments() + ",enabled=false", FIXTURES, Marked.class)
                    .well();

            assertThat(receiver.sums()).isEmpty();
            assertThat(lines(child.err())).singleElement().asString().contains("is switched off");
        }
    }

    @Test
    void a_second_agent_logs_one_line_and_nothing_is_counted_twice() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments(), WITH_API, WithApi.class, ChildJvm.AGENT + "=" + receiver.arguments())
                    .well();

            assertThat(receiver.sums()).containsEntry("both", 10L);
            assertThat(child.err()).containsOnlyOnce("is already in this JVM");
        }
    }

    @Test
    void messages_are_written_to_the_log_file_and_settings_are_read_from_the_settings_file() throws Exception {
        Path log = folder.resolve("agent.log");
        Path settings = Files.writeString(
                folder.resolve("counters.conf"),
                "# rules\nmethods = io.counters.fixture.ByRule#named = first\n"
                        + "methods = io.counters.fixture.ByRule#unnamed = second,of=two\nlog = " + log + "\n");
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments() + ",settings=" + settings, FIXTURES, ByRule.class)
                    .well();

            assertThat(receiver.sums()).containsOnly(entry("first", 2L), entry("second,of=two", 1L));
            assertThat(child.err()).isEmpty();
            assertThat(log).content().contains("rules besides @Count: 2");
        }
    }

    @Test
    void an_attached_agent_sends_earlier_counts_and_instruments_loaded_classes() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(List.of(), WITH_API, Running.class.getName());
            await().until(() -> child.outSoFar().contains("ready"));

            VirtualMachine attached = VirtualMachine.attach(Long.toString(child.pid()));
            attached.loadAgent(System.getProperty("counters.jar"), receiver.arguments());
            attached.detach();
            ChildJvm.Ended ended = child.hangUp().await().well();

            assertThat(receiver.sums())
                    .as(ended.err())
                    .containsEntry("running.api", 5L)
                    .containsEntry("running.marked", 1L);
        }
    }

    @Test
    void an_attached_agent_does_not_send_the_counts_that_the_application_sends_itself() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(
                    List.of("-Down.collector=" + receiver.address()), WITH_API, SendsItself.class.getName());
            await().until(() -> child.outSoFar().contains("ready"));

            VirtualMachine attached = VirtualMachine.attach(Long.toString(child.pid()));
            attached.loadAgent(System.getProperty("counters.jar"), receiver.arguments());
            attached.detach();
            ChildJvm.Ended ended = child.hangUp().await().well();

            assertThat(receiver.sums()).as(ended.err()).containsEntry("own.api", 5L);
            assertThat(lines(ended.err())).anyMatch(line -> line.contains("sends its own counts"));
        }
    }

    private static List<String> lines(String text) {
        return text.lines().filter(line -> line.startsWith("counters: ")).toList();
    }
}
