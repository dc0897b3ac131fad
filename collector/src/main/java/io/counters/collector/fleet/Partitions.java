package io.counters.collector.fleet;

import java.util.zip.CRC32C;

/**
 * Which partition a name belongs to, and which one is a stream's home: the CRC-32C of its bytes, without a sign, modulo the
 * number of partitions. Documented, and the same in every version: another rule would count a name in two places.
 */
final class Partitions {
    /** The most partitions that a fleet may have. */
    static final int MAX = 1024;

    private Partitions() {}

    /**
     * The partition of {@code in[begin, end)}, which is a counter's canonical name or a stream's ID.
     *
     * @param partitions how many there are, 1 to {@value #MAX}
     * @param crc scratch space of the calling thread
     */
    static int of(byte[] in, int begin, int end, int partitions, CRC32C crc) {
        crc.reset();
        crc.update(in, begin, end - begin);
        return (int) (crc.getValue() % partitions);
    }
}
