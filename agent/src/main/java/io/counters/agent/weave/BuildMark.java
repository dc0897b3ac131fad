package io.counters.agent.weave;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import net.bytebuddy.jar.asm.Attribute;
import net.bytebuddy.jar.asm.ByteVector;
import net.bytebuddy.jar.asm.ClassReader;
import net.bytebuddy.jar.asm.ClassVisitor;
import net.bytebuddy.jar.asm.ClassWriter;
import net.bytebuddy.jar.asm.Label;
import net.bytebuddy.jar.asm.Opcodes;
import org.jspecify.annotations.Nullable;

/**
 * The attribute of a class file that a build has woven. JVMs and compilers ignore it.
 *
 * <pre>
 *   u2 name of the attribute, "io.counters.Woven"
 *   u4 32
 *   u1[32] the SHA-256 digest of the class file before it was woven
 * </pre>
 */
public final class BuildMark extends Attribute {
    private static final String TYPE = "io.counters.Woven";

    /** Shading renames the type that woven code calls, but no attribute; some tools drop attributes, but no calls. */
    private static final byte[][] WOVEN = {TYPE.getBytes(UTF_8), Callee.WOVEN.getBytes(UTF_8)};

    private final byte[] digest;

    private BuildMark(byte[] digest) {
        super(TYPE);
        this.digest = digest;
    }

    /** The attribute for a class file with this original. */
    static BuildMark ofOriginal(byte[] original) {
        return new BuildMark(digest(original));
    }

    /** Whether a build has woven this class file. */
    public static boolean isOn(byte[] classFile) {
        return ConstantPool.contain(WOVEN, classFile);
    }

    /** Whether this woven class file was made of this original. */
    public static boolean hasOriginal(byte[] woven, byte[] original) {
        byte[][] found = {new byte[0]};
        Weaving.reader(woven)
                .accept(
                        new ClassVisitor(Opcodes.ASM9) {
                            @Override
                            public void visitAttribute(Attribute attribute) {
                                if (attribute instanceof BuildMark) {
                                    found[0] = ((BuildMark) attribute).digest;
                                }
                            }
                        },
                        new Attribute[] {new BuildMark(new byte[0])},
                        ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return MessageDigest.isEqual(found[0], digest(original));
    }

    /** The SHA-256 digest of a class file. */
    public static byte[] digest(byte[] classFile) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(classFile);
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    @Override
    protected Attribute read(
            ClassReader reader,
            int offset,
            int length,
            char @Nullable [] buffer,
            int codeOffset,
            Label @Nullable [] labels) {
        byte[] read = new byte[length];
        for (int i = 0; i < length; i++) {
            read[i] = (byte) reader.readByte(offset + i);
        }
        return new BuildMark(read);
    }

    @Override
    protected ByteVector write(
            ClassWriter writer, byte @Nullable [] code, int codeLength, int maxStack, int maxLocals) {
        return new ByteVector(digest.length).putByteArray(digest, 0, digest.length);
    }
}
