package io.counters.collector.otlp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.counters.collector.intake.HttpStreams;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Makes IDs of streams from what identifies them: the same on every collector, and after a restart. An ID is the first 160 bits of
 * the SHA-256 of the parts, each after its length, in hexadecimal. For one thread at a time.
 */
final class StreamId {
    private static final int DIGEST_BYTES = 20;

    private final MessageDigest digest;

    /** Of the present identity. */
    private final ByteBuilder parts = new ByteBuilder();

    StreamId() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every JDK has SHA-256", impossible);
        }
    }

    /** Begins a new identity. */
    StreamId begin(char kind) {
        parts.clear();
        parts.add(kind);
        return this;
    }

    StreamId add(byte[] part) {
        return add(part, 0, part.length);
    }

    StreamId add(byte[] in, int begin, int end) {
        add(end - begin);
        parts.add(in, begin, end);
        return this;
    }

    StreamId add(long number) {
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            parts.add((int) (number >>> shift));
        }
        return this;
    }

    /** An array that begins with the parts so far. */
    byte[] identity() {
        return parts.bytes;
    }

    /** The length of {@link #identity}. */
    int length() {
        return parts.length;
    }

    /** The hash of the parts. */
    byte[] hash() {
        digest.update(parts.bytes, 0, parts.length);
        return digest.digest();
    }

    /** The hash of the parts as the ID of a stream. */
    byte[] id() {
        return (HttpStreams.OTLP + HexFormat.of().formatHex(hash(), 0, DIGEST_BYTES)).getBytes(ISO_8859_1);
    }
}
