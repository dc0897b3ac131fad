package io.counters.benchmarks.collector;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** What one receiving thread has received. Added to by that thread alone, read by any. */
final class Tally {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long LOW = 0x7f7f7f7f7f7f7f7fL;
    private static final long LINE_BREAKS = 0x0a0a0a0a0a0a0a0aL;

    private volatile long datagrams;
    private volatile long lines;
    private long newDatagrams;
    private long newLines;

    /** Counts a datagram and its line breaks, eight bytes at a time; {@link #show} makes it known. */
    void add(byte[] in, int length) {
        newDatagrams++;
        int i = 0;
        for (; i + Long.BYTES <= length; i += Long.BYTES) {
            long other = (long) LONGS.get(in, i) ^ LINE_BREAKS;
            newLines += Long.BYTES - Long.bitCount(((other & LOW) + LOW | other) & ~LOW);
        }
        for (; i < length; i++) {
            if (in[i] == '\n') {
                newLines++;
            }
        }
    }

    /** Shows what was added, once a batch. */
    void show() {
        datagrams = newDatagrams;
        lines = newLines;
    }

    long datagrams() {
        return datagrams;
    }

    long lines() {
        return lines;
    }
}
