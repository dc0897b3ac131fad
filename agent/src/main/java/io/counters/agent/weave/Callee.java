package io.counters.agent.weave;

import java.util.function.ToIntFunction;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * What inserted code calls to count. The agent inserts calls of its bridge, with the ID of a counter; a build inserts calls
 * of the API, with the name of a counter, because IDs differ from one JVM to the next. The methods are otherwise the same.
 */
final class Callee {
    /** The API's class for woven code. */
    static final String WOVEN = "io/counters/Woven";

    /** The type with the methods for amounts, and the field of what was suppressed. */
    final String cells;

    /** The type with the methods for what is known only when a call ends. */
    final String completion;

    /** The descriptor of the parameter that says which counter. */
    final String counter;

    /** The attribute that the class file gets; null if it gets none. */
    final @Nullable BuildMark mark;

    private final @Nullable ToIntFunction<String> ids;

    private Callee(
            String cells,
            String completion,
            String counter,
            @Nullable BuildMark mark,
            @Nullable ToIntFunction<String> ids) {
        this.cells = cells;
        this.completion = completion;
        this.counter = counter;
        this.mark = mark;
        this.ids = ids;
    }

    /** @param ids returns the ID of a name */
    static Callee bridge(ToIntFunction<String> ids) {
        return new Callee("java/lang/CountersCells", "java/lang/CountersCompletion", "I", null, ids);
    }

    /** @param original the class file before it is woven */
    static Callee api(byte[] original) {
        return new Callee(WOVEN, WOVEN, "Ljava/lang/String;", BuildMark.ofOriginal(original), null);
    }

    /** Inserts the code that says which counter. */
    void load(MethodVisitor code, String name) {
        if (ids == null) {
            code.visitLdcInsn(name);
            return;
        }
        int id = ids.applyAsInt(name);
        if (id <= 5) {
            code.visitInsn(Opcodes.ICONST_0 + id);
        } else if (id <= Short.MAX_VALUE) {
            code.visitIntInsn(Opcodes.SIPUSH, id);
        } else {
            code.visitLdcInsn(id);
        }
    }
}
