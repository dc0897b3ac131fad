package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import io.counters.fixture.EarlyApi;
import io.counters.fixture.Filtered;
import io.counters.fixture.OwnIds;
import io.counters.fixture.Redeployed;
import io.counters.fixture.SendsItself;
import io.counters.fixture.SystemLoader;
import io.counters.fixture.WithApi;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.commons.ClassRemapper;
import net.bytebuddy.jar.asm.commons.Remapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Applications with unusual places of the API, class loaders or threads: everything counts, or the agent logs why not. */
class HostsIT {
    private static final List<Path> WITH_API = List.of(ChildJvm.FIXTURES, ChildJvm.CORE);

    private static final String APPLICATION = """
            package app;

            public class Main {
                public static void main(String[] arguments) {
                    io.counters.Counters.add("module.api", 5);
                    marked();
                    System.out.print(Main.class.getModule().getName());
                }

                @io.counters.Count("module.marked")
                static void marked() {}
            }
            """;

    @TempDir
    Path folder = Path.of("");

    @Test
    void the_api_in_a_module_that_the_application_requires_counts() throws Exception {
        Path api = JarFiles.ofFolder(folder.resolve("api.jar"), ChildJvm.CORE, "Multi-Release: true");
        Path application = compiledModule(api);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.start(
                            "java",
                            List.of(
                                    ChildJvm.AGENT + "=" + receiver.arguments(),
                                    "--module-path",
                                    api + java.io.File.pathSeparator + application,
                                    "--module",
                                    "app/app.Main"),
                            Map.of())
                    .await()
                    .well();

            assertThat(child.out()).isEqualTo("app");
            assertThat(receiver.sums())
                    .as(child.err())
                    .containsOnly(entry("module.api", 5L), entry("module.marked", 1L));
        }
    }

    private Path compiledModule(Path api) throws IOException {
        Path source = Files.createDirectories(folder.resolve("source/app"));
        Files.writeString(source.resolve("Main.java"), APPLICATION);
        Files.writeString(source.resolveSibling("module-info.java"), "module app { requires counters.core; }");
        Path compiled = folder.resolve("compiled");
        int status = ToolProvider.getSystemJavaCompiler()
                .run(
                        null,
                        null,
                        null,
                        "--release",
                        "17",
                        "-d",
                        compiled.toString(),
                        "--module-path",
                        api.toString(),
                        source.resolve("Main.java").toString(),
                        source.resolveSibling("module-info.java").toString());
        assertThat(status).isZero();
        return compiled;
    }

    @Test
    void the_api_on_the_boot_class_path_counts() throws Exception {
        Path api = JarFiles.ofFolder(folder.resolve("api.jar"), ChildJvm.CORE);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments(), List.of(ChildJvm.FIXTURES), WithApi.class, "-Xbootclasspath/a:" + api)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsOnly(entry("both", 10L));
            assertThat(child.err()).contains("Counters.start does nothing: the agent already sends");
        }
    }

    @Test
    void an_application_whose_system_loader_has_no_parent_counts_and_ends_on_sigterm() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm child = ChildJvm.start(
                    List.of(
                            "-Djava.system.class.loader=" + SystemLoader.class.getName(),
                            ChildJvm.AGENT + "=" + receiver.arguments()),
                    WITH_API,
                    SystemLoader.class.getName());
            try {
                await().until(() -> child.outSoFar().endsWith("ready\n"));
                await().until(() -> receiver.sums().size() == 2);
            } finally {
                child.end();
            }
            ChildJvm.Ended ended = child.await();

            assertThat(ended.status()).as("the status after SIGTERM").isEqualTo(128 + 15);
            assertThat(receiver.sums())
                    .as(ended.err())
                    .containsOnly(entry("system.api", 2L), entry("system.marked", 1L));
        }
    }

    @Test
    void a_loader_that_does_not_find_the_bridge_is_logged_once_and_its_classes_run_uncounted() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), List.of(ChildJvm.FIXTURES), Filtered.class)
                    .well();

            assertThat(child.out()).isEqualTo("done");
            assertThat(receiver.sums()).containsOnly(entry("filtered", 1L));
            assertThat(child.err().lines())
                    .filteredOn(line -> line.contains("does not find java.lang.CountersCells"))
                    .singleElement()
                    .asString()
                    .startsWith("counters: io.counters.fixture.Filtered$Boxed: its class loader,"
                            + " io.counters.fixture.Filtered$Filter, does not find");
        }
    }

    @Test
    void the_counts_of_an_api_that_was_loaded_before_the_agent_are_sent() throws Exception {
        Path other = JarFiles.ofFixtures(folder.resolve("other.jar"), "Premain-Class: " + EarlyApi.class.getName());
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), WITH_API, EarlyApi.class, "-javaagent:" + other)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsOnly(entry("early.api", 7L));
        }
    }

    @Test
    void an_api_that_shading_has_moved_below_another_package_counts() throws Exception {
        Path moved = shaded("shop/io/counters/", 1);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), List.of(moved), WithApi.class)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsOnly(entry("both", 10L));
            assertThat(child.err()).doesNotContain("moved");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"shop/io/counters/", "shop/metrics/"})
    void an_api_that_shading_has_moved_sends_without_the_agent(String to) throws Exception {
        Path moved = shaded(to, 1, SendsItself.class);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.start(
                            List.of("-Down.collector=" + receiver.address()),
                            List.of(moved),
                            SendsItself.class.getName())
                    .hangUp()
                    .await()
                    .well();

            assertThat(receiver.sums()).containsOnly(entry("own.api", 5L));
            assertThat(child.err()).isEmpty();
        }
    }

    @Test
    void with_an_api_that_shading_has_moved_to_any_other_package_counters_counts_and_the_annotation_does_not()
            throws Exception {
        Path moved = shaded("shop/metrics/", 1);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), List.of(moved), WithApi.class)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsOnly(entry("both", 7L));
            assertThat(child.err())
                    .containsOnlyOnce("the API was moved to shop.metrics: its Counters counts, but @shop.metrics.Count"
                            + " does not; move the API to a package that ends with io.counters");
        }
    }

    @Test
    void an_api_of_a_release_whose_cells_have_another_form_is_logged_and_annotations_count() throws Exception {
        Path other = shaded("io/counters/", 2);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), List.of(other), WithApi.class)
                    .well();

            assertThat(receiver.sums()).as(child.err()).containsOnly(entry("both", 3L));
            assertThat(child.err())
                    .containsOnlyOnce(" counts, but its counts are not sent, because it is of another release than this"
                            + " agent; use counters-core");
        }
    }

    /** The API and {@link WithApi}, with the API's package renamed, and with cells of this form. */
    private Path shaded(String to, int form) throws IOException {
        return shaded(to, form, WithApi.class);
    }

    /** The API and an application. */
    private Path shaded(String to, int form, Class<?> application) throws IOException {
        Path shaded = folder.resolve("shaded");
        Remapper moving = new Remapper(Opcodes.ASM9) {
            @Override
            public String map(String name) {
                return name.startsWith("io/counters/") && !name.startsWith("io/counters/fixture/")
                        ? to + name.substring("io/counters/".length())
                        : name;
            }
        };
        try (Stream<Path> api = Files.walk(ChildJvm.CORE)) {
            List<Path> files = Stream.concat(
                            api.filter(
                                    file -> file.toString().endsWith(".class") && !file.endsWith("module-info.class")),
                            Stream.of(ChildJvm.FIXTURES.resolve(
                                    application.getName().replace('.', '/') + ".class")))
                    .toList();
            for (Path file : files) {
                ClassReader reader = new ClassReader(Files.readAllBytes(file));
                ClassWriter written = new ClassWriter(0);
                reader.accept(new ClassRemapper(new Form(written, form), moving), 0);
                Path target = shaded.resolve(moving.map(reader.getClassName()) + ".class");
                Files.createDirectories(target.getParent());
                Files.write(target, written.toByteArray());
            }
        }
        return shaded;
    }

    /** Assigns another number to the field {@code FORM}. */
    private static final class Form extends ClassVisitor {
        private final int form;

        Form(ClassVisitor written, int form) {
            super(Opcodes.ASM9, written);
            this.form = form;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String name, String descriptor, String signature, String[] exceptions) {
            return new MethodVisitor(Opcodes.ASM9, super.visitMethod(access, name, descriptor, signature, exceptions)) {
                @Override
                public void visitFieldInsn(int opcode, String owner, String field, String type) {
                    if (opcode == Opcodes.PUTSTATIC && field.equals("FORM")) {
                        super.visitInsn(Opcodes.POP);
                        super.visitIntInsn(Opcodes.BIPUSH, form);
                        super.visitMethodInsn(
                                Opcodes.INVOKESTATIC, "java/lang/Integer", "valueOf", "(I)Ljava/lang/Integer;", false);
                    }
                    super.visitFieldInsn(opcode, owner, field, type);
                }
            };
        }
    }

    @Test
    void counting_does_not_call_overridden_methods_of_a_thread() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(receiver.arguments(), List.of(ChildJvm.FIXTURES), OwnIds.class)
                    .well();

            assertThat(child.out()).isEqualTo("asked 1");
            assertThat(receiver.sums()).containsOnly(entry("own.marked", 30L), entry("own.asked", 1L));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "no-such-host.invalid:11212", "127.0.0.1:9"})
    void redeployed_applications_are_collected_whatever_the_collector_is(String collector) throws Exception {
        ChildJvm.Ended child = ChildJvm.start(
                        List.of(
                                "-Xmx64m",
                                "-XX:+UseSerialGC",
                                ChildJvm.AGENT + "=collector=" + collector + ",sweep=20ms"),
                        WITH_API,
                        Redeployed.class.getName(),
                        "300")
                .await()
                .well();

        assertThat(child.out()).as(child.err()).isEqualTo("deployed 300");
    }
}
