package io.counters.agent.weave;

import static net.bytebuddy.jar.asm.Opcodes.ACC_ABSTRACT;
import static net.bytebuddy.jar.asm.Opcodes.ACC_ANNOTATION;
import static net.bytebuddy.jar.asm.Opcodes.ACC_BRIDGE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_INTERFACE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_NATIVE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_PRIVATE;
import static net.bytebuddy.jar.asm.Opcodes.ACC_PROTECTED;
import static net.bytebuddy.jar.asm.Opcodes.ACC_PUBLIC;
import static net.bytebuddy.jar.asm.Opcodes.ACC_STATIC;
import static net.bytebuddy.jar.asm.Opcodes.ACC_SYNTHETIC;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import net.bytebuddy.jar.asm.AnnotationVisitor;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import net.bytebuddy.jar.asm.RecordComponentVisitor;
import org.jspecify.annotations.Nullable;

/**
 * The contents of a class file: the supertypes, and the methods with their annotations. Bridges, accessors and lambdas
 * never count, so the methods do not include them; other synthetic methods are included if they carry an annotation that
 * counts. Code is read only to find the method that a bridge calls.
 */
final class TypeFile extends ClassVisitor {
    private static final Set<String> OBJECTS = new HashSet<>(Arrays.asList(
            "equals(Ljava/lang/Object;)Z",
            "hashCode()I",
            "toString()Ljava/lang/String;",
            "clone()Ljava/lang/Object;",
            "finalize()V"));

    final String name;
    final @Nullable String superName;
    final String[] interfaces;
    final Annotations annotations;
    final List<Method> methods = new ArrayList<>();

    /** The nested classes that the class file lists. */
    final List<String> nested = new ArrayList<>(0);

    private final int access;
    private final Set<String> wanted;
    private final Set<String> components = new HashSet<>(0);

    /** A method that may count. */
    static final class Method {
        final String name;
        final String descriptor;
        final Annotations annotations;
        private final int access;
        private final boolean reads;

        /** Whether an annotation says that a compiler or a tool wrote it. */
        private boolean generated;

        /** The names with parameter types under which it can be called: its own, and those of its bridges. */
        private final List<String> signatures = new ArrayList<>(1);

        Method(int access, String name, String descriptor, Annotations annotations, boolean reads) {
            this.access = access;
            this.name = name;
            this.descriptor = descriptor;
            this.annotations = annotations;
            this.reads = reads;
            signatures.add(signature(name, descriptor));
        }

        boolean hasCode() {
            return (access & (ACC_ABSTRACT | ACC_NATIVE)) == 0;
        }

        boolean isStatic() {
            return (access & ACC_STATIC) != 0;
        }

        boolean isNative() {
            return (access & ACC_NATIVE) != 0;
        }

        /** Whether {@code @Count} on the class applies to it. */
        boolean isOpen() {
            return (access & ACC_PUBLIC) != 0
                    && !isAdded()
                    && !name.equals("<init>")
                    && !OBJECTS.contains(name + descriptor);
        }

        /** Whether it is not in the source; then it counts only for its own annotations. */
        boolean isAdded() {
            return generated || (access & ACC_SYNTHETIC) != 0;
        }

        /** Whether {@code *} does not match it: a method of Object, a getter, a setter, or a record's accessor. */
        boolean isEveryday() {
            boolean nothing = descriptor.startsWith("()");
            boolean gives = !descriptor.endsWith(")V");
            return OBJECTS.contains(name + descriptor)
                    || reads
                    || (isWord("get") && nothing && gives)
                    || (isWord("is") && descriptor.equals("()Z"))
                    || (isWord("set") && takesOne());
        }

        private boolean isWord(String first) {
            return name.startsWith(first)
                    && name.length() > first.length()
                    && Character.isUpperCase(name.charAt(first.length()));
        }

        private boolean takesOne() {
            return net.bytebuddy.jar.asm.Type.getArgumentTypes(descriptor).length == 1;
        }

        /** Whether it can override and be overridden. */
        boolean isVirtual() {
            return (access & (ACC_PRIVATE | ACC_STATIC)) == 0 && !name.startsWith("<");
        }

        /** Whether it overrides or implements a method of a supertype. */
        boolean overrides(Method above) {
            return isVirtual()
                    && above.isVirtual()
                    && signatures.contains(above.signatures.get(0))
                    && ((above.access & (ACC_PUBLIC | ACC_PROTECTED)) != 0
                            || packageOf(annotations.owner).equals(packageOf(above.annotations.owner)));
        }

        private static String packageOf(String type) {
            return type.substring(0, type.lastIndexOf('/') + 1);
        }
    }

