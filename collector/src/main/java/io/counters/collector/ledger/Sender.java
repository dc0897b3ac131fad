package io.counters.collector.ledger;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;

/** A stream's id as a key of a map: the bytes as they came, so that a known one is found without making anything. */
final class Sender {
    private byte[] bytes;
    private int begin;
    private int end;
    private int hash;

    Sender(String id) {
        this(id.getBytes(ISO_8859_1));
    }

    private Sender(byte[] bytes) {
        this.bytes = bytes;
        at(bytes, 0, bytes.length);
    }

    /** One to look with, by {@link #at}; never a key in a map. */
    static Sender sought() {
        return new Sender(new byte[0]);
    }

    /** Stands for {@code bytes[begin, end)} from now on. */
    Sender at(byte[] in, int from, int to) {
        bytes = in;
        begin = from;
        end = to;
        int sum = 1;
        for (int i = from; i < to; i++) {
            sum = 31 * sum + in[i];
        }
        hash = sum;
        return this;
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Sender sender
                && hash == sender.hash
                && Arrays.equals(bytes, begin, end, sender.bytes, sender.begin, sender.end);
    }

    @Override
    public String toString() {
        return new String(bytes, begin, end - begin, ISO_8859_1);
    }
}
