package io.counters.agent.weave;

import java.util.Map;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodTooLargeException;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Inserts the counting calls into a class. Methods that count nothing are copied unchanged. */
final class WovenClass extends ClassVisitor {
    private final Map<String, MethodCounts> methods;
    private final Map<String, MethodShape> shapes;
    private final Callee callee;
    private boolean hasFrames;

    private WovenClass(
            ClassWriter writer, Map<String, MethodCounts> methods, Map<String, MethodShape> shapes, Callee callee) {
        super(Opcodes.ASM9, writer);
        this.methods = methods;
        this.shapes = shapes;
        this.callee = callee;
    }

    /**
     * The instrumented class file; null if no method is left to count.
     *
     * @param methods what each method counts; a key is a name followed by a descriptor. Methods that cannot be instrumented
     *     are removed
     */
    static byte @Nullable [] write(
            ClassReader reader, Map<String, MethodCounts> methods, Callee callee, RefusedMarks refusals) {
        Map<String, MethodShape> shapes = MethodShape.read(reader, methods.keySet());
        for (Map.Entry<String, MethodShape> shape : shapes.entrySet()) {
            MethodCounts counts = methods.get(shape.getKey());
            if (counts != null && counts.suspends && shape.getValue().stateMachine) {
                counts.reenter();
            }
        }
        while (!methods.isEmpty()) {
            try {
                ClassWriter writer = new ClassWriter(reader, 0);
                reader.accept(new WovenClass(writer, methods, shapes, callee), 0);
                return writer.toByteArray();
            } catch (MethodTooLargeException tooLarge) {
                if (methods.remove(tooLarge.getMethodName() + tooLarge.getDescriptor()) == null) {
                    throw tooLarge;
                }
                refusals.refuse(
                        reader.getClassName(),
                        tooLarge.getMethodName(),
                        "with its counting code it would exceed 65535 bytes, the maximum for a method, so it is not"
                                + " counted; count the methods that it calls or that call it");
            }
        }
        return null;
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
        MethodShape shape = shapes.get(name + descriptor);
        return counts == null || shape == null
                ? written
                : new WovenMethod(written, descriptor, counts, shape, callee, hasFrames);
    }

    @Override
    public void visitEnd() {
        if (callee.mark != null) {
            super.visitAttribute(callee.mark);
        }
        super.visitEnd();
    }
}
