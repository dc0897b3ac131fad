package io.counters.agent.weave;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * The facts about a method's code that are needed before it is instrumented.
 *
 * <p>A Kotlin suspend function that may suspend before its last call is a state machine: it is entered once for the call,
 * and again each time it is resumed. Its code checks whether its last argument is its own continuation, and reads that
 * continuation's {@code label}. A suspend function without this code is entered and left once per call, like any method.
 */
final class MethodShape extends MethodVisitor {
    /** The most that a class file can say of each. */
    private static final int NUMBER_MAX = 65535;

    private final Set<String> askedFor = new HashSet<>();

    /** The size of its local variables, in slots of 4 bytes. */
    int locals;

    /** The number of its return instructions. */
    int returns;

    private int stack;
    private int handlers;

    /** Whether it is a suspend function that is entered again when it is resumed. */
    boolean stateMachine;

    private MethodShape() {
        super(Opcodes.ASM9);
    }

    /** @param wanted the methods to read, each a name followed by its descriptor */
    static Map<String, MethodShape> read(ClassReader reader, Set<String> wanted) {
        Map<String, MethodShape> shapes = new HashMap<>();
        reader.accept(
                new ClassVisitor(Opcodes.ASM9) {
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
                        MethodShape shape = new MethodShape();
                        shapes.put(name + descriptor, shape);
                        return shape;
                    }
                },
                ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return shapes;
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode >= Opcodes.IRETURN && opcode <= Opcodes.RETURN) {
            returns++;
        }
    }

    @Override
    public void visitTypeInsn(int opcode, String type) {
        if (opcode == Opcodes.INSTANCEOF) {
            askedFor.add(type);
        }
    }

    @Override
    public void visitFieldInsn(int opcode, String type, String field, String descriptor) {
        stateMachine |= opcode == Opcodes.GETFIELD && field.equals("label") && askedFor.contains(type);
    }

    @Override
    public void visitTryCatchBlock(Label start, Label end, Label handler, @Nullable String type) {
        handlers++;
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        stack = maxStack;
        locals = maxLocals;
    }

    /** Whether it leaves no room for the local variables, the stack or the handlers of the counting code. */
    boolean isFull() {
        return locals > NUMBER_MAX - WovenMethod.LOCALS
                || stack > NUMBER_MAX - WovenMethod.STACK
                || handlers > NUMBER_MAX - 2 * returns - 2;
    }
}
