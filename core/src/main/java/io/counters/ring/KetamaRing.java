package io.counters.ring;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * The circle of all numbers of 32 bits, on which each server has points by its weight, and a key belongs to the server
 * of the first point at or above its own, or of the lowest past the highest. Equal to libketama, bit by bit:
 *
 * <pre>
 *   share  = (float) weight / (float) sum of the weights         a float: in double it is wrong at 7 servers
 *   hashes = floor((float) (share * 40.0 * servers))             a double made a float: without, wrong at 25 servers
 *   hash k = MD5 of "ADDRESS-k", k from 0 to hashes - 1          four points: its words, lowest byte first, unsigned
 *   key    = the first word of its MD5
 * </pre>
 *
 * <p>So a server mostly has 160 points, but at 61 equal servers 156, and one that weighs next to nothing has none.
 *
 * <p>Where points of two servers are equal the one that stands first in the list has them: libketama takes the first of
 * the equal ones after a {@code qsort}, which in glibc is a merge sort and leaves them in the order of the list. (A libc
 * whose {@code qsort} is not stable may differ there, for one key in 2^32 per such pair.) Else the order of the list
 * decides nothing.
 *
 * <p>Immutable, and so for all threads. 8 bytes a point.
 */
public final class KetamaRing {
    private static final int WORDS = 4;
    private static final int SERVER_BITS = 24;

    /** All points in order: the point, then the number of its server. */
    private final long[] points;

    /**
     * The ring of these servers.
     *
     * @param servers their addresses as all who share the ring write them, at least one; ASCII
     * @param weights of the same servers, each from 1
     * @throws IllegalArgumentException if there is no server, or not one weight of at least 1 for each
     */
    public KetamaRing(List<String> servers, long... weights) {
        if (servers.isEmpty() || servers.size() != weights.length) {
            throw new IllegalArgumentException("a ring of " + servers.size() + " servers with " + weights.length
                    + " weights: it takes at least one server, and a weight for each");
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

    /** How many hashes, of four points each, a server has; 0 for one that owns nothing. */
    public static int hashes(long weight, long totalOfWeights, int servers) {
        float share = (float) weight / (float) totalOfWeights;
        return (int) Math.floor((float) ((double) share * 40.0 * (double) (float) servers));
    }

    /**
     * The server that owns a key, by its place in the list, from 0. Allocates nothing.
     *
     * @param key is what lies in it from {@code begin} to before {@code end}
     * @param hash the caller's own
     */
    public int owner(byte[] key, int begin, int end, KetamaHash hash) {
        return owner(hash.point(key, begin, end));
    }

    /** The server that owns a point of the circle, 0 to 2^32 - 1, by its place in the list. */
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

    /** All servers' points, lowest first, 0 to 2^32 - 1; up to each, and from the one before it, a server owns all. */
    public LongStream points() {
        return Arrays.stream(points).map(point -> point >>> SERVER_BITS);
    }
}
