package io.counters.wire;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Computes the MAC of a signed datagram: the first 128 bits, in lower-case hex, of HMAC-SHA256 (RFC 2104, RFC 6234) over
 *
 * <pre>
 *   KEY-ID SP TIME LF      as in the signed line
 *   everything after the signed line's LF
 * </pre>
 *
 * <p>Not by {@code javax.crypto.Mac}, which allocates its result, twice, and whose first use looks for providers of
 * ciphers during the application's start. HMAC is two hashes, and every Java platform has SHA-256.
 *
 * <p>Contains scratch space, so each thread needs its own. Allocates nothing.
 */
public final class DatagramMac {
    private static final int HASH_BYTES = 32;

    private final MessageDigest sha256;
    private final byte[] hash = new byte[HASH_BYTES];

    public DatagramMac() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException notJava) {
            throw new IllegalStateException("every Java platform has SHA-256", notJava);
        }
    }

    /**
     * Whether the datagram {@code in[begin, end)}, whose first line was read, was signed with this key. Takes the same time
     * wherever two MACs differ.
     */
    public boolean matches(SigningKey key, SignedLine line, byte[] in, int end) {
        compute(key, in, line.idBegin(), line.timeEnd(), line.linesBegin(), end);
        int difference = 0;
        for (int i = 0; i < SignedLine.MAC_CHARS / 2; i++) {
            int at = line.macBegin() + 2 * i;
            difference |= (hash[i] & 0xff) ^ (value(in[at]) << 4 | value(in[at + 1]));
        }
        return difference == 0;
    }

    private static int value(byte digit) {
        return digit <= '9' ? digit - '0' : digit - 'a' + 10;
    }

    /** Writes the MAC of the datagram that ends at {@code end} into it. */
    void write(SigningKey key, byte[] in, int idBegin, int timeEnd, int linesBegin, int end) {
        compute(key, in, idBegin, timeEnd, linesBegin, end);
        for (int i = 0; i < SignedLine.MAC_CHARS / 2; i++) {
            in[timeEnd + 1 + 2 * i] = digit(hash[i] >> 4);
            in[timeEnd + 2 + 2 * i] = digit(hash[i]);
        }
    }

    private static byte digit(int value) {
        return (byte) Character.forDigit(value & 0xf, 16);
    }

    private void compute(SigningKey key, byte[] in, int idBegin, int timeEnd, int linesBegin, int end) {
        // An exception in the middle of an earlier one may have left bytes behind.
        sha256.reset();
        sha256.update(key.inner);
        sha256.update(in, idBegin, timeEnd - idBegin);
        sha256.update((byte) '\n');
        sha256.update(in, linesBegin, end - linesBegin);
        finish();
        sha256.update(key.outer);
        sha256.update(hash);
        finish();
    }

    private void finish() {
        try {
            sha256.digest(hash, 0, HASH_BYTES);
        } catch (DigestException tooShort) {
            throw new IllegalStateException("SHA-256 has " + HASH_BYTES + " bytes", tooShort);
        }
    }
}
