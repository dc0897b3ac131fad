package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;

/**
 * Numbers names densely, in the order they come, and finds them by their bytes. Open addressing, half full at most. A table
 * that grows is filled a few names at a time, so that no new name waits for a million others; until then those that are
 * not there yet are found in the one before.
 */
final class NameTable {
    private static final int NONE = -1;

    /** How many names move into a new table with each new name: it is full long before the next. */
    private static final int MOVED_AT_ONCE = 4;

    private String[] names = new String[1024];
    private byte[][] bytes = new byte[1024][];
    private int[] hashes = new int[1024];

    /** Numbers of names, from 1; 0 is free. */
    private int[] slots = new int[2048];

    /** The table before; and how many of its names are in the new one by now. */
    private int[] slotsBefore = slots;

    private int sizeBefore;
    private int moved;
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

    /** All names in bytes, likewise. */
    byte[][] bytes() {
        return bytes;
    }

    /** All names by their numbers; what is there never changes, and there may be room behind it. */
    String[] names() {
        return names;
    }

    /** The number of the name that is {@code in[begin, end)}, or -1. */
    int find(byte[] in, int begin, int end) {
        int hash = hash(in, begin, end);
        int number = find(slots, hash, in, begin, end);
        return number == NONE && moved < sizeBefore ? find(slotsBefore, hash, in, begin, end) : number;
    }

    private int find(int[] table, int hash, byte[] in, int begin, int end) {
        int mask = table.length - 1;
        for (int i = hash & mask; table[i] != 0; i = (i + 1) & mask) {
            int number = table[i] - 1;
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
            slotsBefore = slots;
            sizeBefore = size;
            moved = 0;
            slots = new int[4 * size];
        }
        for (int i = 0; i < MOVED_AT_ONCE && moved < sizeBefore; i++) {
            place(moved++);
        }
        if (moved == sizeBefore) {
            slotsBefore = slots;
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
        while (slots[i] != 0) {
            i = (i + 1) & mask;
        }
        slots[i] = number + 1;
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
