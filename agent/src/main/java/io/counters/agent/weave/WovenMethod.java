package io.counters.agent.weave;

import io.counters.agent.weave.MethodCounts.Increment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.Attribute;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import net.bytebuddy.jar.asm.TypePath;
import net.bytebuddy.jar.asm.TypeReference;
import org.jspecify.annotations.Nullable;

/**
 * Inserts the counting calls into a method.
 *
 * <pre>
 *     calls for entry
 *   begin:                             ; only where a Throwable counts
 *     the body up to a return
 *   end:
 *     store the result                 ; only where a return counts
 *   from:
 *     calls for return
 *   to:
 *     load the result
 *     return
 *   begin:
 *     ...
 *   end:
 *   handler:                           ; for every begin to end, after all handlers of the body
 *     store the Throwable
 *   from:
 *     calls for throw
 *   to:
 *     load the Throwable, throw it
 *   lost:                              ; for every from to to, before all handlers of the body
 *     drop the Throwable of the counting code, count it as suppressed
 *     load the result, return          ; or load the Throwable, throw it
 * </pre>
 *
 * <p>The calls for return are outside the handler, so that each call of the method ends once. The frame of a handler has
 * only the local variable that is added here. Such a frame is valid after any code of the body, so the types in the body's
 * locals need not be known. The inserted code has no branches, so no other frame changes. Class files without frames, up to
 * Java 6, are verified otherwise: if such a body assigns an object of another class to a parameter, the verifier loads both.
 *
 * <p>Counting code may throw a {@link StackOverflowError}, as any call may. At entry the error is thrown to the caller: the
 * body has not run and nothing is in flight yet, as if the method's own variables had not fit on the stack. At a return or
 * a throw the method's own outcome is kept, and what could not be counted is lost. These handlers cost nothing unless
 * something is thrown. There, {@code inFlight} is decremented first, which nearly always fits on the stack because the
 * increment did. If the JVM compiled the two differently, an overflow may leave the counter too high by one.
 *
 * <p>A class file without frames, as there may be up to Java 6, has no handlers for counting code at a return.
 */
final class WovenMethod extends MethodVisitor {
    /** The stack that the inserted code needs besides the body's: a stage, a counter, a long, a boolean and a String. */
    static final int STACK = 6;

    /** The slots of the added local variable. */
    static final int LOCALS = 2;

    /** HotSpot compiles no method with more bytes than this (HugeMethodLimit), so it stays slow. */
    private static final int COMPILED_BYTES_MAX = 8000;

    private static final String THROWABLE = "java/lang/Throwable";
    private static final String STAGE = "Ljava/util/concurrent/CompletionStage;";

    private final MethodCounts counts;
    private final Callee callee;
    private final boolean hasFrames;
    private final Type result;

    /** The index of the added local variable, after those of the body; it holds the result or the Throwable. */
    private final int kept;

    private final List<Label> begins = new ArrayList<>();
    private final List<Label> ends = new ArrayList<>();

    /** The labels from, to, from, to, ... of the calls for return. */
    private final Label[] guarded;

    private final Label lost = new Label();
    private final Set<Label> places = new HashSet<>();
    private final Set<List<Object>> variables = new HashSet<>();
    private boolean isInCode;
    private int returns;
    private int addedBytes;
    private int bytes;

    WovenMethod(
            MethodVisitor written,
            String descriptor,
            MethodCounts counts,
            MethodShape shape,
            Callee callee,
            int version,
            boolean isVerifiedByFrames) {
        super(Opcodes.ASM9, written);
        this.counts = counts;
        this.callee = callee;
        hasFrames = version >= Opcodes.V1_6;
        result = Type.getReturnType(descriptor);
        kept = shape.locals;
        // Without frames the verifier would have to load classes to find the common superclass of several results.
        guarded = new Label[isVerifiedByFrames && !counts.returned.isEmpty() ? 2 * shape.returns : 0];
    }

    @Override
    public void visitCode() {
        isInCode = true;
        super.visitCode();
        for (int i = 0; i < guarded.length; i += 2) {
            guarded[i] = new Label();
            guarded[i + 1] = new Label();
            super.visitTryCatchBlock(guarded[i], guarded[i + 1], lost, null);
        }
        for (Increment increment : counts.entry) {
            add(increment);
        }
        for (Increment increment : counts.opened) {
            add(increment);
        }
        mark(begins);
        addedBytes = here();
    }

