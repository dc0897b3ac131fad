package io.counters.agent;

import static net.bytebuddy.jar.asm.Opcodes.ACC_PUBLIC;
import static net.bytebuddy.jar.asm.Opcodes.ACC_STATIC;
import static net.bytebuddy.jar.asm.Opcodes.ACC_SUPER;
import static org.assertj.core.api.Assertions.assertThat;

import io.counters.fixture.Deep;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Code at the limits of class files and of the stack. */
class HardCodeIT {
    @TempDir
    Path folder = Path.of("");

    @Test
    void a_method_that_would_be_too_large_with_counting_code_is_refused_and_the_others_count() throws Exception {
        ClassWriter writer = hard();
        MethodVisitor full = writer.visitMethod(ACC_PUBLIC | ACC_STATIC, "full", "()V", null, null);
        full.visitCode();
        nops(full, 65_532);
        full.visitInsn(Opcodes.RETURN);
        full.visitMaxs(0, 0);
        full.visitEnd();
        main(writer, "full", "()V");

        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = run(receiver, writer, "Hard#full=full;Hard#main=main");

            assertThat(receiver.sums()).containsOnly(Map.entry("main", 1L));
            assertThat(child.err()).containsOnlyOnce("Hard.full: with its counting code it would exceed");
        }
    }

    @Test
    void a_jump_that_becomes_too_long_for_its_instruction_is_replaced() throws Exception {
        ClassWriter writer = hard();
        MethodVisitor far = writer.visitMethod(ACC_PUBLIC | ACC_STATIC, "far", "()V", null, null);
        Label end = new Label();
        far.visitCode();
        far.visitInsn(Opcodes.ICONST_0);
        far.visitJumpInsn(Opcodes.IFEQ, end);
        for (int i = 0; i < 16; i++) {
            Label next = new Label();
            far.visitInsn(Opcodes.ICONST_1);
            far.visitJumpInsn(Opcodes.IFEQ, next);
            nops(far, 2035);
            far.visitInsn(Opcodes.RETURN);
            far.visitLabel(next);
            far.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        }
        far.visitInsn(Opcodes.NOP);
        far.visitLabel(end);
        far.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
        far.visitInsn(Opcodes.RETURN);
        far.visitMaxs(1, 0);
        far.visitEnd();
        main(writer, "far", "()V");

        try (Receiver receiver = new Receiver()) {
            run(receiver, writer, "Hard#far=far exit;Hard#main=main return");

            assertThat(receiver.sums()).containsOnly(Map.entry("far", 1L), Map.entry("main", 1L));
        }
    }

    /** Interpreted, so that the calls of one method need the same stack space each time. */
    @Test
    void a_stack_overflow_changes_no_result_of_the_application_and_leaves_nothing_in_flight() throws Exception {
        try (Receiver receiver = new Receiver()) {
            ChildJvm.Ended child = ChildJvm.run(
                            receiver.arguments(), List.of(ChildJvm.FIXTURES), Deep.class, "-Xss512k", "-Xint")
                    .well();

            assertThat(child.err()).doesNotContain("Exception");
            assertThat(receiver.sums())
                    .containsKeys("deep", "deep.errors", "deep.leaf")
                    .doesNotContainKeys("deep.open", "rejected");
        }
    }

    private static ClassWriter hard() {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(Opcodes.V17, ACC_PUBLIC | ACC_SUPER, "Hard", null, "java/lang/Object", null);
        return writer;
    }

    private static void nops(MethodVisitor code, int bytes) {
        for (int i = 0; i < bytes; i++) {
            code.visitInsn(Opcodes.NOP);
        }
    }

    private static void main(ClassWriter writer, String calls, String descriptor) {
        MethodVisitor main = writer.visitMethod(ACC_PUBLIC | ACC_STATIC, "main", "([Ljava/lang/String;)V", null, null);
        main.visitCode();
        main.visitMethodInsn(Opcodes.INVOKESTATIC, "Hard", calls, descriptor, false);
        main.visitInsn(Opcodes.RETURN);
        main.visitMaxs(0, 1);
        main.visitEnd();
        writer.visitEnd();
    }

    private ChildJvm.Ended run(Receiver receiver, ClassWriter hard, String rules) throws Exception {
        Files.write(folder.resolve("Hard.class"), hard.toByteArray());
        String agent = ChildJvm.AGENT + "=" + receiver.arguments() + ",methods='" + rules + "'";
        return ChildJvm.start(List.of(agent, "-Xverify:all"), List.of(folder), "Hard")
                .await()
                .well();
    }
}
