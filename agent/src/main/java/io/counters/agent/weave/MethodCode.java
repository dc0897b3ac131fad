package io.counters.agent.weave;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.Handle;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/**
 * The facts about a method's code that show whether it is a forwarder: a method that only loads its arguments or default
 * values, and makes one call.
 *
 * <pre>
 *   load parameters, constants, fields, getters of its own class; box and unbox; check for null
 *   call a method
 *   cast, box and unbox the result
 *   return
 * </pre>
 *
 * <p>A forwarder has no branch, stores nothing, and calls no other method. If the compiler of another language wrote {@code
 * @Generated} on the method, the default values may be any code, because Groovy copies them from the source.
 *
 * <p>If code before the call throws, the call would not be counted. In Java, where a person wrote that code, a method is
 * therefore not a forwarder if it calls getters, casts, reads fields of other objects, or uses boxes that are not the
 * JDK's; and the call must be on {@code this}.
 */
final class MethodCode extends MethodVisitor {
    private static final String NULL_CHECKS = "kotlin/jvm/internal/Intrinsics";
    private static final Set<String> BOXES = new HashSet<>(Arrays.asList(
            "java/lang/Object",
            "java/lang/Number",
            "java/lang/Boolean",
            "java/lang/Byte",
            "java/lang/Character",
            "java/lang/Short",
            "java/lang/Integer",
            "java/lang/Long",
            "java/lang/Float",
            "java/lang/Double"));
    private static final String METHOD = "Ljava/lang/reflect/Method;";
    private static final String HANDLE = "Ljava/lang/invoke/MethodHandle;";

    private final ClassCode in;
    private final int access;

    /** Its calls, in order; incomplete if it is not a forwarder. */
    private final List<Call> calls = new ArrayList<>(2);

    private boolean doesMore;
    private boolean generated;
    private int callsAtPop = Integer.MAX_VALUE;
    private int loads;
    private boolean onThis;
    private final List<String> statics = new ArrayList<>(0);
    private boolean readsDelegate;

    /** Whether it has line numbers. */
    boolean hasLines;

    /** Whether it uses a {@code Method} or {@code MethodHandle} as a value, as interceptors do. */
    boolean handsMethodOn;

    /** A call of a method. */
    static final class Call {
        final int opcode;
        final String owner;
        final String name;
        final String descriptor;

        Call(int opcode, String owner, String name, String descriptor) {
            this.opcode = opcode;
            this.owner = owner;
            this.name = name;
            this.descriptor = descriptor;
        }
    }

    /** The object on which a call is made. */
    enum Receiver {
        /** The same object, or none. */
        ITSELF,
        /** The object in a static field of the called type or of its outer type: a Scala or Kotlin object, a companion. */
        SINGLETON,
        /** The object in a field that Kotlin's compiler added for delegation. */
        DELEGATE,
        /** Any other object. */
        OTHER
    }

    MethodCode(ClassCode in, int access) {
        super(Opcodes.ASM9);
        this.in = in;
        this.access = access;
    }

    /** Whether a compiler generated it, according to its flags. */
    boolean isSynthetic() {
        return (access & (Opcodes.ACC_SYNTHETIC | Opcodes.ACC_BRIDGE)) != 0;
    }

    /** All its calls. */
    List<Call> calls() {
        return calls;
    }

    /** The calls that may be the forwarded one; none if it is not a forwarder. */
    List<Call> handsOnTo() {
        List<Call> candidates = new ArrayList<>(1);
        if (doesMore && !generated) {
            return candidates;
        }
        for (int i = calls.size() - 1; i >= 0; i--) {
            boolean only = i < callsAtPop;
            for (int before = 0; before < i && !generated; before++) {
                only &= isValue(calls.get(before));
            }
            if (only) {
                candidates.add(calls.get(i));
            }
            if (!isConversion(calls.get(i))) {
                break;
            }
        }
        return candidates;
    }

    /** The kind of object on which this call is made. */
    Receiver receiver(Call call) {
        if (call.opcode == Opcodes.INVOKESTATIC
                || ((call.opcode == Opcodes.INVOKESPECIAL || call.owner.equals(in.name()))
                        && (onThis || in.isOfOtherLanguage()))) {
            return Receiver.ITSELF;
        }
        return statics.contains("L" + call.owner + ";")
                ? Receiver.SINGLETON
                : readsDelegate ? Receiver.DELEGATE : Receiver.OTHER;
    }

    private boolean isValue(Call call) {
        boolean ownGetter = in.isOfOtherLanguage()
                && call.owner.equals(in.name())
                && call.descriptor.startsWith("()")
                && !call.descriptor.endsWith(")V");
        return ownGetter || call.owner.equals(NULL_CHECKS) || isConversion(call);
    }