    /** Whether only the counting code makes it too long for HotSpot to compile it. */
    boolean isNoLongerCompiled() {
        return bytes > COMPILED_BYTES_MAX && bytes - addedBytes <= COMPILED_BYTES_MAX;
    }

    /** How many bytes have been written. */
    private int here() {
        Label here = new Label();
        super.visitLabel(here);
        return here.getOffset();
    }

    /**
     * Drops an attribute of the code that ASM does not know. If it has offsets of instructions, they are wrong now, and ASM would
     * write it as one of the method, where its name may have a meaning with which the JVM refuses the whole class.
     */
    @Override
    public void visitAttribute(Attribute attribute) {
        if (!isInCode) {
            super.visitAttribute(attribute);
        }
    }

    @Override
    public void visitLabel(Label label) {
        places.add(label);
        super.visitLabel(label);
    }

    /**
     * Drops an entry that begins or ends within an instruction, which the JVM accepts up to version 50: ASM would write the place
     * as 0. Also drops one that is there twice, which the JVM accepts if the name is another constant: ASM merges these.
     */
    @Override
    public void visitLocalVariable(
            String name, String descriptor, @Nullable String signature, Label start, Label end, int index) {
        if (places.contains(start) && places.contains(end) && variables.add(Arrays.asList(name, start, end, index))) {
            super.visitLocalVariable(name, descriptor, signature, start, end, index);
        }
    }

