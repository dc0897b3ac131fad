package io.counters.ring;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * MD5 as libketama reads it: four words, each with its lowest byte first and without a sign. One for each caller, not
 * for several threads; hashing allocates nothing.
 */
public final class KetamaHash {
    private static final int DIGEST_BYTES = 16;

    private final MessageDigest md5;
    private final byte[] digest = new byte[DIGEST_BYTES];

    /** @throws IllegalStateException in a JVM that has no MD5, as a hardened one may be */
    public KetamaHash() {
        try {
            md5 = MessageDigest.getInstance("MD5");
        } catch (NoSuchAlgorithmException hardened) {
            throw new IllegalStateException(
                    "this JVM has no MD5, which the ring of several collectors needs; name one collector", hardened);
        }
    }

    /** The point of a key, the bytes from {@code begin} to before {@code end}: 0 to 2^32 - 1. */
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

    /** One of the four words, 0 to 3, of what was hashed last. */
    long word(int number) {
        int at = 4 * number;
        return (digest[at] & 0xFFL)
                | (digest[at + 1] & 0xFFL) << 8
                | (digest[at + 2] & 0xFFL) << 16
                | (digest[at + 3] & 0xFFL) << 24;
    }
}
