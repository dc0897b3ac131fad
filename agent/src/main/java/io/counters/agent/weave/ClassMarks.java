package io.counters.agent.weave;

import static net.bytebuddy.jar.asm.Opcodes.ACC_ABSTRACT;
import static net.bytebuddy.jar.asm.Opcodes.ACC_BRIDGE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_NATIVE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_PUBLIC;
import static net.bytebuddy.jar.asm.Opcodes.ACC_SYNTHETIC;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** Reads from a class file which of its methods count what, by annotations and rules. The code itself is not looked at. */
final class ClassMarks extends ClassVisitor {
    private static final Set<String> OBJECTS = new HashSet<>(Arrays.asList(
            "equals(Ljava/lang/Object;)Z",
            "hashCode()I",
            "toString()Ljava/lang/String;",
            "clone()Ljava/lang/Object;",
            "finalize()V"));

    private final String owner;
    private final List<Rule> rules;
    private final Names names;
    private final Refusals refusals;
    private final List<Mark> classMarks = new ArrayList<>();
    private final Map<String, MethodCounts> methods = new HashMap<>();

    private ClassMarks(String owner, List<Rule> rules, Names names, Refusals refusals) {
        super(Opcodes.ASM9);
        this.owner = owner;
        this.rules = rules;
        this.names = names;
        this.refusals = refusals;
    }

    /** The methods that count, by name and descriptor written together. */
    static Map<String, MethodCounts> read(ClassReader reader, List<Rule> rules, Names names, Refusals refusals) {
        ClassMarks marks = new ClassMarks(reader.getClassName(), rules, names, refusals);
        for (Rule rule : rules) {
            if (rule.method.isEmpty()) {
                rule.matched = true;
                marks.classMarks.add(rule.mark);
            }
        }
        reader.accept(marks, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return marks.methods;
    }

    @Override
    public @Nullable AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
        return Mark.reader(descriptor, classMarks::add);
    }

    @Override
    public @Nullable MethodVisitor visitMethod(
            int access, String name, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        if ((access & (ACC_BRIDGE | ACC_SYNTHETIC)) != 0
                || name.equals("<clinit>")
                || name.startsWith("lambda$")
                || name.endsWith("$default")) {
            return null;
        }
        List<Mark> marks = new ArrayList<>();
        for (Rule rule : rules) {
            if (rule.method.equals(name)) {
                rule.matched = true;
                marks.add(rule.mark);
            }
        }
        return new MethodVisitor(Opcodes.ASM9) {
            @Override
            public @Nullable AnnotationVisitor visitAnnotation(String type, boolean visible) {
                return Mark.reader(type, marks::add);
            }

            @Override
            public void visitEnd() {
                method(access, name, descriptor, marks);
            }
        };
    }

    private void method(int access, String name, String descriptor, List<Mark> own) {
        boolean noBody = (access & (ACC_ABSTRACT | ACC_NATIVE)) != 0;
        if (noBody && !own.isEmpty()) {
            refusals.refuse(
                    owner,
                    name,
                    "an abstract or native method has no code to count in; put @Count on what implements it, or set "
                            + "inherit=true");
        }
        boolean inClass = (access & ACC_PUBLIC) != 0 && !name.equals("<init>") && !OBJECTS.contains(name + descriptor);
        List<Mark> marks = own.isEmpty() && inClass ? classMarks : own;
        MethodCounts counts = new MethodCounts();
        for (Mark mark : marks) {
            if (!noBody) {
                counts.add(mark, names, refusals, owner, name, descriptor);
            }
        }
        if (!counts.isEmpty()) {
            methods.put(name + descriptor, counts);
        }
    }
}
