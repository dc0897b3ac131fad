package io.counters.agent.weave;

import net.bytebuddy.jar.asm.Attribute;
import net.bytebuddy.jar.asm.ByteVector;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import org.jspecify.annotations.Nullable;

/**
 * An attribute with a name that the JVM reads in a method. In a method's code the JVM ignores it. ASM would write it as one of
 * the method, and the JVM would then refuse the whole class.
 */
final class CodeAttribute extends Attribute {
    /** One for each name that the JVM reads in a method. */
    static final Attribute[] ALL = {
        of("AnnotationDefault"),
        of("Code"),
        of("Deprecated"),
        of("Exceptions"),
        of("MethodParameters"),
        of("RuntimeInvisibleAnnotations"),
        of("RuntimeInvisibleParameterAnnotations"),
        of("RuntimeVisibleAnnotations"),
        of("RuntimeVisibleParameterAnnotations"),
        of("Signature"),
        of("Synthetic")
    };

    private final byte[] bytes;
    private final boolean isOfCode;

    private CodeAttribute(String name, byte[] bytes, boolean isOfCode) {
        super(name);
        this.bytes = bytes;
        this.isOfCode = isOfCode;
    }

    private static Attribute of(String name) {
        return new CodeAttribute(name, new byte[0], false);
    }

    /** @param codeOffset where the code is of which it is one, or -1 */
    @Override
    protected Attribute read(
            ClassReader reader, int offset, int length, char[] buffer, int codeOffset, Label @Nullable [] labels) {
        return new CodeAttribute(type, reader.readBytes(offset, length), codeOffset >= 0);
    }

    @Override
    public boolean isCodeAttribute() {
        return isOfCode;
    }

    @Override
    protected ByteVector write(ClassWriter writer, byte @Nullable [] code, int codeLength, int stack, int locals) {
        return new ByteVector().putByteArray(bytes, 0, bytes.length);
    }
}
