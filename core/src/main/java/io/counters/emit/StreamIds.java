package io.counters.emit;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.function.Supplier;

/**
 * Gives ids to streams: 96 random bits each, in hexadecimal.
 *
 * <p>The bits come from the kernel's own file where there is one, which takes no class loading. {@link SecureRandom} is
 * asked on Windows alone, where it asks the system, and where a SecurityManager keeps the file from us: on a Unix without
 * {@code /dev/urandom}, such as a bare chroot, it would keep a core busy for some 10 s to gather bits by itself, and a
 * program that ends meanwhile would lose its counts. There the bits are mixed of what no two processes share: clocks in
 * nanoseconds, how they run in this very process, and where the kernel put its memory. An id must be new; it is no
 * secret.
 */
final class StreamIds implements Supplier<String> {
    private static final String OF_THE_KERNEL = "/dev/urandom";
    private static final String[] OF_THE_PROCESS = {
        "/proc/sys/kernel/random/uuid", "/proc/self/stat", "/proc/self/maps", "/proc/sys/kernel/hostname"
    };
    private static final int BYTES = 12;
    private static final int TICKS = 2000;

    private final String ofTheKernel;
    private final String[] ofTheProcess;

    /** The two halves of what was mixed so far. */
    private long left;

    private long right;

    StreamIds() {
        this(OF_THE_KERNEL, OF_THE_PROCESS);
    }

    /**
     * As on a machine with other files.
     *
     * @param ofTheKernel gives as many random bytes as it is asked for
     * @param ofTheProcess each has something in it that differs between processes
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
            // From the application whose thread began this one; the JDK itself may read the file.
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

    /** Two multiplications and shifts that let each bit change about half of all. */
    private void mix(long value) {
        left = (left ^ value) * 0x9E3779B97F4A7C15L;
        left ^= left >>> 32;
        right = (right + left) * 0xD6E8FEB86659FD93L;
        right ^= right >>> 29;
    }
}
