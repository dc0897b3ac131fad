package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.Count;
import io.counters.agent.ListIT.Listed;
import io.counters.fixture.Aliased;
import io.counters.fixture.CallsKotlin;
import io.counters.fixture.Heirs;
import io.counters.fixture.Launch;
import io.counters.fixture.Marked;
import io.counters.fixture.OnClass;
import io.counters.fixture.Staged;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kotlin.KotlinVersion;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.ModuleVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.commons.ClassRemapper;
import net.bytebuddy.jar.asm.commons.SimpleRemapper;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code weave} of counters.jar: what is woven by a build counts what the agent counts, and files change only if they must. */
class WeaveIT {
    private static final String HEIRS = "io.counters.fixture.Heirs";
    private static final String[] SETTINGS = {
        "app=shop",
        "inherit=true",
        "tags='app={app}'",
        "metaAnnotations=" + HEIRS + "$Timed",
        "alias='io.micrometer.core.annotation.Counted;com.codahale.metrics.annotation.Counted'",
        "methods='+" + HEIRS + "$Base#serve = by.rule exit;*.Shapes$* = by.pattern'"
    };
    private static final String ON_CLASS = "io/counters/fixture/OnClass.class";

    @TempDir
    static Path temporary = Path.of("");

    private static Path fixtures = Path.of("");
    private static Listed all = new Listed(-1, "", "");

    @TempDir
    Path folder = Path.of("");

    private Path classes = Path.of("");

