package io.counters.collector.fleet;

import io.counters.collector.self.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet keeps in {@code PREFIX.ledger} beside the ledger's own records, under the key {@code o}: numbers as in
 * {@link Bytes}, format, partitions, offset. The offset is also that of the consumer group, in which it fences former owners;
 * but brokers forget a group that has been away for a week.
 *
 * @param partitions how many the fleet has, which must never change: names would move, and be counted twice
 * @param offset of {@code PREFIX.lines}, after the last record that is merged
 */
record Progress(int partitions, long offset) {
    static final byte[] KEY = {'o'};

    private static final int FORMAT = 1;

    byte[] value() {
        Bytes bytes = new Bytes();
        bytes.addNumber(FORMAT);
        bytes.addNumber(partitions);
        bytes.addNumber(offset);
        return bytes.toArray();
    }

    static Progress of(byte @Nullable [] value) {
        Bytes.Reader in = new Bytes.Reader(value == null ? new byte[0] : value, IllegalStateException::new);
        long format = in.number();
        if (format != FORMAT) {
            throw new IllegalStateException("its progress has format " + format + ", and this version reads " + FORMAT);
        }
        return new Progress((int) in.number(), in.number());
    }
}
