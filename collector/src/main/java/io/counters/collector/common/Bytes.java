package io.counters.collector.common;

import java.util.Arrays;
import java.util.function.Function;

/** A growing array of variable-length integers: seven bits per byte, lowest first; the highest bit is set if more follow. */
public final class Bytes {
    private static final int SIZE_MIN = 16;
    private static final int MORE = 0x80;
    private static final int SEVEN_BITS = 0x7f;

    private byte[] bytes = new byte[SIZE_MIN];
    private int length;

    public int length() {
        return length;
    }

    public void clear() {
        length = 0;
    }

    public byte[] toArray() {
        return Arrays.copyOf(bytes, length);
    }

    public void add(int oneByte) {
        if (length == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * length);
        }
        bytes[length++] = (byte) oneByte;
    }

    /** Adds an unsigned 64-bit number, in 1 to 10 bytes. */
    public void addNumber(long number) {
        long rest = number;
        while ((rest & ~SEVEN_BITS) != 0) {
            add(((int) rest & SEVEN_BITS) | MORE);
            rest >>>= 7;
        }
        add((int) rest);
    }

    /** Adds a signed number; numbers near 0 take the fewest bytes. */
    public void addSigned(long number) {
        addNumber(zigzag(number));
    }

    public void addAll(byte[] more) {
        if (length + more.length > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * length, length + more.length));
        }
        System.arraycopy(more, 0, bytes, length, more.length);
        length += more.length;
    }

    public static long zigzag(long number) {
        return (number << 1) ^ (number >> 63);
    }

    public static long unZigzag(long number) {
        return (number >>> 1) ^ -(number & 1);
    }

    /** Reads what {@link Bytes} wrote. */
    public static final class Reader {
        private final byte[] in;
        private final Function<String, ? extends RuntimeException> damage;
        private int at;

        /** @param damage makes the exception that is thrown if these are not bytes that {@link Bytes} wrote */
        public Reader(byte[] in, Function<String, ? extends RuntimeException> damage) {
            this.in = in;
            this.damage = damage;
        }

        public boolean hasMore() {
            return at < in.length;
        }

        /** Throws the damage if the bytes end too early. */
        public int next() {
            if (at >= in.length) {
                throw damage.apply("a row is cut off");
            }
            return in[at++] & 0xff;
        }

        /** Throws the damage if the bytes end too early, or the number does not end. */
        public long number() {
            long number = 0;
            for (int shift = 0; shift < Long.SIZE; shift += 7) {
                int part = next();
                number |= (long) (part & SEVEN_BITS) << shift;
                if (part < MORE) {
                    return number;
                }
            }
            throw damage.apply("a number in a row is too long");
        }

        public long signed() {
            return unZigzag(number());
        }

        /** How many of something follow, at most {@code most}. Throws the damage if that is negative, too. */
        public int size(int most) {
            long size = number();
            if (size < 0) {
                throw damage.apply("a size in a row is negative");
            }
            return (int) Math.min(most, size);
        }
    }
}
