package io.counters.collector.fleet;

import io.counters.collector.common.Bytes;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet keeps in {@code PREFIX.ledger} of an embedded ledger that was imported into this partition, so that it never
 * is again. The key is {@code i} and the ledger's ID, 8 bytes; the value has numbers as in {@link Bytes}: format, commit,
 * second.
 *
 * @param ledger the ledger's ID
 * @param commit its last commit then
 * @param second when it was imported, in Unix time
 */
record Imported(long ledger, long commit, long second) {
    private static final byte KIND = 'i';
    private static final int FORMAT = 1;

    static boolean isKey(byte[] key) {
        return key.length == 1 + Long.BYTES && key[0] == KIND;
    }

    byte[] key() {
        return ByteBuffer.allocate(1 + Long.BYTES).put(KIND).putLong(ledger).array();
    }

    byte[] value() {
        Bytes bytes = new Bytes();
        bytes.addNumber(FORMAT);
        bytes.addNumber(commit);
        bytes.addNumber(second);
        return bytes.toArray();
    }

    static Imported of(byte[] key, byte @Nullable [] value) {
        Bytes.Reader in = new Bytes.Reader(value == null ? new byte[0] : value, IllegalStateException::new);
        long format = in.number();
        if (format != FORMAT) {
            throw new IllegalStateException(
                    "its note of an import has format " + format + ", and this version reads " + FORMAT);
        }
        return new Imported(ByteBuffer.wrap(key, 1, Long.BYTES).getLong(), in.number(), in.number());
    }
}
