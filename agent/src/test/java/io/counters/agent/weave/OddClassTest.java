package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.agent.settings.Settings;
import io.counters.wire.NameTemplates;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import net.bytebuddy.jar.asm.Attribute;
import net.bytebuddy.jar.asm.ByteVector;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Class files as no compiler writes them today, which the JVM loads nevertheless, and must load when they are instrumented. */
class OddClassTest {
    private static final int PUBLIC_STATIC = Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC;

    private final List<String> log = new ArrayList<>();

    /** What is counted of the method {@code counted}. */
    private String moment = "exit";

    private static ClassWriter classOf(int version) {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(version, Opcodes.ACC_PUBLIC | Opcodes.ACC_SUPER, "some/Odd", null, "java/lang/Object", null);
        return writer;
    }

    private static MethodVisitor method(ClassWriter writer, String name, String descriptor, Attribute... attributes) {
        MethodVisitor method = writer.visitMethod(PUBLIC_STATIC, name, descriptor, null, null);
        for (Attribute attribute : attributes) {
            method.visitAttribute(attribute);
        }
        method.visitCode();
        return method;
    }

    private static void empty(ClassWriter writer, String name, Attribute... attributes) {
        MethodVisitor method = method(writer, name, "()V", attributes);
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(0, 0);
        method.visitEnd();
    }

    private static byte[] bytes(ClassWriter writer) {
        writer.visitEnd();
        return writer.toByteArray();
    }

    private static byte[] replaced(byte[] bytes, String what, String by) {
        String text = new String(bytes, ISO_8859_1);
        assertThat(text).containsOnlyOnce(what);
        return text.replace(what, by).getBytes(ISO_8859_1);
    }

    private byte @Nullable [] weave(byte[] bytes) {
        Weaving weaving = new Weaving(
                Rules.read(
                        Settings.read("methods='some.Odd#counted = odd " + moment + "'", new Properties(), Map.of()),
                        log::add),
                new NameTemplates("host", "app", "", log::add),
                () -> true,
                String::length,
                log::add);
        return weaving.transform(OddClassTest.class.getClassLoader(), "some/Odd", null, null, bytes);
    }

    /** Requires that the JVM loads and verifies it, as it did before. */
    private void requireAsBefore(byte[] before) {
        byte[] woven = weave(before);

        assertThat(woven).as("%s", log).isNotNull();
        assertThat(methods(woven)).isEqualTo(methods(before)).isPositive();
    }

    private static int methods(byte @Nullable [] bytes) {
        class Only extends ClassLoader {
            Class<?> define() throws ClassNotFoundException {
                Class<?> defined = defineClass(null, bytes, 0, Objects.requireNonNull(bytes).length);
                return Class.forName(defined.getName(), true, this);
            }
        }
        try {
            return new Only().define().getDeclaredMethods().length;
        } catch (ClassNotFoundException impossible) {
            throw new AssertionError(impossible);
        }
    }

    /** An attribute of code, or else of a method. */
    private static final class Odd extends Attribute {
        private final boolean isOfCode;
        private final int bytes;

        Odd(String name, boolean isOfCode, int bytes) {
            super(name);
            this.isOfCode = isOfCode;
            this.bytes = bytes;
        }

        @Override
        public boolean isCodeAttribute() {
            return isOfCode;
        }

        @Override
        protected ByteVector write(ClassWriter writer, byte @Nullable [] code, int length, int stack, int locals) {
            return new ByteVector().putByteArray(new byte[bytes], 0, bytes);
        }
    }

    /** As a fuzzer made one: with two constants of the same name, which a class writer makes one. */
    @Test
    void a_class_of_which_an_inner_one_is_its_own_outer_one_is_loaded_as_before() {
        ClassWriter writer = classOf(Opcodes.V1_8);
        empty(writer, "counted");
        writer.visitInnerClass("shop/Inner", "shop/Outer", "Inner", 0);
        requireAsBefore(replaced(bytes(writer), "shop/Outer", "shop/Inner"));
    }

