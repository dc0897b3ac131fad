package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.tools.attach.VirtualMachine;
import io.counters.fixture.Early;
import io.counters.fixture.Redefined;
import io.counters.fixture.Running;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classes that are redefined, deployed again or generated, together with another agent. */
class RedefinedIT {
    private static final List<Path> WITH_API = List.of(ChildJvm.FIXTURES, ChildJvm.CORE);

    @TempDir
    Path folder = Path.of("");

    private String other = "";

    @BeforeEach
    void makeTheOtherAgent() throws Exception {
        other = agent(Redefined.class);
    }

    private String agent(Class<?> premain) throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Premain-Class", premain.getName());
        manifest.getMainAttributes().putValue("Can-Redefine-Classes", "true");
        manifest.getMainAttributes().putValue("Can-Retransform-Classes", "true");
        Path jar = folder.resolve(premain.getSimpleName() + ".jar");
        try (OutputStream out = Files.newOutputStream(jar)) {
            new JarOutputStream(out, manifest).close();
        }
        return "-javaagent:" + jar;
    }

    @Test
    void a_redefined_class_and_a_redeployed_class_continue_in_the_same_counter() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(receiver.arguments(), WITH_API, Redefined.class, other).well();

            assertThat(receiver.sums()).containsEntry("redefined", 4L);
        }
    }

    @Test
    void a_class_that_the_jvm_refuses_to_change_is_logged_and_the_rest_counts() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(List.of(other), WITH_API, Running.class.getName());
            await().until(() -> child.outSoFar().contains("ready"));

            VirtualMachine attached = VirtualMachine.attach(Long.toString(child.pid()));
            attached.loadAgent(System.getProperty("counters.jar"), receiver.arguments());
            attached.detach();
            ChildJvm.Ended ended = child.hangUp().await().well();

            assertThat(ended.err())
                    .contains("class " + Running.class.getName()
                            + " is already loaded, and the JVM refuses to change it (");
            assertThat(receiver.sums())
                    .as(ended.err())
                    .containsEntry("running.api", 5L)
                    .doesNotContainKey("running.marked");
        }
    }

    @Test
    void a_class_that_another_agent_generated_at_run_time_is_unchanged_and_not_logged() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), WITH_API, Early.class, agent(Early.class))
                    .well();

            assertThat(child.out()).isEqualTo("done");
            assertThat(child.err().lines())
                    .satisfiesExactly(
                            first -> assertThat(first).startsWith("counters: agent "),
                            second -> assertThat(second).contains("; instrumented now: 1."));
            assertThat(receiver.sums()).isEqualTo(Map.of("early.counted", 1L));
        }
    }
}
