package io.counters.agent.weave;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.FieldVisitor;
import net.bytebuddy.jar.asm.MethodVisitor;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/** The facts about the code of a class from which {@link Forwarding} finds forwarders and proxies. */
final class ClassCode extends ClassVisitor {
    private final ClassReader reader;
    private final Map<String, MethodCode> methods = new HashMap<>();
    private String source = "";

    /** The fields that Kotlin's compiler adds for delegation with {@code by}; other added fields hold captured values. */
    final Set<String> delegates = new HashSet<>(0);

    /** The methods that it calls on {@code super}, each a name followed by its descriptor. */
    final Set<String> superCalls = new HashSet<>(0);

    private ClassCode(ClassReader reader) {
        super(Opcodes.ASM9);
        this.reader = reader;
    }

    static ClassCode read(ClassReader reader) {
        ClassCode code = new ClassCode(reader);
        reader.accept(code, ClassReader.SKIP_FRAMES);
        return code;
    }

    /** The name of the class, with slashes. */
    String name() {
        return reader.getClassName();
    }

    /** The code of a method; null if it has none. */
    @Nullable
    MethodCode of(String nameAndDescriptor) {
        return methods.get(nameAndDescriptor);
    }

    /** Whether its source is in a language other than Java, according to the name of the source file. */
    boolean isOfOtherLanguage() {
        return !source.isEmpty() && !source.endsWith(".java");
    }

    @Override
    public void visitSource(@Nullable String file, @Nullable String debug) {
        source = file == null ? "" : file;
    }

    @Override
    public @Nullable FieldVisitor visitField(
            int access, String name, String descriptor, @Nullable String signature, @Nullable Object value) {
        if ((access & Opcodes.ACC_SYNTHETIC) != 0 && name.startsWith("$$delegate_")) {
            delegates.add(name);
        }
        return null;
    }

    @Override
    public @Nullable MethodVisitor visitMethod(
            int access, String name, String descriptor, @Nullable String signature, String @Nullable [] exceptions) {
        if ((access & (Opcodes.ACC_ABSTRACT | Opcodes.ACC_NATIVE)) != 0) {
            return null;
        }
        MethodCode code = new MethodCode(this, access);
        methods.put(name + descriptor, code);
        return code;
    }
}
