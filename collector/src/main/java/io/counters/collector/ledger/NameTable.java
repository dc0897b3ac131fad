package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.self.SeededHash;
import java.util.Arrays;

/**
 * Numbers names densely, in the order they come, and finds them by their bytes. Open addressing, half full at most; a slot
 * holds the name's hash above and its number below, so that what is looked at on the way to a name is the slots alone. A
 * table that grows is filled a few slots at a time, so that no new name waits for a million others; until then those
 * that are not there yet are found in the one before.
 */
final class NameTable {
    private static final int NONE = -1;

    /** How many slots move into a new table with each new name: it is full long before the next. */
    private static final int MOVED_AT_ONCE = 4;

    private static final long[] NO_SLOTS = {};
    private static final long NUMBER = 0xffff_ffffL;

    /**
     * What a counter takes of the heap, beside twice its name: here, in {@link Values} and in {@link Projection}, 144 as
     * measured by {@code MemoryTest}, and 8 for its rest, should it have one.
     */
    private static final long BYTES_A_COUNTER = 152;

    private final SeededHash hashing;
    private String[] names = new String[1024];
    private byte[][] bytes = new byte[1024][];

    /** Numbers of names are from 1 here; 0 is free. */
    private long[] slots = new long[2048];

    /** The table before, and how many of its slots have moved by now. */
    private long[] slotsBefore = NO_SLOTS;

    private int moved;
    private int size;
    private long memory;

    /** @param hashing seeded, as strangers choose names */
    NameTable(SeededHash hashing) {
        this.hashing = hashing;
    }

    /** About what a counter with a name of this length takes of the heap, in bytes. */
    static long memory(int length) {
        return BYTES_A_COUNTER + 2L * length;
    }

    /** About what all counters take of the heap, in bytes. */
    long memory() {
        return memory;
    }

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
        long hash = hash(in, begin, end);
        int number = find(slots, hash, in, begin, end);
        return number == NONE && moved < slotsBefore.length ? find(slotsBefore, hash, in, begin, end) : number;
    }

    private int find(long[] table, long hash, byte[] in, int begin, int end) {
        int mask = table.length - 1;
        for (int i = place(hash, mask); table[i] != 0; i = (i + 1) & mask) {
            if ((table[i] & ~NUMBER) == hash) {
                int number = (int) table[i] - 1;
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
            slotsBefore = slots;
            moved = 0;
            slots = new long[4 * size];
        }
        for (int i = 0; i < MOVED_AT_ONCE && moved < slotsBefore.length; i++) {
            put(slotsBefore[moved++]);
        }
        if (moved == slotsBefore.length) {
            slotsBefore = NO_SLOTS;
            moved = 0;
        }
        bytes[size] = Arrays.copyOfRange(in, begin, end);
        names[size] = new String(bytes[size], ISO_8859_1);
        put(hash(in, begin, end) | (size + 1));
        memory += memory(end - begin);
        return size++;
    }

    private void put(long slot) {
        if (slot == 0) {
            return;
        }
        int mask = slots.length - 1;
        int i = place(slot, mask);
        while (slots[i] != 0) {
            i = (i + 1) & mask;
        }
        slots[i] = slot;
    }

    private static int place(long hash, int mask) {
        return (int) (hash >>> Integer.SIZE) & mask;
    }

    /** In the upper half; the lower is free. */
    private long hash(byte[] in, int begin, int end) {
        return hashing.of(in, begin, end) & ~NUMBER;
    }
}
