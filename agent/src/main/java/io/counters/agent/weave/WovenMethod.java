package io.counters.agent.weave;

import io.counters.agent.weave.MethodCounts.Tick;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;

/**
 * Puts a method's counting calls where they belong.
 *
 * <pre>
 *     entry's calls
 *   begin:                             ; only where a Throwable counts
 *     the body, up to a return
 *   end:
 *     return's calls
 *     return
 *   begin:
 *     ...
 *   end:
 *   handler:                           ; for every begin to end, behind all handlers of the body
 *     thrown's calls
 *     throw the same again
 * </pre>
 *
 * <p>The return's calls lie outside the handler, so that a call ends once. The handler's frame has no locals and one
 * Throwable: that can be reached from everywhere, whatever the body keeps in its locals, so nothing about the body's
 * types need be known. There is no branch in what is put in, so no other frame changes.
 */
final class WovenMethod extends MethodVisitor {
    /** Above the body's own: an int, a long, and for a Throwable itself, its copy and a String. */
    private static final int STACK = 6;

    private static final String BRIDGE = "java/lang/CountersCells";

    private final MethodCounts counts;
    private final ToIntFunction<String> ids;
    private final boolean hasFrames;
    private final List<Label> begins = new ArrayList<>();
    private final List<Label> ends = new ArrayList<>();

    WovenMethod(MethodVisitor written, MethodCounts counts, ToIntFunction<String> ids, boolean hasFrames) {
        super(Opcodes.ASM9, written);
        this.counts = counts;
        this.ids = ids;
        this.hasFrames = hasFrames;
    }

    @Override
    public void visitCode() {
        super.visitCode();
        counts.entry.forEach(this::tick);
        mark(begins);
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode < Opcodes.IRETURN || opcode > Opcodes.RETURN) {
            super.visitInsn(opcode);
            return;
        }
        mark(ends);
        counts.returned.forEach(this::tick);
        super.visitInsn(opcode);
        mark(begins);
    }

    @Override
    public void visitMaxs(int maxStack, int maxLocals) {
        mark(ends);
        if (!counts.thrown.isEmpty()) {
            handler();
        }
        super.visitMaxs(maxStack + STACK, maxLocals);
    }

    private void handler() {
        Label handler = new Label();
        super.visitLabel(handler);
        if (hasFrames) {
            super.visitFrame(Opcodes.F_FULL, 0, new Object[0], 1, new Object[] {"java/lang/Throwable"});
        }
        counts.thrown.forEach(this::tick);
        super.visitInsn(Opcodes.ATHROW);
        for (int i = 0; i < begins.size(); i++) {
            if (begins.get(i).getOffset() < ends.get(i).getOffset()) {
                super.visitTryCatchBlock(begins.get(i), ends.get(i), handler, null);
            }
        }
    }

    private void mark(List<Label> places) {
        if (!counts.thrown.isEmpty()) {
            Label here = new Label();
            super.visitLabel(here);
            places.add(here);
        }
    }

    private void tick(Tick tick) {
        if (!tick.on.isEmpty()) {
            super.visitInsn(Opcodes.DUP);
        }
        number(ids.applyAsInt(tick.name));
        if (!tick.on.isEmpty()) {
            super.visitLdcInsn((long) tick.amount);
            super.visitLdcInsn(tick.on);
            call("addThrown", "(Ljava/lang/Throwable;IJLjava/lang/String;)V");
        } else if (tick.amount == 1) {
            call("increment", "(I)V");
        } else if (tick.amount == -1) {
            call("decrement", "(I)V");
        } else {
            super.visitLdcInsn((long) tick.amount);
            call("add", "(IJ)V");
        }
    }

    private void number(int id) {
        if (id <= 5) {
            super.visitInsn(Opcodes.ICONST_0 + id);
        } else if (id <= Short.MAX_VALUE) {
            super.visitIntInsn(Opcodes.SIPUSH, id);
        } else {
            super.visitLdcInsn(id);
        }
    }

    private void call(String method, String descriptor) {
        super.visitMethodInsn(Opcodes.INVOKESTATIC, BRIDGE, method, descriptor, false);
    }
}
