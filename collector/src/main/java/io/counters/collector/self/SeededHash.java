package io.counters.collector.self;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.random.RandomGenerator;

/**
 * Hashes bytes that strangers choose. Its start and its factor are drawn at random, once per process: somebody who does not
 * know them can't choose names that collide, and so can't turn a table's search into a walk through all of them.
 *
 * <p>Each 8 bytes are multiplied with the factor to 128 bits, of which both halves are kept: the upper half carries every bit
 * down, so that all bits of the result are good for an index. For any thread; allocates nothing.
 */
public final class SeededHash {
    /** Eight bytes of an array at once, from any place in it. */
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private final long start;
    private final long factor;

    /** @param random from a secure source, where strangers are to be feared */
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
        // At most 7 bytes are left, and the length stands above them: "a" and "a" with NULs behind it differ.
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
