package io.counters.ring;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * MD5 as libketama reads it: four unsigned words, each with its lowest byte first. Not thread-safe: each caller needs
 * its own. Hashing allocates nothing.
 */
public final class KetamaHash {
    private static final int DIGEST_BYTES = 16;

    private final MessageDigest md5;
    private final byte[] digest = new byte[DIGEST_BYTES];

    /** @throws IllegalStateException if the JVM has no MD5, for example because it is hardened */
    public KetamaHash() {
        try {
            md5 = MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException hardened) {
            throw new IllegalStateException(
                    "this JVM has no MD5, which the ring of several collectors requires; give only one collector",
                    hardened);
        }
    }

    /** The point of the key {@code key[begin, end)}: 0 to 2^32 - 1. */
    long point(byte[] key, int begin, int end) {
        hash(key, begin, end);
        return word(0);
    }

    void hash(byte[] bytes, int begin, int end) {
        md5.update(bytes, begin, end - begin);
        try {
            md5.digest(digest, 0, DIGEST_BYTES);
        } catch (DigestException tooShort) {
            throw new IllegalStateException("MD5 has " + DIGEST_BYTES + " bytes", tooShort);
        }
    }

    /** Word 0, 1, 2 or 3 of the last hash. */
    long word(int number) {
        int at = 4 * number;
        return (digest[at] & 0xFFL)
                | (digest[at + 1] & 0xFFL) << 8
                | (digest[at + 2] & 0xFFL) << 16
                | (digest[at + 3] & 0xFFL) << 24;
    }
}
