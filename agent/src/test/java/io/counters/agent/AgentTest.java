package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Properties;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AgentTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdk.compiler/com.sun.tools.javac.Main -version",
                "jdk.jcmd/sun.tools.jps.Jps",
                "java.base/sun.security.tools.keytool.Main -list",
                "java.rmi/sun.rmi.registry.RegistryImpl 1099",
                "jdk.jshell/jdk.internal.jshell.tool.JShellToolProvider",
                "jdk.jshell.execution.RemoteExecutionControl 33333",
                "com.sun.tools.javac.Main -version",
                "sun.tools.jps.Jps"
            })
    void programs_of_the_jdk_are_tools(String command) {
        assertThat(Agent.isTool(command)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "io.counters.demo.Shop",
                "app.jar --server",
                "jdk.apps/app.jar",
                "jdk.apps/bin/app.jar",
                "org.apache.derby.server/org.apache.derby.drda.NetworkServerControl start",
                "jdk.compiler/com.sun.tools.javac.launcher.Main Hello.java",
                "jdk.compiler/com.sun.tools.javac.launcher.SourceLauncher Hello.java",
                "javac.of.ours.Main jdk.jcmd/sun.tools.jps.Jps"
            })
    void main_classes_of_applications_are_not_tools(String command) {
        assertThat(Agent.isTool(command)).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"1.8, 8", "9, 9", "17, 17", "25, 25", "unheard.of, 8"})
    void the_java_version_is_read_from_the_properties(String specification, int feature) {
        Properties properties = new Properties();
        properties.setProperty("java.specification.version", specification);

        assertThat(Agent.feature(properties)).isEqualTo(feature);
    }
}
