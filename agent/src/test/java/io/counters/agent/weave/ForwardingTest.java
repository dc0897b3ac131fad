package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.fixture.Forwards;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Java's methods that look like forwarders, and those that are; of other languages, see {@code LanguagesIT}. */
class ForwardingTest {
    private final List<String> log = new ArrayList<>();

    @Test
    void an_overload_that_hands_on_to_the_same_counter_counts_there() throws Exception {
        assertThat(counted(Forwards.Handing.class))
                .containsExactlyInAnyOrder(
                        "a(int,long)",
                        "named(int)",
                        "boxed(java.lang.Long)",
                        "many(java.lang.Object[])",
                        "<init>(int)",
                        "below()",
                        "facade()");
        assertThat(counted(Forwards.Below.class)).isEmpty();
        assertThat(counted(Forwards.Facade.class)).isEmpty();
    }

    @Test
    void what_does_more_or_names_another_counter_counts_as_well() throws Exception {
        assertThat(counted(Forwards.Own.class))
                .containsExactlyInAnyOrder(
                        "other()",
                        "byDefault()",
                        "more()",
                        "later()",
                        "perhaps()",
                        "twice()",
                        "read(java.lang.String)",
                        "self()",
                        "wrapped(io.counters.fixture.Forwards$Own)",
                        "x(int)",
                        "byDefault(int)",
                        "y(int)",
                        "partly()");
        assertThat(list(Forwards.Own.class, "")).contains(Forwards.Own.class.getName() + "#partly() = partly entry");
    }

    @Test
    void what_may_throw_before_its_call_or_calls_another_object_counts_as_well() throws Exception {
        assertThat(counted(Forwards.Preparing.class))
                .extracting(line -> line.substring(0, line.indexOf('(')))
                .containsExactlyInAnyOrder(
                        "getter", "check", "hash", "box", "wakes", "cast", "field", "next", "other", "got", "unbound",
                        "below", "x", "x", "x");
    }

    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void synthetic_methods_that_call_each_other_in_many_ways_are_looked_at_once() {
        // As obfuscators leave them: all have one name, and all are synthetic.
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        writer.visit(Opcodes.V1_8, Opcodes.ACC_PUBLIC, "a/A", null, "java/lang/Object", null);
        for (int arguments = 0; arguments <= 20; arguments++) {
            int flags = Opcodes.ACC_STATIC | (arguments == 0 ? 0 : Opcodes.ACC_SYNTHETIC);
            MethodVisitor method = writer.visitMethod(flags, "a", descriptor(arguments), null, null);
            if (arguments == 0) {
                method.visitAnnotation("Lio/counters/Count;", false).visitEnd();
            }
            method.visitCode();
            for (int called = 1; called <= (arguments == 0 ? 1 : 20); called++) {
                for (int i = 0; i < called; i++) {
                    method.visitInsn(Opcodes.ICONST_0);
                }
                method.visitMethodInsn(Opcodes.INVOKESTATIC, "a/A", "a", descriptor(called), false);
            }
            method.visitInsn(Opcodes.RETURN);
            method.visitMaxs(0, 0);
            method.visitEnd();
        }
        writer.visitEnd();

        assertThat(weaving("").list(null, "a/A", writer.toByteArray())).containsExactly("a.A#a() = a.A.a entry");
    }

    @Test
    void a_java_method_that_says_it_is_generated_is_a_forwarder_only_by_what_it_does() {
        // Coverage tools leave out what has an annotation of this name, so people write it.
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        writer.visit(Opcodes.V1_5, Opcodes.ACC_PUBLIC, "a/A", null, "java/lang/Object", null);
        writer.visitSource("A.java", null);
        for (String descriptor : List.of("()V", "(I)V")) {
            MethodVisitor method = writer.visitMethod(Opcodes.ACC_STATIC, "a", descriptor, null, null);
            method.visitAnnotation("Lio/counters/Count;", false).visitEnd();
            method.visitAnnotation("La/Generated;", false).visitEnd();
            method.visitCode();
            if (descriptor.equals("()V")) {
                Label otherwise = new Label();
                method.visitMethodInsn(Opcodes.INVOKESTATIC, "a/B", "isOff", "()Z", false);
                method.visitJumpInsn(Opcodes.IFNE, otherwise);
                method.visitInsn(Opcodes.ICONST_0);
                method.visitMethodInsn(Opcodes.INVOKESTATIC, "a/A", "a", "(I)V", false);
                method.visitLabel(otherwise);
            }
            method.visitInsn(Opcodes.RETURN);
            method.visitMaxs(0, 0);
            method.visitEnd();
        }
        writer.visitEnd();

        assertThat(weaving("").list(null, "a/A", writer.toByteArray()))
                .containsExactly("a.A#a() = a.A.a entry", "a.A#a(int) = a.A.a entry");
    }

    @Test
    void a_class_without_lines_and_file_that_calls_a_static_method_of_the_same_name_is_no_proxy() {
        // Expressions that are compiled at run time, without debug information.
        ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
        writer.visit(Opcodes.V1_8, Opcodes.ACC_PUBLIC, "a/Script", null, "java/lang/Object", null);
        MethodVisitor method = writer.visitMethod(Opcodes.ACC_PUBLIC, "run", "()V", null, null);
        method.visitCode();
        method.visitMethodInsn(Opcodes.INVOKESTATIC, "a/Library", "run", "()V", false);
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(0, 0);
        method.visitEnd();
        writer.visitEnd();

        assertThat(weaving("methods=a.*#run = r").list(null, "a/Script", writer.toByteArray()))
                .containsExactly("a.Script#run() = r entry");
    }

    private static String descriptor(int arguments) {
        return "(" + "I".repeat(arguments) + ")V";
    }

    @Test
    void a_call_of_another_object_is_a_persons_delegation() throws Exception {
        assertThat(counted(Forwards.Decorating.class)).containsExactly("x(int)");
    }

    @Test
    void a_rule_counts_where_the_call_ends_and_a_forwarder_that_is_named_alone() throws Exception {
        assertThat(list(Forwards.Ruled.class, "methods=" + Forwards.Ruled.class.getName() + "#take = t"))
                .containsExactly(Forwards.Ruled.class.getName() + "#take(int) = t entry");
        assertThat(list(Forwards.Ruled.class, "methods=" + Forwards.Ruled.class.getName() + "#take() = t"))
                .containsExactly(Forwards.Ruled.class.getName() + "#take() = t entry");
    }

    private List<String> counted(Class<?> type) throws IOException {
        return list(type, "").stream()
                .map(line -> line.substring(line.indexOf('#') + 1, line.indexOf(" = ")))
                .distinct()
                .toList();
    }

    private List<String> list(Class<?> type, String settings) throws IOException {
        String name = type.getName().replace('.', '/');
        try (InputStream in = type.getResourceAsStream("/" + name + ".class")) {
            return weaving(settings)
                    .list(
                            type.getClassLoader(),
                            name,
                            Objects.requireNonNull(in).readAllBytes());
        }
    }

    private Weaving weaving(String settings) {
        return new Weaving(
                Rules.read(Settings.read(settings, new Properties(), Map.of()), log::add),
                new Names("host", "app", "", log::add),
                () -> false,
                name -> 0,
                log::add);
    }
}