    /** As a fuzzer made one; javac writes such attributes too, under names that mean nothing to the JVM (-Xjcov). */
    @ParameterizedTest
    @ValueSource(strings = {"Signature", "Exceptions", "Code", "MethodParameters", "RuntimeVisibleAnnotations"})
    void a_class_whose_code_has_an_attribute_with_the_name_of_one_of_a_method_is_loaded_as_before(String name) {
        ClassWriter writer = classOf(Opcodes.V1_8);
        empty(writer, "counted", new Odd(name, true, 7));
        // ASM does not copy a method with this attribute byte by byte.
        empty(writer, "other", new Odd(name, true, 7), new Odd("Synthetic", false, 0));

        requireAsBefore(bytes(writer));
    }

    /** In a class file of Java 6 or older the JVM does not ask whether a variable begins and ends at an instruction. */
    @ParameterizedTest
    @ValueSource(ints = {Opcodes.V1_1, Opcodes.V1_5, Opcodes.V1_6})
    void an_old_class_with_a_variable_that_ends_within_an_instruction_is_loaded_as_before(int version) {
        ClassWriter writer = classOf(version);
        MethodVisitor method = method(writer, "counted", "(I)V");
        Label start = new Label();
        Label end = new Label();
        method.visitInsn(Opcodes.NOP);
        method.visitLabel(start);
        method.visitIntInsn(Opcodes.SIPUSH, 1);
        method.visitLabel(end);
        method.visitInsn(Opcodes.POP);
        method.visitInsn(Opcodes.RETURN);
        method.visitLocalVariable("x", "I", null, start, end, 0);
        method.visitMaxs(1, 1);
        method.visitEnd();
        // Of the table's only entry: it begins at 1, and its length becomes 2.
        requireAsBefore(replaced(bytes(writer), "\0\1\0\1\0\3", "\0\1\0\1\0\2"));
    }

    @Test
    void a_class_with_a_variable_that_is_there_twice_by_two_constants_is_loaded_as_before() {
        ClassWriter writer = classOf(Opcodes.V1_8);
        MethodVisitor method = method(writer, "counted", "(I)V");
        Label start = new Label();
        Label end = new Label();
        method.visitLabel(start);
        method.visitInsn(Opcodes.RETURN);
        method.visitLabel(end);
        method.visitLocalVariable("variable", "I", null, start, end, 0);
        method.visitLocalVariable("variables", "I", null, start, end, 0);
        method.visitMaxs(0, 1);
        method.visitEnd();
        requireAsBefore(replaced(bytes(writer), "\0\11variables", "\0\10variable"));
    }

    /** The JVM ignores them there, so that they may be anything. */
    @ParameterizedTest
    @CsvSource({
        "48, EnclosingMethod",
        "52, NestHost",
        "52, NestMembers",
        "58, PermittedSubclasses",
        "60, PermittedSubclasses",
        "52, Module"
    })
    void a_class_with_an_attribute_of_later_versions_is_loaded_as_before(int version, String name) {
        ClassWriter writer = classOf(version);
        empty(writer, "counted");
        writer.visitAttribute(new Attribute(name) {
            @Override
            protected ByteVector write(ClassWriter to, byte @Nullable [] code, int length, int stack, int locals) {
                int string = to.newConst("not;a;class");
                return switch (name) {
                    case "NestHost" -> new ByteVector().putShort(string);
                    case "EnclosingMethod" -> new ByteVector().putShort(string).putShort(0);
                    case "Module" -> new ByteVector().putShort(string).putByteArray(new byte[14], 0, 14);
                    default -> new ByteVector().putShort(1).putShort(string);
                };
            }
        });

        requireAsBefore(bytes(writer));
    }

