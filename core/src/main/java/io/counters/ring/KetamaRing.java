package io.counters.ring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The circle of all 32-bit numbers. Each server has points on it, in proportion to its weight. A key belongs to the
 * server of the first point at or above the key's own point, or of the lowest point if there is none. Bit by bit the
 * same as libketama:
 *
 * <pre>
 *   share  = (float) weight / (float) sum of the weights         a float: a double differs for 7 servers
 *   hashes = floor((float) (share * 40.0 * servers))             converted to float: a double differs for 25 servers
 *   hash k = MD5 of "ADDRESS-k", k from 0 to hashes - 1          four points: its words, lowest byte first, unsigned
 *   key    = the first word of its MD5
 * </pre>
 *
 * <p>So a server usually has 160 points, but 156 among 61 servers of equal weight, and none if its weight is too small.
 *
 * <p>If points of two servers are equal, the point belongs to the server that is first in the list: libketama uses the
 * first of the equal points after a {@code qsort}, which in glibc is a merge sort and keeps them in the order of the
 * list. (A libc whose {@code qsort} is not stable may differ there, for one key in 2^32 per such pair.) Otherwise the
 * order of the list has no effect.
 *
 * <p>Immutable, so any thread may use it. A point takes 8 bytes.
 */
public final class KetamaRing {
    private static final int WORDS = 4;
    private static final int SERVER_BITS = 24;

    /** All points in order: the point, then the number of its server. */
    private final long[] points;

    /**
     * The ring of these servers.
     *
     * @param servers at least one address, written the same way by all who share the ring; ASCII
     * @param weights one for each server, at least 1
     * @throws IllegalArgumentException if there is no server, or if a server has no weight of at least 1
     */
    public KetamaRing(List<String> servers, long... weights) {
        if (servers.isEmpty() || servers.size() != weights.length) {
            throw new IllegalArgumentException("a ring has " + servers.size() + " servers and " + weights.length
                    + " weights: it needs at least one server, and one weight for each");
        }
        long total = 0;
        int hashes = 0;
        for (long weight : weights) {
            if (weight < 1) {
                throw new IllegalArgumentException("a server's weight is " + weight + ", allowed is 1 or more");
            }
            total += weight;
        }
        for (long weight : weights) {
            hashes += hashes(weight, total, weights.length);
        }
        KetamaHash hash = new KetamaHash();
        points = new long[WORDS * hashes];
        int filled = 0;
        for (int server = 0; server < weights.length; server++) {
            for (int k = 0; k < hashes(weights[server], total, weights.length); k++) {
                byte[] named = (servers.get(server) + "-" + k).getBytes(ISO_8859_1);
                hash.hash(named, 0, named.length);
                for (int word = 0; word < WORDS; word++) {
                    points[filled++] = hash.word(word) << SERVER_BITS | server;
                }
            }
        }
        Arrays.sort(points);
    }

    /** The number of a server's hashes, which have four points each; 0 if the server would own nothing. */
    public static int hashes(long weight, long totalOfWeights, int servers) {
        float share = (float) weight / (float) totalOfWeights;
        return (int) Math.floor((float) ((double) share * 40.0 * (double) (float) servers));
    }

    /**
     * The index of the server that owns the key {@code key[begin, end)}, in the list, from 0. Allocates nothing.
     *
     * @param hash the caller's own, because it is not thread-safe
     */
    public int owner(byte[] key, int begin, int end, KetamaHash hash) {
        return owner(hash.point(key, begin, end));
    }

    /** The index of the server that owns a point of the circle, 0 to 2^32 - 1. */
    public int owner(long point) {
        long sought = point << SERVER_BITS;
        int low = 0;
        int high = points.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (points[middle] < sought) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        long found = points[low < points.length ? low : 0];
        return (int) (found & ((1L << SERVER_BITS) - 1));
    }

    /**
     * All points, lowest first, 0 to 2^32 - 1; a server owns everything after the point before it, up to its own point.
     */
    public LongStream points() {
        return Arrays.stream(points).map(point -> point >>> SERVER_BITS);
    }
}