    /** Adjusts the index: the handlers of the body follow those of the calls for return. */
    @Override
    public AnnotationVisitor visitTryCatchAnnotation(
            int reference, @Nullable TypePath path, String descriptor, boolean visible) {
        int index = new TypeReference(reference).getTryCatchBlockIndex() + guarded.length / 2;
        return super.visitTryCatchAnnotation(
                TypeReference.newTryCatchReference(index).getValue(), path, descriptor, visible);
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode < Opcodes.IRETURN || opcode > Opcodes.RETURN) {
            super.visitInsn(opcode);
            return;
        }
        int from = here();
        mark(ends);
        if (!counts.returned.isEmpty()) {
            keep(Opcodes.ISTORE);
            guard(2 * returns);
            for (Increment increment : counts.returned) {
                addReturned(increment);
            }
            guard(2 * returns + 1);
            keep(Opcodes.ILOAD);
            returns++;
        }
        addedBytes += here() - from;
        super.visitInsn(opcode);
        mark(begins);
    }

    private void guard(int place) {
        if (place < guarded.length) {
            super.visitLabel(guarded[place]);
        }
    }

    /** @param opcode ISTORE or ILOAD */
    private void keep(int opcode) {
        if (result.getSort() != Type.VOID) {
            super.visitVarInsn(result.getOpcode(opcode), kept);
        }
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        int from = here();
        mark(ends);
        if (guarded.length > 0) {
            lost(lost, result);
            keep(Opcodes.ILOAD);
            super.visitInsn(result.getOpcode(Opcodes.IRETURN));
        }
        if (!counts.thrown.isEmpty()) {
            handler();
        }
        bytes = here();
        addedBytes += bytes - from;
        super.visitMaxs(maxStack + STACK, maxLocals + LOCALS);
    }

    private void handler() {
        Label handler = new Label();
        Label from = new Label();
        Label to = new Label();
        Label lostThrown = new Label();
        super.visitLabel(handler);
        frame(null);
        super.visitVarInsn(Opcodes.ASTORE, kept);
        super.visitLabel(from);
        for (Increment increment : counts.thrown) {
            addThrown(increment);
        }
        super.visitLabel(to);
        super.visitVarInsn(Opcodes.ALOAD, kept);
        super.visitInsn(Opcodes.ATHROW);
        lost(lostThrown, Type.getObjectType(THROWABLE));
        super.visitVarInsn(Opcodes.ALOAD, kept);
        super.visitInsn(Opcodes.ATHROW);
        for (int i = 0; i < begins.size(); i++) {
            if (begins.get(i).getOffset() < ends.get(i).getOffset()) {
                super.visitTryCatchBlock(begins.get(i), ends.get(i), handler, null);
            }
        }
        super.visitTryCatchBlock(from, to, lostThrown, null);
    }

    /** Begins a handler for Throwables of the counting code, after which the stack is empty; the added local has this type. */
    private void lost(Label handler, Type has) {
        super.visitLabel(handler);
        frame(has);
        super.visitInsn(Opcodes.POP);
        super.visitFieldInsn(Opcodes.GETSTATIC, callee.cells, "suppressed", "I");
        super.visitInsn(Opcodes.ICONST_1);
        super.visitInsn(Opcodes.IADD);
        super.visitFieldInsn(Opcodes.PUTSTATIC, callee.cells, "suppressed", "I");
    }

    private void frame(@Nullable Type has) {
        if (!hasFrames) {
            return;
        }
        Object[] locals = new Object[has == null || has.getSort() == Type.VOID ? 0 : kept + 1];
        if (locals.length > 0 && has != null) {
            Arrays.fill(locals, Opcodes.TOP);
            locals[kept] = verified(has);
        }
        super.visitFrame(Opcodes.F_FULL, locals.length, locals, 1, new Object[] {THROWABLE});
    }

    /** The name of a type in a frame. */
    private static Object verified(Type type) {
        switch (type.getSort()) {
            case Type.FLOAT:
                return Opcodes.FLOAT;
            case Type.LONG:
                return Opcodes.LONG;
            case Type.DOUBLE:
                return Opcodes.DOUBLE;
            case Type.ARRAY:
            case Type.OBJECT:
                return type.getInternalName();
            default:
                return Opcodes.INTEGER;
        }
    }

    private void mark(List<Label> places) {
        if (!counts.thrown.isEmpty()) {
            Label here = new Label();
            super.visitLabel(here);
            places.add(here);
        }
    }

    private void addReturned(Increment increment) {
        if (increment.stage != null && increment.isByException()) {
            addByException(increment, STAGE);
        } else if (increment.stage != null) {
            super.visitVarInsn(Opcodes.ALOAD, kept);
            callee.load(mv, increment.name);
            super.visitLdcInsn((long) increment.amount);
            super.visitInsn(increment.stage == Moment.THROW ? Opcodes.ICONST_0 : Opcodes.ICONST_1);
            if (increment.stage == Moment.RETURN) {
                super.visitInsn(Opcodes.ACONST_NULL);
            } else {
                super.visitLdcInsn(increment.on);
            }
            call(callee.completion, "add", "(" + STAGE + callee.counter + "JZLjava/lang/String;)V");
        } else if (counts.reentered) {
            // The same call as in kotlinc's own code, so the class loader of that code finds it.
            call("kotlin/coroutines/intrinsics/IntrinsicsKt", "getCOROUTINE_SUSPENDED", "()Ljava/lang/Object;");
            super.visitVarInsn(Opcodes.ALOAD, kept);
            callee.load(mv, increment.name);
            super.visitLdcInsn((long) increment.amount);
            call(callee.completion, "addUnless", "(Ljava/lang/Object;Ljava/lang/Object;" + callee.counter + "J)V");
        } else {
            add(increment);
        }
    }

    /** @param ending the descriptor of the Throwable that ends the call, or of the stage that may complete with one */
    private void addByException(Increment increment, String ending) {
        super.visitVarInsn(Opcodes.ALOAD, kept);
        super.visitLdcInsn((long) increment.amount);
        super.visitLdcInsn(increment.name);
        call(callee.completion, "addByException", "(" + ending + "JLjava/lang/String;)V");
    }

    private void addThrown(Increment increment) {
        if (increment.isByException()) {
            addByException(increment, "Ljava/lang/Throwable;");
        } else if (increment.on.isEmpty()) {
            add(increment);
        } else {
            super.visitVarInsn(Opcodes.ALOAD, kept);
            callee.load(mv, increment.name);
            super.visitLdcInsn((long) increment.amount);
            super.visitLdcInsn(increment.on);
            call(callee.cells, "addThrown", "(Ljava/lang/Throwable;" + callee.counter + "JLjava/lang/String;)V");
        }
    }

    private void add(Increment increment) {
        callee.load(mv, increment.name);
        if (increment.amount == 1) {
            call(callee.cells, "increment", "(" + callee.counter + ")V");
        } else if (increment.amount == -1) {
            call(callee.cells, "decrement", "(" + callee.counter + ")V");
        } else {
            super.visitLdcInsn((long) increment.amount);
            call(callee.cells, "add", "(" + callee.counter + "J)V");
        }
    }

    private void call(String type, String method, String descriptor) {
        super.visitMethodInsn(Opcodes.INVOKESTATIC, type, method, descriptor, false);
    }
}