    /** As if the version of a class file had been lowered. */
    @Test
    void a_method_with_frames_in_a_class_file_of_java_5_is_counted() {
        ClassWriter writer = classOf(Opcodes.V1_6);
        MethodVisitor method = method(writer, "counted", "(I)V");
        Label end = new Label();
        method.visitVarInsn(Opcodes.ILOAD, 0);
        method.visitJumpInsn(Opcodes.IFEQ, end);
        method.visitLabel(end);
        method.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(1, 1);
        method.visitEnd();
        byte[] before = bytes(writer);
        before[7] = Opcodes.V1_5;

        requireAsBefore(before);
        assertThat(log).isEmpty();
    }

    /** The verifier of version 50 that needs no frames loads classes to find what two results have in common. */
    @ParameterizedTest
    @ValueSource(ints = {Opcodes.V1_5, Opcodes.V1_6})
    void an_old_class_without_frames_and_with_results_of_absent_classes_is_loaded_as_before(int version) {
        ClassWriter writer = classOf(version);
        MethodVisitor method = method(writer, "counted", "(I)Ljava/lang/Object;");
        Label other = new Label();
        method.visitVarInsn(Opcodes.ILOAD, 0);
        method.visitJumpInsn(Opcodes.IFEQ, other);
        for (String absent : List.of("absent/One", "absent/Other")) {
            method.visitMethodInsn(Opcodes.INVOKESTATIC, absent, "get", "()L" + absent + ";", false);
            method.visitInsn(Opcodes.ARETURN);
            if (absent.equals("absent/One")) {
                method.visitLabel(other);
            }
        }
        method.visitMaxs(1, 1);
        method.visitEnd();
        moment = "return";

        requireAsBefore(bytes(writer));
    }

    private static byte[] ofSize(int locals, int stack) {
        ClassWriter writer = classOf(Opcodes.V1_8);
        MethodVisitor method = method(writer, "counted", "()V");
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(stack, locals);
        method.visitEnd();
        return bytes(writer);
    }

    @ParameterizedTest
    @CsvSource({"65535, 1", "65534, 1", "1, 65535", "1, 65530"})
    void a_method_that_has_no_room_for_what_is_added_is_not_counted(int locals, int stack) {
        assertThat(weave(ofSize(locals, stack))).isNull();
        assertThat(log)
                .singleElement()
                .asString()
                .startsWith("some.Odd.counted: its variables, stack or handlers leave no room for counting code");
    }

    @ParameterizedTest
    @CsvSource({"65533, 1", "1, 65529"})
    void a_method_that_has_just_enough_room_is_counted(int locals, int stack) {
        requireAsBefore(ofSize(locals, stack));
    }

    private static byte[] ofLength(int codeBytes) {
        ClassWriter writer = classOf(Opcodes.V1_8);
        MethodVisitor method = method(writer, "counted", "()V");
        for (int i = 1; i < codeBytes; i++) {
            method.visitInsn(Opcodes.NOP);
        }
        method.visitInsn(Opcodes.RETURN);
        method.visitMaxs(0, 0);
        method.visitEnd();
        return bytes(writer);
    }

    /** HotSpot only interprets a method with more than 8000 bytes. */
    @ParameterizedTest
    @CsvSource({"7995, exit", "8000, exit", "8000, entry", "8000, return", "8000, throw"})
    void a_method_that_only_counting_makes_too_long_to_be_compiled_is_not_counted(int codeBytes, String when) {
        moment = when;

        assertThat(weave(ofLength(codeBytes))).isNull();

        assertThat(log).singleElement().asString().contains("some.Odd.counted", "8000 bytes", "it is not counted");
    }

    @ParameterizedTest
    @CsvSource({"7900, exit", "8001, exit", "8001, entry", "8001, return", "8001, throw", "20000, exit"})
    void a_method_that_stays_short_enough_or_was_too_long_before_is_counted(int codeBytes, String when) {
        moment = when;

        requireAsBefore(ofLength(codeBytes));

        assertThat(log).isEmpty();
    }

    @Test
    void a_method_that_would_exceed_the_maximum_with_what_is_added_is_not_counted() {
        assertThat(weave(ofLength(65_530))).isNull();

        assertThat(log).singleElement().asString().contains("some.Odd.counted", "65535 bytes", "it is not counted");
    }
}
