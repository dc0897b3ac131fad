package io.counters.collector.fleet;

import io.counters.collector.self.SeededHash;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The streams that this collector has heard lately, by their IDs; at most a given number. Two tables: a stream that is heard
 * is in the young one, and when that is half full, the old one is forgotten and the young one becomes the old one. A
 * forgotten stream that is heard again is unknown, so it is announced again; nothing else depends on this memory.
 *
 * <p>Strangers choose IDs, so the hash is seeded. Finding a known stream allocates nothing. Used under the gatherer's lock.
 */
final class KnownStreams {
    /** Heap bytes of a stream: its object, an ID of the usual 32 bytes, and its slots. */
    static final int BYTES_A_STREAM = 160;

    private static final int SLOTS_MIN = 64;

    private final int max;
    private final int partitions;
    private final SeededHash hashing;
    private final CRC32C crc = new CRC32C();
    private @Nullable KnownStream[] young = new KnownStream[SLOTS_MIN];
    private @Nullable KnownStream[] old = new KnownStream[SLOTS_MIN];
    private int youngSize;
    private int oldSize;

    /**
     * @param max the most streams, at least 2
     * @param partitions of the fleet
     */
    KnownStreams(int max, int partitions, SeededHash hashing) {
        this.max = max;
        this.partitions = partitions;
        this.hashing = hashing;
    }

    /** The streams in memory. One that is in both tables counts twice. */
    int size() {
        return youngSize + oldSize;
    }

    /** The stream with the ID {@code in[begin, end)}; if it is unknown, a new one that was never announced. */
    KnownStream get(byte[] in, int begin, int end) {
        long hash = hashing.of(in, begin, end);
        KnownStream stream = find(young, hash, in, begin, end);
        if (stream != null) {
            return stream;
        }
        stream = find(old, hash, in, begin, end);
        if (stream == null) {
            stream = new KnownStream(
                    Arrays.copyOfRange(in, begin, end), hash, Partitions.of(in, begin, end, partitions, crc));
        }
        add(stream);
        return stream;
    }

    private static @Nullable KnownStream find(@Nullable KnownStream[] slots, long hash, byte[] in, int begin, int end) {
        int mask = slots.length - 1;
        for (int i = (int) hash & mask; ; i = (i + 1) & mask) {
            KnownStream stream = slots[i];
            if (stream == null
                    || (stream.hash == hash && Arrays.equals(stream.id, 0, stream.id.length, in, begin, end))) {
                return stream;
            }
        }
    }

    private void add(KnownStream stream) {
        if (youngSize >= Math.max(1, max / 2)) {
            old = young;
            oldSize = youngSize;
            young = new KnownStream[SLOTS_MIN];
            youngSize = 0;
        }
        if (2 * (youngSize + 1) > young.length) {
            @Nullable KnownStream[] before = young;
            young = new KnownStream[2 * before.length];
            for (KnownStream known : before) {
                if (known != null) {
                    seat(known);
                }
            }
        }
        seat(stream);
        youngSize++;
    }

    private void seat(KnownStream stream) {
        int mask = young.length - 1;
        int i = (int) stream.hash & mask;
        while (young[i] != null) {
            i = (i + 1) & mask;
        }
        young[i] = stream;
    }
}
