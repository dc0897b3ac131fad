package io.counters.agent.weave;

import java.util.Map;
import java.util.function.ToIntFunction;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Writes a class anew with the counting calls in it; methods that count nothing are copied byte by byte. */
final class WovenClass extends ClassVisitor {
    private final Map<String, MethodCounts> methods;
    private final ToIntFunction<String> ids;
    private boolean hasFrames;

    private WovenClass(ClassWriter writer, Map<String, MethodCounts> methods, ToIntFunction<String> ids) {
        super(Opcodes.ASM9, writer);
        this.methods = methods;
        this.ids = ids;
    }

    /** @param methods what each counts, by name and descriptor written together */
    static byte[] write(ClassReader reader, Map<String, MethodCounts> methods, ToIntFunction<String> ids) {
        ClassWriter writer = new ClassWriter(reader, 0);
        reader.accept(new WovenClass(writer, methods, ids), 0);
        return writer.toByteArray();
    }

    @Override
    public void visit(
            int version,
            int access,
            String name,
            @Nullable String signature,
            @Nullable String superName,
            String @Nullable [] interfaces) {
        hasFrames = (version & 0xffff) >= Opcodes.V1_6;
        super.visit(version, access, name, signature, superName, interfaces);
    }

    @Override
    public MethodVisitor visitMethod(
            int access, String name, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        MethodVisitor written = super.visitMethod(access, name, descriptor, signature, exceptions);
        MethodCounts counts = methods.get(name + descriptor);
        return counts == null ? written : new WovenMethod(written, counts, ids, hasFrames);
    }
}
