package io.counters.collector.otlp;

import java.util.Arrays;

/** Bytes that are appended to an array that grows, and is used again. For one thread at a time. */
final class ByteBuilder {
    /** Its first {@link #length} bytes are what was appended. */
    byte[] bytes = new byte[256];

    int length;

    void clear() {
        length = 0;
    }

    void add(int one) {
        reserve(1);
        bytes[length++] = (byte) one;
    }

    void add(byte[] in, int begin, int end) {
        reserve(end - begin);
        System.arraycopy(in, begin, bytes, length, end - begin);
        length += end - begin;
    }

    private void reserve(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
