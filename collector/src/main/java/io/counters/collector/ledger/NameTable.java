package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Numbers names densely, in the order they come, and finds them by their bytes. Open addressing, half full at most; a slot
 * holds the name's hash above and its number below, so that what is looked at on the way to a name is the slots alone.
 */
final class NameTable {
    private static final int NONE = -1;
    private static final long FREE = -1;
    private static final long NUMBER = 0xffff_ffffL;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    /** Eight bytes of an array at once, from any place in it. */
    private static final VarHandle EIGHT = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    private String[] names = new String[1024];
    private byte[][] bytes = new byte[1024][];
    private long[] slots = slots(2048);
    private int size;

    int size() {
        return size;
    }

    String name(int number) {
        return names[number];
    }

    /** The name in bytes; not to be changed. */
    byte[] bytes(int number) {
        return bytes[number];
    }

    /** All names by their numbers; what is there never changes, and there may be room behind it. */
    String[] names() {
        return names;
    }

    /** The number of the name that is {@code in[begin, end)}, or -1. */
    int find(byte[] in, int begin, int end) {
        long hash = hash(in, begin, end);
        int mask = slots.length - 1;
        for (int i = place(hash, mask); slots[i] != FREE; i = (i + 1) & mask) {
            if ((slots[i] & ~NUMBER) == hash) {
                int number = (int) slots[i];
                byte[] known = bytes[number];
                if (Arrays.equals(known, 0, known.length, in, begin, end)) {
                    return number;
                }
            }
        }
        return NONE;
    }

    /** Takes in a name that is not there yet; its number is {@link #size} before the call. */
    int add(byte[] in, int begin, int end) {
        if (size == names.length) {
            names = Arrays.copyOf(names, 2 * size);
            bytes = Arrays.copyOf(bytes, 2 * size);
            long[] before = slots;
            slots = slots(2 * before.length);
            for (long slot : before) {
                if (slot != FREE) {
                    put(slot);
                }
            }
        }
        bytes[size] = Arrays.copyOfRange(in, begin, end);
        names[size] = new String(bytes[size], ISO_8859_1);
        put(hash(in, begin, end) | size);
        return size++;
    }

    private void put(long slot) {
        int mask = slots.length - 1;
        int i = place(slot, mask);
        while (slots[i] != FREE) {
            i = (i + 1) & mask;
        }
        slots[i] = slot;
    }

    private static long[] slots(int length) {
        long[] slots = new long[length];
        Arrays.fill(slots, FREE);
        return slots;
    }

    private static int place(long hash, int mask) {
        return (int) (hash >>> Integer.SIZE) & mask;
    }

    /** In the upper half; the lower is free. */
    private static long hash(byte[] in, int begin, int end) {
        long hash = (long) end - begin;
        int at = begin;
        for (; end - at >= Long.BYTES; at += Long.BYTES) {
            hash = mixed(hash ^ (long) EIGHT.get(in, at));
        }
        long rest = 0;
        for (; at < end; at++) {
            rest = rest << Byte.SIZE | in[at];
        }
        return mixed(hash ^ rest) & ~NUMBER;
    }

    /** Carries every bit into the upper half, where the slots look, and back. */
    private static long mixed(long bits) {
        long product = bits * MIX;
        return product ^ product >>> Integer.SIZE;
    }
}
