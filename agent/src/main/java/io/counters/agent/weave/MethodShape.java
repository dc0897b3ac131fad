package io.counters.agent.weave;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * What must be known of a method's code before it is written anew.
 *
 * <p>A suspend function that may suspend anywhere but in its last call is a state machine: it is entered for each call,
 * and again whenever it is resumed. Its code asks whether its last argument is the continuation it made itself, and
 * for its {@code label}. One without is entered and left once a call, like any method.
 */
final class MethodShape extends MethodVisitor {
    private final Set<String> askedFor = new HashSet<>();

    /** Its local variables, in places of 4 bytes. */
    int locals;

    /** Its return instructions. */
    int returns;

    /** Whether it is entered again when it is resumed. */
    boolean stateMachine;

    private MethodShape() {
        super(Opcodes.ASM9);
    }

    /** @param wanted of these methods, by name and descriptor written together */
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
    public void visitMaxs(int maxStack, int maxLocals) {
        locals = maxLocals;
    }
}
