package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.SeededHash;
import java.util.Arrays;

/**
 * Numbers names densely, in the order of their arrival, and finds them by their bytes. Open addressing, at most half
 * full. A slot contains the name's hash in its upper half and its number in the lower, so a search reads slots only
 * until the hash matches. A table that grows is filled a few slots at a time, so that no new name waits for a million
 * others; until then, names that have not moved are found in the previous table.
 */
final class NameTable {
    private static final int NONE = -1;

    /** How many slots move into a new table with each new name, so that all have moved long before the next one. */
    private static final int MOVED_AT_ONCE = 4;

    private static final long[] NO_SLOTS = {};
    private static final long NUMBER = 0xffff_ffffL;

    /**
     * Heap bytes of a counter without its name: here, in {@link Values} and in {@link Projection}, 144 as measured by
     * {@code MemoryTest}; 8 for a rest, 8 for what it adopted, and 8 for when it was created and last moved. Each byte of the name takes two more.
     */
    private static final long BYTES_A_COUNTER = 168;

    private final SeededHash hashing;
    private String[] names = new String[1024];
    private byte[][] bytes = new byte[1024][];

    /** A number in a slot is the name's number plus 1; 0 marks a free slot. */
    private long[] slots = new long[2048];

    /** The previous table, and how many of its slots have moved. */
    private long[] slotsBefore = NO_SLOTS;

    private int moved;
    private int size;
    private long memory;

    /** @param hashing seeded, because untrusted senders choose names */
    NameTable(SeededHash hashing) {
        this.hashing = hashing;
    }

    /** About how many bytes of heap a counter with a name of this length takes. */
    static long memory(int length) {
        return BYTES_A_COUNTER + 2L * length;
    }

    /** About how many bytes of heap all counters take. */
    long memory() {
        return memory;
    }

    int size() {
        return size;
    }

    String name(int number) {
        return names[number];
    }

    /** All names by their numbers. Existing entries never change; the array may be longer. */
    String[] names() {
        return names;
    }

    /** The number of the name {@code in[begin, end)}, or -1. */
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

    /** Adds a name that is not in the table; its number is {@link #size} before the call. */
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

    /** A hash in the upper half; the lower half is 0. */
    private long hash(byte[] in, int begin, int end) {
        return hashing.of(in, begin, end) & ~NUMBER;
    }
}
