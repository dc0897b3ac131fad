package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;

/** Numbers names densely, in the order they come, and finds them by their bytes. Open addressing, half full at most. */
final class NameTable {
    private static final int NONE = -1;

    private String[] names = new String[1024];
    private byte[][] bytes = new byte[1024][];
    private int[] hashes = new int[1024];
    private int[] slots = slots(2048);
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
        int hash = hash(in, begin, end);
        int mask = slots.length - 1;
        for (int i = hash & mask; slots[i] != NONE; i = (i + 1) & mask) {
            int number = slots[i];
            byte[] known = bytes[number];
            if (hashes[number] == hash && Arrays.equals(known, 0, known.length, in, begin, end)) {
                return number;
            }
        }
        return NONE;
    }

    /** Takes in a name that is not there yet; its number is {@link #size} before the call. */
    int add(byte[] in, int begin, int end) {
        if (size == names.length) {
            names = Arrays.copyOf(names, 2 * size);
            bytes = Arrays.copyOf(bytes, 2 * size);
            hashes = Arrays.copyOf(hashes, 2 * size);
            slots = slots(4 * size);
            for (int number = 0; number < size; number++) {
                place(number);
            }
        }
        bytes[size] = Arrays.copyOfRange(in, begin, end);
        names[size] = new String(bytes[size], ISO_8859_1);
        hashes[size] = hash(in, begin, end);
        place(size);
        return size++;
    }

    private void place(int number) {
        int mask = slots.length - 1;
        int i = hashes[number] & mask;
        while (slots[i] != NONE) {
            i = (i + 1) & mask;
        }
        slots[i] = number;
    }

    private static int[] slots(int length) {
        int[] slots = new int[length];
        Arrays.fill(slots, NONE);
        return slots;
    }

    private static int hash(byte[] in, int begin, int end) {
        int hash = 1;
        for (int i = begin; i < end; i++) {
            hash = 31 * hash + in[i];
        }
        // Names differ in their last letters most: bring the high bits down, where the mask looks.
        hash *= 0x9E3779B9;
        return hash ^ (hash >>> 16);
    }
}
