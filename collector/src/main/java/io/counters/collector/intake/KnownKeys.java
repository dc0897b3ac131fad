package io.counters.collector.intake;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.Metrics;
import io.counters.wire.SigningKey;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Finds a key by the bytes of its ID, without an object for the search. Immutable; for any thread. */
final class KnownKeys {
    private final List<SigningKey> keys;

    /** An open table: the key in the slot of its ID's hash, or in one after it. At least half of the slots are free. */
    private final @Nullable KnownKey[] slots;

    KnownKeys(List<SigningKey> keys, Metrics metrics) {
        this.keys = List.copyOf(keys);
        slots = new KnownKey[Integer.highestOneBit(Math.max(1, keys.size())) * 4];
        for (SigningKey key : keys) {
            byte[] id = key.id().getBytes(ISO_8859_1);
            int slot = slot(id, 0, id.length);
            while (slots[slot] != null) {
                slot = slot + 1 & slots.length - 1;
            }
            slots[slot] = new KnownKey(key, metrics);
        }
    }

    /** The key with the ID {@code in[begin, end)}; null if there is none. */
    @Nullable
    KnownKey find(byte[] in, int begin, int end) {
        int slot = slot(in, begin, end);
        for (KnownKey known = slots[slot]; known != null; known = slots[slot]) {
            if (known.key.isNamed(in, begin, end)) {
                return known;
            }
            slot = slot + 1 & slots.length - 1;
        }
        return null;
    }

    private int slot(byte[] in, int begin, int end) {
        int hash = 0;
        for (int i = begin; i < end; i++) {
            hash = 31 * hash + in[i];
        }
        return (hash ^ hash >>> 16) & slots.length - 1;
    }

    /** Their IDs. */
    @Override
    public String toString() {
        return keys.stream().map(SigningKey::id).collect(Collectors.joining(", "));
    }
}
