package io.counters.agent.weave;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.Handle;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * What must be known of a method's code before it is written anew.
 *
 * <p>Of Kotlin's methods that is also what they are to the function in the source. kotlinc copies annotations to
 * methods that only hand a call on, and does not mark them synthetic: a companion's {@code @JvmStatic}, the overloads
 * of {@code @JvmOverloads}, an interface's default function in {@code DefaultImpls} and in the classes that take it
 * over, what is delegated by {@code by}. To count those too would count such calls twice.
 *
 * <pre>
 *   load parameters, constants, the companion or the delegate; check parameters for null
 *   call the same name, or name$default, or access$name$jd
 *   return
 * </pre>
 *
 * <p>A suspend function that may suspend anywhere but in its last call is a state machine: it is entered for each call,
 * and again whenever it is resumed. Its code asks whether its last argument is the continuation it made itself, and
 * for its {@code label}. One without is entered and left once a call, like any method.
 */
final class MethodShape extends MethodVisitor {
    private static final String CHECKS = "kotlin/jvm/internal/Intrinsics";
    private static final String DEFAULTS = "$DefaultImpls";

    private final String owner;
    private final String name;
    private final boolean kotlin;
    private final Set<String> askedFor = new HashSet<>();
    private boolean doesMore;
    private boolean receiver;
    private boolean handsOn;

    /** Its local variables, in places of 4 bytes. */
    int locals;

    /** Its return instructions. */
    int returns;

    /** Whether it is entered again when it is resumed. */
    boolean stateMachine;

    private MethodShape(String owner, String name, boolean kotlin) {
        super(Opcodes.ASM9);
        this.owner = owner;
        this.name = name;
        this.kotlin = kotlin;
    }

    /** @param wanted of these methods, by name and descriptor written together */
    static Map<String, MethodShape> read(ClassReader reader, Set<String> wanted) {
        Map<String, MethodShape> shapes = new HashMap<>();
        reader.accept(
                new ClassVisitor(Opcodes.ASM9) {
                    private boolean kotlin;

                    @Override
                    public @Nullable AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
                        kotlin |= descriptor.equals("Lkotlin/Metadata;");
                        return null;
                    }

                    @Override
                    public @Nullable MethodVisitor visitMethod(
                            int access,
                            String name,
                            String descriptor,
                            @Nullable String signature,
                            String @Nullable [] exceptions) {
                        if (!wanted.contains(name + descriptor)) {
                            return null;
                        }
                        MethodShape shape = new MethodShape(reader.getClassName(), name, kotlin);
                        shapes.put(name + descriptor, shape);
                        return shape;
                    }
                },
                ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return shapes;
    }

    /** Whether all it does is to hand the call on to the method that is counted. */
    boolean handsOn() {
        return kotlin && handsOn && !doesMore;
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.RETURN) {
            returns++;
        } else if (opcode > Opcodes.DCONST_1) {
            doesMore = true;
        }
    }

    @Override
    public void visitVarInsn(int opcode, int local) {
        doesMore |= handsOn || opcode > Opcodes.ALOAD;
    }

    @Override
    public void visitIincInsn(int local, int amount) {
        doesMore = true;
    }

    @Override
    public void visitTypeInsn(int opcode, String type) {
        doesMore |= opcode != Opcodes.CHECKCAST;
        if (opcode == Opcodes.INSTANCEOF) {
            askedFor.add(type);
        }
    }

    @Override
    public void visitFieldInsn(int opcode, String type, String field, String descriptor) {
        boolean companion =
                opcode == Opcodes.GETSTATIC && type.equals(owner) && descriptor.startsWith("L" + owner + "$");
        boolean delegate = opcode == Opcodes.GETFIELD && field.startsWith("$$delegate_");
        receiver |= companion || delegate;
        doesMore |= !companion && !delegate;
        stateMachine |= opcode == Opcodes.GETFIELD && field.equals("label") && askedFor.contains(type);
    }

    @Override
    public void visitMethodInsn(int opcode, String type, String method, String descriptor, boolean isInterface) {
        if (opcode == Opcodes.INVOKESTATIC && type.equals(CHECKS)) {
            return;
        }
        doesMore |= handsOn;
        boolean toItself = method.equals(name)
                && (receiver
                        || (opcode == Opcodes.INVOKESPECIAL && isInterface)
                        || (opcode == Opcodes.INVOKESTATIC && type.endsWith(DEFAULTS)));
        boolean toDefault = opcode == Opcodes.INVOKESTATIC
                && ((method.equals(name + "$default") && type.equals(owner))
                        || (method.equals("access$" + name + "$jd") && owner.endsWith(DEFAULTS)));
        handsOn = toItself || toDefault;
        doesMore |= !handsOn;
    }

    @Override
    public void visitInvokeDynamicInsn(String method, String descriptor, Handle bootstrap, Object... arguments) {
        doesMore = true;
    }

    @Override
    public void visitJumpInsn(int opcode, Label label) {
        doesMore = true;
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        locals = maxLocals;
    }
}