    /** Whether the call boxes, unboxes, or creates an object of a value class from its value. */
    private boolean isConversion(Call call) {
        Type[] from = Type.getArgumentTypes(call.descriptor);
        Type to = Type.getReturnType(call.descriptor);
        boolean ofBox = BOXES.contains(call.owner);
        if (call.opcode == Opcodes.INVOKESTATIC && from.length == 1 && !in.isOfOtherLanguage()) {
            return ofBox && call.name.equals("valueOf") && isPrimitive(from[0]);
        }
        if (call.opcode == Opcodes.INVOKESTATIC && from.length == 1) {
            boolean boxes = isPrimitive(from[0]) && isBox(to);
            boolean unboxes = isBox(from[0]) && isPrimitive(to) && to.getSort() != Type.VOID;
            return boxes
                    || unboxes
                    || (call.owner.equals(in.name()) && to.getDescriptor().equals("L" + in.name() + ";"));
        }
        return from.length == 0 && ofBox && call.name.endsWith("Value");
    }

    private static boolean isBox(Type type) {
        return BOXES.contains(type.getInternalName());
    }

    private static boolean isPrimitive(Type type) {
        return type.getSort() != Type.OBJECT && type.getSort() != Type.ARRAY;
    }

    @Override
    public @Nullable AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
        generated |= in.isOfOtherLanguage() && TypeFile.isGenerated(descriptor);
        return null;
    }

    @Override
    public void visitLineNumber(int line, Label start) {
        hasLines = true;
    }

    @Override
    public void visitInsn(int opcode) {
        if (opcode == Opcodes.POP) {
            callsAtPop = Math.min(callsAtPop, calls.size());
        }
        boolean loads = opcode <= Opcodes.DCONST_1;
        boolean builds = opcode == Opcodes.DUP || (opcode >= Opcodes.IASTORE && opcode <= Opcodes.SASTORE);
        boolean converts = opcode >= Opcodes.I2L && opcode <= Opcodes.I2S;
        boolean ends = opcode == Opcodes.POP || (opcode >= Opcodes.IRETURN && opcode <= Opcodes.RETURN);
        doesMore |= !loads && !builds && !converts && !ends;
    }

    @Override
    public void visitIntInsn(int opcode, int operand) {
        // Loads a constant or creates an array, which a forwarder may do.
    }

    @Override
    public void visitLdcInsn(Object value) {
        handsMethodOn |= value instanceof Handle;
    }

    @Override
    public void visitVarInsn(int opcode, int local) {
        doesMore |= opcode > Opcodes.ALOAD;
        if (loads++ == 0) {
            onThis = opcode == Opcodes.ALOAD && local == 0 && (access & Opcodes.ACC_STATIC) == 0;
        }
    }

    @Override
    public void visitIincInsn(int local, int amount) {
        doesMore = true;
    }

    @Override
    public void visitTypeInsn(int opcode, String type) {
        doesMore |= opcode != Opcodes.CHECKCAST && opcode != Opcodes.ANEWARRAY;
        if (opcode == Opcodes.CHECKCAST && !in.isOfOtherLanguage()) {
            callsAtPop = Math.min(callsAtPop, calls.size());
        }
    }

    @Override
    public void visitMultiANewArrayInsn(String descriptor, int dimensions) {
        doesMore = true;
    }

    @Override
    public void visitFieldInsn(int opcode, String type, String field, String descriptor) {
        boolean first = loads++ <= 1;
        if (opcode == Opcodes.GETSTATIC) {
            boolean onlyOne = descriptor.equals("L" + type + ";") || descriptor.startsWith("L" + type + "$");
            if (onlyOne && in.isOfOtherLanguage()) {
                statics.add(descriptor);
            }
            handsMethodOn |= descriptor.endsWith(METHOD) || descriptor.endsWith(HANDLE);
        } else if (opcode == Opcodes.GETFIELD) {
            boolean own = type.equals(in.name());
            readsDelegate |= own && in.delegates.contains(field);
            doesMore |= !own && !in.isOfOtherLanguage();
            onThis &= !first;
        } else {
            doesMore = true;
        }
    }

    @Override
    public void visitMethodInsn(int opcode, String type, String method, String descriptor, boolean isInterface) {
        if (opcode == Opcodes.INVOKESPECIAL && !method.equals("<init>") && !type.equals(in.name())) {
            in.superCalls.add(method + descriptor);
        }
        if (!doesMore || generated || isSynthetic()) {
            calls.add(new Call(opcode, type, method, descriptor));
        }
    }

    @Override
    public void visitInvokeDynamicInsn(String method, String descriptor, Handle bootstrap, Object... arguments) {
        doesMore = true;
        Type[] types = Type.getArgumentTypes(descriptor);
        // A call in a dynamic language: the first bootstrap argument is the name of the called method.
        if (generated && arguments.length > 0 && arguments[0] instanceof String && types.length > 0) {
            String on = types[0].getSort() == Type.OBJECT ? types[0].getInternalName() : "";
            calls.add(new Call(Opcodes.INVOKEDYNAMIC, on, (String) arguments[0], descriptor));
        }
    }

    @Override
    public void visitJumpInsn(int opcode, Label label) {
        doesMore = true;
    }

    @Override
    public void visitTableSwitchInsn(int min, int max, Label otherwise, Label... labels) {
        doesMore = true;
    }

    @Override
    public void visitLookupSwitchInsn(Label otherwise, int[] keys, Label[] labels) {
        doesMore = true;
    }
}
