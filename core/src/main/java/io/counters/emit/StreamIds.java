package io.counters.emit;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.function.Supplier;

/**
 * Generates ids of streams: 96 random bits each, in hexadecimal.
 *
 * <p>The bits come from {@code /dev/urandom} if it exists, which needs no class loading. {@link SecureRandom} is used
 * only on Windows, where it uses the system's generator, and if a SecurityManager denies access to the file. It is not
 * used on a Unix without {@code /dev/urandom}, such as a bare chroot: there it would keep a core busy for some 10 s to
 * gather entropy, and a program that ends meanwhile would lose its counts. Instead the bits are mixed from values that
 * no two processes share: clocks in nanoseconds, how they advance in this process, and where the kernel placed its
 * memory. An id must be new; it need not be secret.
 */
public final class StreamIds implements Supplier<String> {
    private static final String OF_THE_KERNEL = "/dev/urandom";
    private static final String[] OF_THE_PROCESS = {
        "/proc/sys/kernel/random/uuid", "/proc/self/stat", "/proc/self/maps", "/proc/sys/kernel/hostname"
    };
    private static final int BYTES = 12;
    private static final int TICKS = 2000;

    private final String ofTheKernel;
    private final String[] ofTheProcess;

    /** The two halves of the mixed bits. */
    private long left;

    private long right;

    /** Ids from the system's generator. */
    public StreamIds() {
        this(OF_THE_KERNEL, OF_THE_PROCESS);
    }

    /**
     * Uses other files than the default ones.
     *
     * @param ofTheKernel a file from which any number of random bytes can be read
     * @param ofTheProcess files whose content differs between processes
     */
    StreamIds(String ofTheKernel, String[] ofTheProcess) {
        this.ofTheKernel = ofTheKernel;
        this.ofTheProcess = ofTheProcess;
    }

    @Override
    public String get() {
        StringBuilder id = new StringBuilder();
        for (byte b : bits()) {
            id.append(Character.forDigit((b >> 4) & 15, 16)).append(Character.forDigit(b & 15, 16));
        }
        return id.toString();
    }

    private byte[] bits() {
        byte[] bits = new byte[BYTES];
        try (DataInputStream kernels = new DataInputStream(new FileInputStream(ofTheKernel))) {
            kernels.readFully(bits);
        } catch (IOException without) {
            if (File.separatorChar == '\\') {
                new SecureRandom().nextBytes(bits);
            } else {
                mix(bits);
            }
        } catch (SecurityException kept) {
            // The policy of the application, whose thread started this one, denies it; the JDK itself may read the
            // file.
            new SecureRandom().nextBytes(bits);
        }
        return bits;
    }

    private void mix(byte[] bits) {
        mixAll();
        for (int i = 0; i < bits.length; i++) {
            bits[i] = (byte) (i < Long.BYTES ? left >>> (8 * i) : right >>> (8 * (i - Long.BYTES)));
        }
    }

    private void mixAll() {
        mix(System.currentTimeMillis());
        mix(System.identityHashCode(new Object()));
        mix(Runtime.getRuntime().freeMemory());
        for (String file : ofTheProcess) {
            mix(file);
        }
        for (int i = 0; i < TICKS; i++) {
            mix(System.nanoTime());
        }
    }

    private void mix(String file) {
        byte[] part = new byte[8192];
        try (FileInputStream in = new FileInputStream(file)) {
            for (int read = in.read(part); read >= 0; read = in.read(part)) {
                for (int i = 0; i < read; i++) {
                    mix(part[i]);
                }
            }
        } catch (IOException | SecurityException without) {
            mix(0);
        }
    }

    /** Multiplies and shifts twice, so that each input bit changes about half of all bits. */
    private void mix(long value) {
        left = (left ^ value) * 0x9E3779B97F4A7C15L;
        left ^= left >>> 32;
        right = (right + left) * 0xD6E8FEB86659FD93L;
        right ^= right >>> 29;
    }
}
