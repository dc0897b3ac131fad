package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.ByRule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tools of the JDK, when JAVA_TOOL_OPTIONS starts the agent in every JVM. */
class ToolsIT {
    private static final Map<String, String> EVERYWHERE =
            Map.of("JAVA_TOOL_OPTIONS", ChildJvm.AGENT + "=collector=127.0.0.1:9");

    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @CsvSource({
        "javac, -version",
        "javap, -version",
        "jar, --version",
        "jps, -q",
        "jcmd, -l",
        "keytool, -help",
        "jdeps, --version",
        "jlink, --version",
        "jarsigner, -version",
        "serialver, java.lang.String",
        "jfr, version",
        "jinfo, -h"
    })
    void in_a_tool_the_agent_prints_nothing(String tool, String argument) throws Exception {
        ChildJvm.Ended ended =
                ChildJvm.start(tool, List.of(argument), EVERYWHERE).await();

        assertThat(ended.err()).contains("Picked up JAVA_TOOL_OPTIONS");
        assertThat(ended.out() + ended.err()).doesNotContain("counters: ");
    }

    @Test
    void in_a_tool_without_arguments_the_agent_prints_nothing() throws Exception {
        ChildJvm.Ended ended = ChildJvm.start("jps", List.of(), EVERYWHERE).await();

        assertThat(ended.well().err()).doesNotContain("counters: ");
    }

    @Test
    void in_jshell_and_the_jvm_that_it_starts_the_agent_prints_nothing() throws Exception {
        Path script = Files.writeString(folder.resolve("a.jsh"), "System.out.println(6 * 7)\n/exit\n");

        ChildJvm.Ended ended =
                ChildJvm.start("jshell", List.of(script.toString()), EVERYWHERE).await();

        assertThat(ended.out()).contains("42");
        assertThat(ended.out() + ended.err()).doesNotContain("counters: ");
    }

    @Test
    void in_an_application_and_in_a_source_file_that_java_runs_the_agent_starts() throws Exception {
        Path source = Files.writeString(
                folder.resolve("Hello.java"), "class Hello { public static void main(String[] a) { } }");

        ChildJvm.Ended ofSource =
                ChildJvm.start("java", List.of(source.toString()), EVERYWHERE).await();
        ChildJvm.Ended ofClass = ChildJvm.start(
                        "java", List.of("-cp", ChildJvm.FIXTURES.toString(), ByRule.class.getName()), EVERYWHERE)
                .await();

        assertThat(ofSource.well().err()).contains("counters: agent ");
        assertThat(ofClass.well().err()).contains("counters: agent ");
    }
}
