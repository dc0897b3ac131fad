package io.counters.agent.weave;

import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.fixture.Forwards;
import io.counters.wire.NameTemplates;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forwarders in Java, and methods that look like forwarders; for other languages see {@code LanguagesIT}. */
class ForwardingTest {
    private final List<String> log = new ArrayList<>();

    @Test
    void an_overload_that_forwards_to_a_method_with_the_same_counter_does_not_count() throws Exception {
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
    void a_method_that_does_more_than_forward_or_has_another_counter_counts() throws Exception {
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
    void a_method_that_may_throw_before_its_call_or_calls_another_object_counts() throws Exception {
        assertThat(counted(Forwards.Preparing.class))
                .extracting(line -> line.substring(0, line.indexOf('(')))
                .containsExactlyInAnyOrder(
                        "getter", "check", "hash", "box", "wakes", "cast", "field", "next", "other", "got", "unbound",
                        "below", "x", "x", "x");
    }

    @Test
    @Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void synthetic_methods_that_call_each_other_on_many_paths_are_searched_once() {
        // Obfuscators generate such methods: all have the same name, and all are synthetic.
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
    void a_java_method_with_a_generated_annotation_is_a_forwarder_only_if_its_code_is() {
        // People write an annotation with this name, because coverage tools ignore methods that have it.
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

    @ParameterizedTest
    @ValueSource(classes = {Forwards.Handing.class, Forwards.Below.class})
    void code_that_another_agent_inserted_into_a_forwarder_does_not_make_it_count(Class<?> type) throws Exception {
        String name = type.getName().replace('.', '/');
        byte[] probed;
        try (InputStream in = type.getResourceAsStream("/" + name + ".class")) {
            ClassReader reader = new ClassReader(Objects.requireNonNull(in).readAllBytes());
            ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
            reader.accept(
                    new ClassVisitor(Opcodes.ASM9, writer) {
                        @Override
                        public MethodVisitor visitMethod(
                                int access, String method, String descriptor, String signature, String[] exceptions) {
                            MethodVisitor written =
                                    super.visitMethod(access, method, descriptor, signature, exceptions);
                            written.visitMethodInsn(Opcodes.INVOKESTATIC, "a/Coverage", "probe", "()J", false);
                            written.visitInsn(Opcodes.POP2);
                            return written;
                        }
                    },
                    0);
            probed = writer.toByteArray();
        }

        assertThat(weaving("").list(type.getClassLoader(), name, probed)).isEqualTo(list(type, ""));
    }

    @Test
    void a_generated_class_that_calls_a_static_method_of_the_same_name_is_not_a_proxy() {
        // Such classes contain expressions that are compiled at run time, without debug information.
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
    void a_method_that_delegates_to_another_object_counts() throws Exception {
        assertThat(counted(Forwards.Decorating.class)).containsExactly("x(int)");
        assertThat(counted(Forwards.Surrounding.class)).containsExactly("x()", "held()");
        assertThat(counted(Forwards.Surrounding.Inner.class)).containsExactly("x()");
        assertThat(counted(new Forwards.Surrounding()
                        .capturing(new Forwards.Surrounding())
                        .getClass()))
                .containsExactly("run()");
    }

    @Test
    void a_rule_counts_the_called_method_or_the_forwarder_if_it_matches_only_that() throws Exception {
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
                new NameTemplates("host", "app", "", log::add),
                () -> false,
                name -> 0,
                log::add);
    }
}
