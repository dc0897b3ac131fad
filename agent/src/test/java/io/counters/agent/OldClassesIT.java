package io.counters.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Class files that are older than frames, with the subroutines to which {@code finally} was once compiled. */
class OldClassesIT {
    @TempDir
    Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(ints = {Opcodes.V1_1, Opcodes.V1_4, Opcodes.V1_5, Opcodes.V1_6})
    void a_method_with_a_subroutine_counts(int version) throws Exception {
        Files.write(folder.resolve("Old.class"), classWithSubroutine(version));
        try (Receiver receiver = new Receiver()) {
            String agent = ChildJvm.AGENT + "=" + receiver.arguments() + ",methods='Old#main = old exit'";
            ChildJvm.start(List.of(agent, "-Xverify:all"), List.of(folder), "Old")
                    .await()
                    .well();

            assertThat(receiver.sums()).containsEntry("old", 1L);
        }
    }

    private static byte[] classWithSubroutine(int version) {
        ClassWriter writer = new ClassWriter(0);
        writer.visit(version, Opcodes.ACC_PUBLIC | Opcodes.ACC_SUPER, "Old", null, "java/lang/Object", null);
        MethodVisitor main = writer.visitMethod(
                Opcodes.ACC_PUBLIC | Opcodes.ACC_STATIC, "main", "([Ljava/lang/String;)V", null, null);
        Label subroutine = new Label();
        main.visitCode();
        main.visitJumpInsn(Opcodes.JSR, subroutine);
        main.visitInsn(Opcodes.RETURN);
        main.visitLabel(subroutine);
        main.visitVarInsn(Opcodes.ASTORE, 1);
        main.visitVarInsn(Opcodes.RET, 1);
        main.visitMaxs(1, 2);
        main.visitEnd();
        writer.visitEnd();
        return writer.toByteArray();
    }
}
