package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.HashMap;
import java.util.Map;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.MethodTooLargeException;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.ModuleVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Inserts the counting calls into a class. Methods that count nothing are copied. */
final class WovenClass extends ClassVisitor {
    /** The offset of the major version in a class file. */
    private static final int VERSION = 6;

    private static final byte[][] FRAMES = {"StackMapTable".getBytes(UTF_8)};

    private final boolean isVerifiedByFrames;
    private final Map<String, MethodCounts> methods;
    private final Map<String, MethodShape> shapes;
    private final Callee callee;
    private final Map<String, WovenMethod> written = new HashMap<>();
    private int major;
    private boolean isPreview;

    private WovenClass(
            ClassWriter writer,
            boolean isVerifiedByFrames,
            Map<String, MethodCounts> methods,
            Map<String, MethodShape> shapes,
            Callee callee) {
        super(Opcodes.ASM9, writer);
        this.isVerifiedByFrames = isVerifiedByFrames;
        this.methods = methods;
        this.shapes = shapes;
        this.callee = callee;
    }

    /**
     * The instrumented class file; null if no method is left to count.
     *
     * @param bytes what the reader reads
     * @param methods what each method counts; a key is a name followed by a descriptor. Methods that cannot be instrumented
     *     are removed
     */
    static byte @Nullable [] write(
            byte[] bytes, ClassReader reader, Map<String, MethodCounts> methods, Callee callee, RefusedMarks refusals) {
        Map<String, MethodShape> shapes = MethodShape.read(reader, methods.keySet());
        for (Map.Entry<String, MethodShape> shape : shapes.entrySet()) {
            MethodCounts counts = methods.get(shape.getKey());
            if (shape.getValue().isFull()) {
                methods.remove(shape.getKey());
                refuse(
                        refusals,
                        reader,
                        shape.getKey(),
                        "its variables, stack or handlers leave no room for counting code");
            } else if (counts != null && counts.suspends && shape.getValue().stateMachine) {
                counts.reenter();
            }
        }
        int version = reader.readUnsignedShort(VERSION);
        boolean isVerifiedByFrames =
                version > Opcodes.V1_6 || (version == Opcodes.V1_6 && ConstantPool.contain(FRAMES, bytes));
        // The JVM reads no frames below Java 6, and ASM refuses to write them.
        int skipped = version < Opcodes.V1_6 ? ClassReader.SKIP_FRAMES : 0;
        while (!methods.isEmpty()) {
            ClassWriter writer = new ClassWriter(reader, 0);
            WovenClass woven = new WovenClass(writer, isVerifiedByFrames, methods, shapes, callee);
            try {
                reader.accept(woven, CodeAttribute.ALL, skipped);
                if (!woven.hasMadeSlow(reader, refusals)) {
                    return writer.toByteArray();
                }
            } catch (MethodTooLargeException tooLarge) {
                String method = tooLarge.getMethodName() + tooLarge.getDescriptor();
                if (methods.remove(method) == null) {
                    throw tooLarge;
                }
                refuse(
                        refusals,
                        reader,
                        method,
                        "with its counting code it would exceed 65535 bytes, the maximum for a method");
            }
        }
        return null;
    }

    /** @param method its name followed by its descriptor */
    private static void refuse(RefusedMarks refusals, ClassReader reader, String method, String why) {
        refusals.refuse(
                reader.getClassName(),
                method.substring(0, method.indexOf('(')),
                why + ", so it is not counted; count the methods that it calls or that call it");
    }

    /** Whether the JVM would no longer compile a method, which is refused then. */
    private boolean hasMadeSlow(ClassReader reader, RefusedMarks refusals) {
        int before = methods.size();
        for (Map.Entry<String, WovenMethod> method : written.entrySet()) {
            // An initializer runs once.
            if (!method.getKey().startsWith("<clinit>") && method.getValue().isNoLongerCompiled()) {
                methods.remove(method.getKey());
                refuse(
                        refusals,
                        reader,
                        method.getKey(),
                        "with its counting code it would exceed 8000 bytes, above which the JVM does not compile a method");
            }
        }
        return methods.size() < before;
    }

    @Override
    public void visit(
            int version,
            int access,
            String name,
            @Nullable String signature,
            @Nullable String superName,
            String @Nullable [] interfaces) {
        major = version & 0xffff;
        isPreview = (version & Opcodes.V_PREVIEW) == Opcodes.V_PREVIEW;
        super.visit(version, access, name, signature, superName, interfaces);
    }

    // What the JVM does not read in a class file of this version may be anything, and ASM reads it nevertheless.

    @Override
    public void visitOuterClass(String owner, @Nullable String name, @Nullable String descriptor) {
        if (major >= Opcodes.V1_5) {
            super.visitOuterClass(owner, name, descriptor);
        }
    }

    @Override
    public void visitNestHost(String host) {
        if (major >= Opcodes.V11) {
            super.visitNestHost(host);
        }
    }

    @Override
    public void visitNestMember(String member) {
        if (major >= Opcodes.V11) {
            super.visitNestMember(member);
        }
    }

    @Override
    public void visitPermittedSubclass(String subclass) {
        if (major >= Opcodes.V17 || isPreview) {
            super.visitPermittedSubclass(subclass);
        }
    }

    /** A class is no module. */
    @Override
    public @Nullable ModuleVisitor visitModule(String name, int access, @Nullable String version) {
        return null;
    }

    /**
     * Leaves out an entry that says of a class that it is its own outer one. The JVM compares the numbers of the two constants,
     * which differ if there are two of the same name. ASM merges these, and the JVM would then refuse the whole class.
     */
    @Override
    public void visitInnerClass(String inner, @Nullable String outer, @Nullable String simpleName, int flags) {
        if (!inner.equals(outer)) {
            super.visitInnerClass(inner, outer, simpleName, flags);
        }
    }

    @Override
    public MethodVisitor visitMethod(
            int access, String name, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        MethodVisitor copied = super.visitMethod(access, name, descriptor, signature, exceptions);
        MethodCounts counts = methods.get(name + descriptor);
        MethodShape shape = shapes.get(name + descriptor);
        if (counts == null || shape == null) {
            return copied;
        }
        WovenMethod method = new WovenMethod(copied, descriptor, counts, shape, callee, major, isVerifiedByFrames);
        written.put(name + descriptor, method);
        return method;
    }

    @Override
    public void visitEnd() {
        if (callee.mark != null) {
            super.visitAttribute(callee.mark);
        }
        super.visitEnd();
    }
}
