package io.counters.collector.history;

import java.util.Arrays;

/** A growing array of variable-length integers: seven bits per byte, lowest first; the highest bit is set if more follow. */
final class Bytes {
    private static final int SIZE_MIN = 16;
    private static final int MORE = 0x80;
    private static final int SEVEN_BITS = 0x7f;

    private byte[] bytes = new byte[SIZE_MIN];
    private int length;

    int length() {
        return length;
    }

    void clear() {
        length = 0;
    }

    byte[] toArray() {
        return Arrays.copyOf(bytes, length);
    }

    void add(int oneByte) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = (byte) oneByte;
    }

    /** Adds an unsigned 64-bit number, in 1 to 10 bytes. */
    void addNumber(long number) {
        long rest = number;
        while ((rest & ~SEVEN_BITS) != 0) {
            add(((int) rest & SEVEN_BITS) | MORE);
            rest >>>= 7;
        }
        add((int) rest);
    }

    /** Adds a signed number; numbers near 0 take the fewest bytes. */
    void addSigned(long number) {
        addNumber(zigzag(number));
    }

    void addAll(byte[] more) {
        if (length + more.length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * length, length + more.length));
        }
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
    }

    static long zigzag(long number) {
        return (number << 1) ^ (number >> 63);
    }

    static long unZigzag(long number) {
        return (number >>> 1) ^ -(number & 1);
    }

    /** Reads what {@link Bytes} wrote. */
    static final class Reader {
        private final byte[] in;
        private int at;

        Reader(byte[] in) {
            this.in = in;
        }

        boolean hasMore() {
            return at < in.length;
        }

        /** @throws DamagedHistory if the bytes end too early */
        int next() {
            if (at >= in.length) {
                throw new DamagedHistory("a row is cut off");
            }
            return in[at++] & 0xff;
        }

        /** @throws DamagedHistory if the bytes end too early, or the number does not end */
        long number() {
            long number = 0;
            for (int shift = 0; shift < Long.SIZE; shift += 7) {
                int part = next();
                number |= (long) (part & SEVEN_BITS) << shift;
                if (part < MORE) {
                    return number;
                }
            }
            throw new DamagedHistory("a number in a row is too long");
        }

        long signed() {
            return unZigzag(number());
        }
    }
}
