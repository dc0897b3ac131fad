package io.counters.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/** A key that signs datagrams. No message contains its secret. Immutable; for any thread. */
public final class SigningKey {
    /** The maximum length of an ID. */
    static final int ID_BYTES_MAX = 32;

    /** The least and the most bytes of a secret; HMAC would hash a longer one first. */
    static final int SECRET_BYTES_MIN = 16;

    static final int SECRET_BYTES_MAX = 64;

    private static final byte INNER = 0x36;
    private static final byte OUTER = 0x5c;

    final byte[] id;

    /** What each of HMAC's two hashes reads first: the secret, filled up with zeros, combined with a constant. */
    final byte[] inner;

    final byte[] outer;
    private final byte[] namePrefix;

    /**
     * Creates a key.
     *
     * @param id 1 to 32 characters of a name
     * @param secret 16 to 64 bytes
     * @param namePrefix with what the names begin that it signs; empty for all names
     * @throws IllegalArgumentException if the ID or the secret is too short or too long
     */
    public SigningKey(String id, byte[] secret, String namePrefix) {
        this.id = id.getBytes(ISO_8859_1);
        this.namePrefix = namePrefix.getBytes(ISO_8859_1);
        if (this.id.length < 1 || this.id.length > ID_BYTES_MAX) {
            throw new IllegalArgumentException("a key's ID has 1 to " + ID_BYTES_MAX + " characters");
        }
        if (secret.length < SECRET_BYTES_MIN || secret.length > SECRET_BYTES_MAX) {
            throw new IllegalArgumentException("a key has " + SECRET_BYTES_MIN + " to " + SECRET_BYTES_MAX + " bytes");
        }
        inner = padded(secret, INNER);
        outer = padded(secret, OUTER);
    }

    private static byte[] padded(byte[] secret, byte constant) {
        byte[] block = new byte[SECRET_BYTES_MAX];
        for (int i = 0; i < block.length; i++) {
            block[i] = (byte) ((i < secret.length ? secret[i] : 0) ^ constant);
        }
        return block;
    }

    /** Names the key; not secret. */
    public String id() {
        return new String(id, ISO_8859_1);
    }

    /** Whether it has the ID {@code in[begin, end)}. */
    public boolean isNamed(byte[] in, int begin, int end) {
        if (end - begin != id.length) {
            return false;
        }
        for (int i = 0; i < id.length; i++) {
            if (in[begin + i] != id[i]) {
                return false;
            }
        }
        return true;
    }

    /** Whether it may sign lines with the name {@code in[begin, end)}. */
    public boolean allows(byte[] in, int begin, int end) {
        if (end - begin < namePrefix.length) {
            return false;
        }
        for (int i = 0; i < namePrefix.length; i++) {
            if (in[begin + i] != namePrefix[i]) {
                return false;
            }
        }
        return true;
    }

    /** Its ID. */
    @Override
    public String toString() {
        return id();
    }
}