    private TypeFile(ClassReader reader, Set<String> wanted) {
        super(Opcodes.ASM9);
        this.name = reader.getClassName();
        this.superName = reader.getSuperName();
        this.interfaces = reader.getInterfaces();
        this.access = reader.getAccess();
        this.annotations = new Annotations(name, true);
        this.wanted = wanted;
    }

    /**
     * Reads a class file.
     *
     * @param wanted descriptors of annotations to record, besides {@code @Count}
     * @param bridges whether to read bridges, which are needed to recognize overrides
     */
    static TypeFile read(ClassReader reader, Set<String> wanted, boolean bridges) {
        TypeFile file = new TypeFile(reader, wanted);
        reader.accept(file, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        if (bridges) {
            reader.accept(new Bridges(file), ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        }
        return file;
    }

    boolean isInterface() {
        return (access & ACC_INTERFACE) != 0;
    }

    /** Whether a compiler or a tool generated the class. */
    boolean isSynthetic() {
        return (access & ACC_SYNTHETIC) != 0;
    }

    /** The method with this name and descriptor; null if there is none that may count. */
    @Nullable
    Method find(String method, String descriptor) {
        for (Method each : methods) {
            if (each.name.equals(method) && each.descriptor.equals(descriptor)) {
                return each;
            }
        }
        return null;
    }

    /** Whether it is an annotation with which compilers and tools mark generated code. */
    static boolean isGenerated(String annotation) {
        return annotation.endsWith("/Generated;");
    }

    boolean isAnnotation() {
        return (access & ACC_ANNOTATION) != 0;
    }

    /** Whether the class or a method has an annotation that may count. */
    boolean isAnnotated() {
        boolean any = !annotations.isEmpty();
        for (int i = 0; i < methods.size() && !any; i++) {
            any = !methods.get(i).annotations.isEmpty();
        }
        return any;
    }

    /** Removes methods that are not needed of a supertype: those that cannot be overridden and, if requested, unmarked ones. */
    void shrink(boolean annotatedOnly) {
        for (Iterator<Method> each = methods.iterator(); each.hasNext(); ) {
            Method method = each.next();
            boolean silent = method.annotations.isEmpty() && (annotations.isEmpty() || !method.isOpen());
            if (!method.isVirtual() || (annotatedOnly && silent)) {
                each.remove();
            }
        }
    }

    private static String signature(String name, String descriptor) {
        return name + descriptor.substring(0, descriptor.indexOf(')') + 1);
    }

    @Override
    public @Nullable AnnotationVisitor visitAnnotation(String descriptor, boolean visible) {
        return annotations.read(descriptor, wanted);
    }

    @Override
    public void visitInnerClass(String inner, @Nullable String outer, @Nullable String simpleName, int flags) {
        if (inner.startsWith(name + "$")) {
            nested.add(inner);
        }
    }

    @Override
    public @Nullable RecordComponentVisitor visitRecordComponent(
            String component, String descriptor, @Nullable String signature) {
        components.add(component + "()" + descriptor);
        return null;
    }

    @Override
    public @Nullable MethodVisitor visitMethod(
            int access, String method, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        boolean synthetic = (access & ACC_SYNTHETIC) != 0;
        boolean hidden = method.equals("<init>") || (access & ACC_PRIVATE) != 0;
        if ((access & ACC_BRIDGE) != 0 || method.equals("<clinit>") || (synthetic && hidden)) {
            return null;
        }
        Annotations on = new Annotations(name, false);
        Method read = new Method(access, method, descriptor, on, components.contains(method + descriptor));
        methods.add(read);
        return new MethodVisitor(Opcodes.ASM9) {
            @Override
            public @Nullable AnnotationVisitor visitAnnotation(String type, boolean visible) {
                read.generated |= isGenerated(type);
                return on.read(type, wanted);
            }

            @Override
            public void visitEnd() {
                // A synthetic method with a mark is in the source, such as one with Kotlin's @JvmSynthetic.
                if (synthetic && on.isEmpty()) {
                    methods.remove(read);
                }
            }
        };
    }

    /** Finds the method that each bridge calls. javac generates a bridge if the overridden method has other types. */
    private static final class Bridges extends ClassVisitor {
        private final TypeFile file;

        Bridges(TypeFile file) {
            super(Opcodes.ASM9);
            this.file = file;
        }

        @Override
        public @Nullable MethodVisitor visitMethod(
                int access,
                String bridge,
                String descriptor,
                @Nullable String signature,
                String @Nullable [] exceptions) {
            if ((access & ACC_BRIDGE) == 0) {
                return null;
            }
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public void visitMethodInsn(
                        int opcode, String owner, String called, String calledDescriptor, boolean ofInterface) {
                    for (Method method : file.methods) {
                        if (owner.equals(file.name)
                                && called.equals(method.name)
                                && calledDescriptor.equals(method.descriptor)) {
                            method.signatures.add(signature(bridge, descriptor));
                        }
                    }
                }
            };
        }
    }
}
