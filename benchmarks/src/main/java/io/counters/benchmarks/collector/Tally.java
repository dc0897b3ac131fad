package io.counters.benchmarks.collector;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Counts the datagrams of one receiving thread. Only that thread adds to it; any thread may read it. */
final class Tally {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long LOW = 0x7f7f7f7f7f7f7f7fL;
    private static final long LINE_BREAKS = 0x0a0a0a0a0a0a0a0aL;

    private volatile long datagrams;
    private volatile long lines;
    private long newDatagrams;
    private long newLines;

    /** Counts a datagram and its line breaks, eight bytes at a time; {@link #show} makes the count visible. */
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

    /** Makes the counts visible to other threads; called once per batch. */
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
