package io.counters.collector.common;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/**
 * Hashes bytes that strangers choose. Its start and its factor are random, chosen once per process: without knowing them, a
 * sender cannot choose names that collide, which would make each search of a table a walk through all names.
 *
 * <p>Each 8 bytes are multiplied by the factor to 128 bits, and both halves are combined: the upper half brings every bit
 * down, so that all bits of the result can be used for an index. For any thread; allocates nothing.
 */
public final class SeededHash {
    /** Reads eight bytes of an array at once, at any index. */
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final long start;
    private final long factor;

    /** @param random must be a secure source if strangers choose the bytes */
    public SeededHash(RandomGenerator random) {
        start = random.nextLong();
        factor = random.nextLong() | 1;
    }

    /** The hash of {@code in[begin, end)}: the same for the same bytes, for as long as this process runs. */
    public long of(byte[] in, int begin, int end) {
        long hash = start;
        int at = begin;
        for (; end - at >= Long.BYTES; at += Long.BYTES) {
            hash = mixed(hash ^ (long) EIGHT.get(in, at));
        }
        // At most 7 bytes are left, and the length is above them, so that "a" and "a" followed by NULs differ.
        long rest = (long) end - begin;
        for (; at < end; at++) {
            rest = rest << Byte.SIZE | (in[at] & 0xFF);
        }
        return mixed(hash ^ rest);
    }

    private long mixed(long bits) {
        return bits * factor ^ Math.multiplyHigh(bits, factor);
    }
}