    private static Listed weaveWithPath(String classPath, Path classes, String... settings) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(classes.toString(), "--class-path", classPath));
        arguments.addAll(List.of(settings));
        return ListIT.run("WeaveCommand", arguments);
    }

    /** The output of a run in which everything counts. */
    private static String woven(Path classes, String... settings) throws Exception {
        Listed ended = weave(classes, settings);
        assertThat(ended.status()).as(ended.err()).isZero();
        return ended.out();
    }

    private static Listed weave(Path classes, String... settings) throws Exception {
        return weaveWithPath(ChildJvm.CORE.toString(), classes, settings);
    }

    @BeforeAll
    static void weaveTheFixtures() throws Exception {
        fixtures = temporary.resolve("classes");
        try (Stream<Path> files = Files.walk(ChildJvm.FIXTURES)) {
            for (Path file : files.filter(file -> file.toString().matches(".*/fixture/.*\\.class"))
                    .toList()) {
                Path to = fixtures.resolve(ChildJvm.FIXTURES.relativize(file));
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        all = weave(fixtures, SETTINGS);
    }

    @BeforeEach
    void copyOneClass() throws IOException {
        classes = folder.resolve("classes");
        Files.createDirectories(classes.resolve(ON_CLASS).getParent());
        Files.copy(ChildJvm.FIXTURES.resolve(ON_CLASS), classes.resolve(ON_CLASS));
    }

    @Test
    void marks_that_cannot_work_are_reported_and_the_others_count() {
        assertThat(all.status()).as(all.err()).isEqualTo(1);
        assertThat(all.err())
                .contains("Marked.later: async is for", "a constructor counts at ENTRY or RETURN only")
                .doesNotContain("nothing was woven", "cannot be instrumented");
        assertThat(all.out()).matches("methods that count: \\d{3}, classes: \\d\\d, class files written: \\d\\d.*\n");
    }

    @ParameterizedTest
    @ValueSource(classes = {Marked.class, Staged.class, Aliased.class, Heirs.class, CallsKotlin.class})
    void a_woven_program_counts_without_the_agent_what_the_agent_counts(Class<?> main) throws Exception {
        Map<String, Long> byAgent;
        try (Receiver receiver = new Receiver()) {
            ChildJvm.run(
                            receiver.arguments() + "," + String.join(",", SETTINGS),
                            List.of(ChildJvm.FIXTURES, kotlin()),
                            main)
                    .well();
            byAgent = new TreeMap<>(receiver.sums());
        }

        assertThat(byAgent).hasSizeGreaterThan(5);
        assertThat(launch(main, "-Xverify:all")).isEqualTo(byAgent);
    }

    @Test
    void a_woven_program_counts_once_if_the_agent_is_there_as_well() throws Exception {
        Map<String, Long> without = launch(Marked.class);
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.start(
                            List.of(ChildJvm.AGENT + "=" + receiver.arguments() + "," + String.join(",", SETTINGS)),
                            List.of(fixtures, ChildJvm.CORE),
                            Marked.class.getName())
                    .await()
                    .well();

            assertThat(receiver.sums()).as(child.err()).isEqualTo(without);
        }
        assertThat(ListIT.list(fixtures, SETTINGS).out()).isEmpty();
    }

    /** What a woven program counts in a JVM without the agent. */
    private static Map<String, Long> launch(Class<?> main, String... options) throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.start(
                            List.of(options),
                            List.of(fixtures, ChildJvm.CORE, kotlin()),
                            Launch.class.getName(),
                            receiver.address(),
                            main.getName())
                    .await()
                    .well();
            return new TreeMap<>(receiver.sums());
        }
    }

    private static Path kotlin() throws Exception {
        return Path.of(KotlinVersion.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }

    @Test
    void a_file_is_written_only_if_its_contents_change() throws Exception {
        Path file = classes.resolve(ON_CLASS);
        byte[] original = Files.readAllBytes(file);
        assertThat(woven(classes)).isEqualTo("methods that count: 4, classes: 1, class files written: 1\n");
        byte[] first = Files.readAllBytes(file);
        Files.setLastModifiedTime(file, FileTime.fromMillis(0));

        assertThat(woven(classes)).endsWith("written: 0\n");
        assertThat(Files.getLastModifiedTime(file).toMillis()).isZero();

        Files.write(file, original);
        assertThat(woven(classes)).endsWith("written: 1\n");
        assertThat(file).hasBinaryContent(first);

        String rule = "methods=" + OnClass.class.getName() + "#hidden = by.rule";
        assertThat(woven(classes, rule)).endsWith("written: 1\n");
        byte[] ruled = Files.readAllBytes(file);
        assertThat(ruled).isNotEqualTo(first);
        Files.write(file, original);
        woven(classes, rule);
        assertThat(file).hasBinaryContent(ruled);

        assertThat(woven(classes, "enabled=false")).endsWith("written: 1\n");
        assertThat(file).hasBinaryContent(original);
        assertThat(folder.resolve("classes-originals").resolve(ON_CLASS)).doesNotExist();
    }

    @Test
    void the_original_of_a_class_that_was_deleted_is_deleted_and_no_other() throws Exception {
        Path other = classes.resolve(Path.of("shop", "Orders.class"));
        writeOrders(Places.class, other);
        woven(classes);
        Path originals = folder.resolve("classes-originals");
        assertThat(originals.resolve(Path.of("shop", "Orders.class"))).exists();

        Files.delete(other);
        woven(classes);

        assertThat(originals.resolve("shop")).isEmptyDirectory();
        assertThat(originals.resolve(ON_CLASS)).exists();
        assertThat(woven(classes)).endsWith("written: 0\n");
    }

    @Test
    void a_woven_class_without_its_original_is_refused_and_nothing_changes() throws Exception {
        woven(classes);
        byte[] first = Files.readAllBytes(classes.resolve(ON_CLASS));
        Path original = folder.resolve("classes-originals").resolve(ON_CLASS);
        Files.write(original, new byte[] {1});

        Listed refused = weave(classes, "enabled=false");

        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err())
                .contains("its original is not at " + original.toRealPath(), "delete " + classes.toRealPath())
                .endsWith("nothing was woven\n");
        assertThat(classes.resolve(ON_CLASS)).hasBinaryContent(first);
    }

    @Test
    void what_another_tool_has_added_to_a_woven_class_is_not_removed() throws Exception {
        woven(classes);
        ClassReader read = new ClassReader(Files.readAllBytes(classes.resolve(ON_CLASS)));
        ClassWriter changed = new ClassWriter(read, 0);
        read.accept(changed, 0);
        changed.visitField(Opcodes.ACC_PRIVATE, "added", "I", null, null).visitEnd();
        Files.write(classes.resolve(ON_CLASS), changed.toByteArray());

        Listed refused = weave(classes);

        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.err())
                .contains(
                        "OnClass.class: another tool has changed this class after it was woven; let that tool run before"
                                + " weave, delete " + classes.toRealPath() + " and build again")
                .endsWith("nothing was woven\n");
        assertThat(classes.resolve(ON_CLASS)).hasBinaryContent(changed.toByteArray());
    }

    @Test
    void a_rule_of_the_agent_that_names_a_woven_class_is_reported() throws Exception {
        woven(classes);

        Listed listed = ListIT.list(classes, "methods=" + OnClass.class.getName() + "#hidden = by.rule");

        assertThat(listed.out()).isEmpty();
        assertThat(listed.err())
                .isEqualTo(OnClass.class.getName()
                        + ": a build has woven this class, so the agent leaves it alone, and the"
                        + " rules that name it have no effect; add these rules to the settings of the build\n");
        assertThat(listed.status()).isEqualTo(1);
    }

    static class Forwards {
        @Count("orders")
        void place() {
            place(1);
        }

        @Count("orders")
        void place(int order) {}
    }

    static class Places {
        @Count("orders")
        void place() {
            System.out.flush();
        }

        @Count("orders")
        void place(int order) {}
    }

    @Test
    void a_class_of_a_newer_version_is_judged_by_its_own_code() throws Exception {
        Path versioned = classes.resolve(Path.of("META-INF", "versions", "17", "shop", "Orders.class"));
        Path only = folder.resolve(Path.of("only", "shop", "Orders.class"));
        writeOrders(Forwards.class, classes.resolve(Path.of("shop", "Orders.class")));
        writeOrders(Places.class, versioned);
        writeOrders(Places.class, only);

        assertThat(woven(classes))
                .as("the methods of OnClass, and those of the version with most")
                .isEqualTo("methods that count: 6, classes: 2, class files written: 3\n");

        assertThat(woven(folder.resolve("only"))).startsWith("methods that count: 2,");
        assertThat(versioned).hasSameBinaryContentAs(only);
    }

    private static void writeOrders(Class<?> like, Path file) throws IOException {
        ClassWriter renamed = new ClassWriter(0);
        try (InputStream in = like.getResourceAsStream("WeaveIT$" + like.getSimpleName() + ".class")) {
            new ClassReader(Objects.requireNonNull(in))
                    .accept(
                            new ClassRemapper(
                                    renamed,
                                    new SimpleRemapper(
                                            Opcodes.ASM9, like.getName().replace('.', '/'), "shop/Orders")),
                            0);
        }
        Files.createDirectories(file.getParent());
        Files.write(file, renamed.toByteArray());
    }

    @Test
    void what_is_wrong_with_settings_or_class_path_is_reported_and_nothing_changes() throws Exception {
        byte[] original = Files.readAllBytes(classes.resolve(ON_CLASS));

        Listed settings = weave(classes, "rule=x", "methods=a#", "alias=a.B", "tags='host={host}'");
        Listed api = weaveWithPath(folder.toString(), classes);
        Listed provided = weave(classes, "--run-path", folder.toString());

        assertThat(settings.status()).isEqualTo(1);
        assertThat(settings.err())
                .contains("rule is not a setting", "rule \"a#\" is ignored", "alias a.B is ignored", "{host}")
                .endsWith("nothing was woven\n");
        assertThat(api.status()).isEqualTo(1);
        assertThat(api.err())
                .contains("the class path at run time does not contain io.counters.Woven", "counters-core")
                .endsWith("nothing was woven\n");
        assertThat(provided.err()).isEqualTo(api.err());
        assertThat(classes.resolve(ON_CLASS)).hasBinaryContent(original);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "java.base", "static counters.core", "counters.core"})
    void a_module_must_require_the_api_at_run_time(String required) throws Exception {
        ClassWriter module = new ClassWriter(0);
        module.visit(Opcodes.V9, Opcodes.ACC_MODULE, "module-info", null, null, null);
        ModuleVisitor visitor = module.visitModule("shop", 0, null);
        if (!required.isEmpty()) {
            int access = required.startsWith("static") ? Opcodes.ACC_STATIC_PHASE : 0;
            visitor.visitRequire(required.replace("static ", ""), access, null);
        }
        visitor.visitEnd();
        Path file = classes.resolve("module-info.class");
        Files.write(file, module.toByteArray());

        Listed ended = weave(classes);

        if (required.equals("counters.core")) {
            assertThat(ended.status()).as(ended.err()).isZero();
        } else {
            assertThat(ended.status()).isEqualTo(1);
            assertThat(ended.err())
                    .isEqualTo(
                            file.toRealPath() + ": woven classes call io.counters.Woven, which this module does not"
                                    + " read; add requires counters.core, not static, to module-info.java\nnothing was woven\n");
        }
    }

    @Test
    void a_name_that_depends_on_where_the_program_runs_is_refused() throws Exception {
        Listed woven =
                weave(classes, "methods='" + OnClass.class.getName() + "#hidden = a,app={app};*#open = b,on={host}'");

        assertThat(woven.status()).isEqualTo(1);
        assertThat(woven.err().lines())
                .hasSize(2)
                .allMatch(line -> line.contains("because a build does not know where and as what the class will run"));
        assertThat(weave(classes, "app=x", "methods='" + OnClass.class.getName() + "#hidden = a,app={app}'")
                        .status())
                .isZero();
    }

    static IntStream class_files_of_each_version_count() {
        return IntStream.of(Opcodes.V1_1, Opcodes.V1_8, Runtime.version().feature() + Opcodes.V1_8 - 8);
    }

    @ParameterizedTest
    @MethodSource
    void class_files_of_each_version_count(int version) throws Exception {
        Files.write(classes.resolve("Plain.class"), classOfVersion(version));

        woven(classes, "methods=Plain#main = plain exit");

        try (Receiver receiver = new Receiver()) {
            ChildJvm.start(
                            List.of("-Xverify:all"),
                            List.of(classes, fixtures, ChildJvm.CORE),
                            Launch.class.getName(),
                            receiver.address(),
                            "Plain")
                    .await()
                    .well();
            assertThat(receiver.sums()).isEqualTo(Map.of("plain", 1L));
        }
    }

    private static byte[] classOfVersion(int version) {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(version, Opcodes.ACC_PUBLIC | Opcodes.ACC_SUPER, "Plain", null, "java/lang/Object", null);
        MethodVisitor main = writer.visitMethod(
                Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "main", "([Ljava/lang/String;)V", null, null);
        main.visitCode();
        main.visitInsn(Opcodes.RETURN);
        main.visitMaxs(0, 1);
        main.visitEnd();
        writer.visitEnd();
        return writer.toByteArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--class-path x", "nowhere", "pom.xml", "src --class-path"})
    void a_wrong_command_line_is_reported_with_the_usage(String line) throws Exception {
        ChildJvm.Ended ended = CommandIT.counters(("weave " + line).trim().split(" ", -1));

        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.err()).contains("usage: java -jar counters.jar weave CLASSES");
    }
}
