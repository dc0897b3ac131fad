package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.common.SeededHash;
import java.util.Arrays;

/**
 * A stream's ID as a key of a map: the received bytes themselves, so that a known one is found without an allocation.
 * Untrusted senders choose IDs, so the hash is seeded.
 */
final class StreamKey {
    private final SeededHash hashing;
    private byte[] bytes;
    private int begin;
    private int end;
    private int hash;

    StreamKey(String id, SeededHash hashing) {
        this(id.getBytes(ISO_8859_1), hashing);
    }

    private StreamKey(byte[] bytes, SeededHash hashing) {
        this.hashing = hashing;
        this.bytes = bytes;
        at(bytes, 0, bytes.length);
    }

    /** A reusable key for lookups, set by {@link #at}; never a key in a map. */
    static StreamKey sought(SeededHash hashing) {
        return new StreamKey(new byte[0], hashing);
    }

    /** Sets this key to all of these bytes. */
    StreamKey at(byte[] in) {
        return at(in, 0, in.length);
    }

    /** Sets this key to {@code bytes[begin, end)}. */
    StreamKey at(byte[] in, int from, int to) {
        bytes = in;
        begin = from;
        end = to;
        hash = Long.hashCode(hashing.of(in, from, to));
        return this;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StreamKey sender
                && hash == sender.hash
                && Arrays.equals(bytes, begin, end, sender.bytes, sender.begin, sender.end);
    }

    @Override
    public String toString() {
        return new String(bytes, begin, end - begin, ISO_8859_1);
    }
}
