package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Count;
import io.counters.agent.settings.Settings;
import io.counters.fixture.OnClass;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.ForkJoinWorkerThread;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WeavingTest {
    private final List<String> log = new ArrayList<>();
    private final Rules rules =
            Rules.read(Settings.read("methods=a.Missing#never", new Properties(), Map.of()), log::add);
    private final Weaving weaving =
            new Weaving(rules, new NameTemplates("host", "app", "", log::add), () -> true, String::length, log::add);

    @Test
    void a_class_without_marks_is_unchanged() throws Exception {
        assertThat(weave("some/Plain", bytesOf(WeavingTest.class))).isNull();
        assertThat(weaving.summary()).startsWith("classes scanned: 1, methods instrumented: 0");
    }

    @Test
    void a_marked_class_is_instrumented_and_its_methods_are_counted_in_the_summary() throws Exception {
        assertThat(weave("some/OnClass", bytesOf(OnClass.class))).isNotNull();
        assertThat(weaving.summary())
                .contains("methods instrumented: 4")
                .contains("that matched nothing: a.Missing#never");
    }

    @ParameterizedTest
    @ValueSource(strings = {"java/util/B", "io/counters/agent/B", "io/counters/emit/B"})
    void classes_of_the_jdk_and_of_the_agent_are_unchanged(String name) throws Exception {
        assertThat(weave(name, bytesOf(OnClass.class))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a/$Proxy12",
                "$Proxy0",
                "a/B$Proxy$_$$_WeldClientProxy",
                "a/B$$EnhancerBySpring",
                "a/B$MockitoMock$1",
                "a/B_Subclass",
                "a/B_ClientProxy",
                "a/B$ByteBuddy$x"
            })
    void a_generated_class_counts_for_no_pattern_and_a_compiled_class_with_such_a_name_does(String name)
            throws Exception {
        byte[] compiled = bytesOf(OnClass.class);
        ClassWriter writer = new ClassWriter(0);
        new ClassReader(compiled).accept(writer, ClassReader.SKIP_DEBUG);
        Weaving byPattern = new Weaving(
                Rules.read(Settings.read("methods=*#hidden = pattern", new Properties(), Map.of()), log::add),
                new NameTemplates("host", "app", "", log::add),
                () -> true,
                String::length,
                log::add);
        ClassLoader loader = WeavingTest.class.getClassLoader();

        assertThat(byPattern.list(loader, name, compiled)).anyMatch(line -> line.endsWith("= pattern entry"));
        assertThat(byPattern.list(loader, name, writer.toByteArray()))
                .noneMatch(line -> line.endsWith("= pattern entry"))
                .anyMatch(line -> line.endsWith("#open() = on-class.open entry"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/Gateway$ProxyServlet", "a/Gateway$Proxy", "a/Proxy1"})
    void a_compiled_class_whose_name_begins_like_that_of_a_proxy_counts(String name) throws Exception {
        assertThat(weave(name, bytesOf(OnClass.class))).isNotNull();
    }

    @Test
    void an_overridden_get_id_of_a_thread_is_counted_like_any_method() throws Exception {
        Settings named = Settings.read("methods=*Worker#get*;*Worker#work", new Properties(), Map.of());
        Weaving ofWorker = new Weaving(
                Rules.read(named, log::add),
                new NameTemplates("host", "app", "", log::add),
                () -> true,
                String::length,
                log::add);
        ClassLoader loader = WeavingTest.class.getClassLoader();

        List<String> counted = ofWorker.list(loader, "some/Worker", bytesOf(Worker.class));
        List<String> ofEntity = ofWorker.list(loader, "some/Entity", bytesOf(Entity.class));

        assertThat(counted).hasSize(2).anyMatch(line -> line.contains("#getId()"));
        assertThat(log).isEmpty();
        assertThat(ofEntity).singleElement().asString().contains("#getId() = entity.id entry");
    }

    /** A thread whose {@code getId} does not return its real ID. */
    public static class Worker extends ForkJoinWorkerThread {
        Worker(ForkJoinPool pool) {
            super(pool);
        }

        @Override
        public long getId() {
            return 7;
        }

        public void work() {}
    }

    /** Has a {@code getId}, but is not a thread. */
    static class Entity {
        @Count("entity.id")
        long getId() {
            return 7;
        }
    }

    @Test
    void a_debugger_sees_the_variables_as_before() throws Exception {
        byte[] before = bytesOf(OnClass.class);

        assertThat(variables(Objects.requireNonNull(weave("some/OnClass", before))))
                .isEqualTo(variables(before))
                .isNotEmpty();
    }

    private static List<String> variables(byte[] bytes) {
        List<String> variables = new ArrayList<>();
        new ClassReader(bytes)
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public MethodVisitor visitMethod(
                                    int access,
                                    String method,
                                    String type,
                                    @Nullable String signature,
                                    String @Nullable [] exceptions) {
                                return new MethodVisitor(Opcodes.ASM9) {
                                    @Override
                                    public void visitLocalVariable(
                                            String name,
                                            String descriptor,
                                            @Nullable String generic,
                                            Label start,
                                            Label end,
                                            int index) {
                                        variables.add(method + " " + name + " " + descriptor + " " + index);
                                    }
                                };
                            }
                        },
                        0);
        return variables;
    }

    @Test
    void a_broken_class_file_throws_nothing_and_the_error_is_logged_once() throws Exception {
        byte[] good = bytesOf(OnClass.class);
        for (int length = 0; length < good.length; length += 7) {
            weave("some/Cut", Arrays.copyOf(good, length));
        }

        assertThat(log).hasSize(1);
        assertThat(log.get(0)).startsWith("class some/Cut is loaded without being instrumented: ");
    }

    @Test
    void a_class_file_of_an_unknown_version_is_instrumented_and_keeps_its_version() throws Exception {
        byte[] newer = bytesOf(OnClass.class);
        newer[7] = 99;

        byte[] first = Objects.requireNonNull(weave("some/OnClass", newer));
        byte[] second = weave("some/OnClass", newer);
        first[7] = bytesOf(OnClass.class)[7];

        assertThat(first).isEqualTo(weave("some/OnClass", bytesOf(OnClass.class)));
        assertThat(Objects.requireNonNull(second)[7]).isEqualTo((byte) 99);
        assertThat(newer[7]).isEqualTo((byte) 99);
        assertThat(Set.copyOf(log)).singleElement().asString().startsWith("class files of version 99 are newer");
    }

    private byte @Nullable [] weave(String name, byte[] bytes) {
        return weaving.transform(WeavingTest.class.getClassLoader(), name, null, null, bytes);
    }

    private static byte[] bytesOf(Class<?> type) throws IOException {
        try (InputStream in = type.getResourceAsStream("/" + nameOf(type) + ".class")) {
            return Objects.requireNonNull(in).readAllBytes();
        }
    }

    private static String nameOf(Class<?> type) {
        return type.getName().replace('.', '/');
    }
}
