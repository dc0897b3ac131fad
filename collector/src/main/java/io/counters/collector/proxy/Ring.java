package io.counters.collector.proxy;

import io.counters.ring.KetamaHash;
import io.counters.ring.KetamaRing;
import io.counters.wire.Cleaning;
import io.counters.wire.StatsdName;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Finds the server that owns a key. The owners of short keys are cached, so that a repeated key is not hashed with MD5 again:
 * in a table of fixed size, in which a newer key replaces an older one. For one thread.
 */
final class Ring {
    private static final long CIRCLE = 1L << 32;
    private static final int PLACES = 1 << 14;
    private static final int KEY_BYTES_KEPT = 60;

    /** Added to the owner of a key that contains an equals sign. */
    private static final int EQUALS = 1 << 30;

    private static final long HASH_FACTOR = 0x9E37_79B9_7F4A_7C15L;

    private final List<Server> servers;
    private final KetamaRing ring;
    private final KetamaHash hash = new KetamaHash();
    private final byte[] keys = new byte[PLACES * KEY_BYTES_KEPT];
    private final byte[] lengths = new byte[PLACES];
    private final int[] owners = new int[PLACES];
    private final StatsdName counter;

    Ring(List<Server> servers) {
        this(servers, List.of());
    }

    /** @param dropTags keys of tags that are not part of a counter's key, because the collectors leave them out */
    Ring(List<Server> servers, List<String> dropTags) {
        this.servers = List.copyOf(servers);
        counter = StatsdName.cleaning(dropTags);
        ring = new KetamaRing(
                servers.stream().map(Server::address).toList(),
                servers.stream().mapToLong(Server::weight).toArray());
    }

    List<Server> servers() {
        return servers;
    }

    /**
     * The place in {@link #servers} of the owner of the message {@code in[begin, end)} with the key {@code in[keyBegin,
     * keyEnd)}. A counter with tags, in any form, has the same owner as its name in {@code increment NAME}, so that one
     * server gets everything that is counted under that name. Any other message has the owner of its key, byte by byte.
     */
    int owner(byte[] in, int begin, int end, int keyBegin, int keyEnd) {
        int found = find(in, keyBegin, keyEnd);
        // Nearly all messages end here: frames, whose key ends in NUL, and counters with nothing after the type.
        return found < EQUALS && (in[keyEnd] == 0 || isBareCounter(in, end))
                ? found
                : ownerOfLine(in, begin, end, keyBegin, keyEnd, found);
    }

    private static boolean isBareCounter(byte[] in, int end) {
        return in[end - 2] == 'c' && in[end - 3] == '|';
    }

    private int ownerOfLine(byte[] in, int begin, int end, int keyBegin, int keyEnd, int found) {
        boolean isCounter = in[keyEnd] == ':' && in[find(in, keyEnd, end, '|') + 1] == 'c';
        boolean hasField = isCounter && !isBareCounter(in, end) && hasTagField(in, keyEnd, end);
        return isCounter && (hasField || found >= EQUALS) && isTagged(in, begin, end, keyBegin, keyEnd, hasField)
                ? owner(counter.bytes, counter.from, counter.to)
                : found & ~EQUALS;
    }

    private static boolean hasTagField(byte[] in, int begin, int end) {
        for (int bar = find(in, begin, end, '|'); bar < end; bar = find(in, bar + 1, end, '|')) {
            if (in[bar + 1] == '#') {
                return true;
            }
        }
        return false;
    }

    private boolean isTagged(byte[] in, int begin, int end, int keyBegin, int keyEnd, boolean hasField) {
        if (counter.readLine(in, begin, end) != null) {
            return false;
        }
        int equals = find(in, keyBegin, keyEnd, '=');
        return hasField
                || counter.was(Cleaning.TAGS_IN_NAME)
                || (equals < keyEnd && find(in, keyBegin, equals, ',') < equals);
    }

    private static int find(byte[] in, int begin, int end, char wanted) {
        int at = begin;
        while (at < end && in[at] != wanted) {
            at++;
        }
        return at;
    }

    /** The place in {@link #servers} of the owner of the key {@code in[begin, end)}, which is not empty. */
    int owner(byte[] in, int begin, int end) {
        return find(in, begin, end) & ~EQUALS;
    }

    /** The same, with {@link #EQUALS} added if the key contains an equals sign; a key without one has no tags. */
    private int find(byte[] in, int begin, int end) {
        int length = end - begin;
        if (length > KEY_BYTES_KEPT) {
            return look(in, begin, end);
        }
        long mixed = length;
        for (int i = begin; i < end; i++) {
            mixed = mixed * 31 + in[i];
        }
        int place = (int) ((mixed * HASH_FACTOR) >>> 50);
        int kept = place * KEY_BYTES_KEPT;
        if (lengths[place] == length && Arrays.equals(keys, kept, kept + length, in, begin, end)) {
            return owners[place];
        }
        int owner = look(in, begin, end);
        System.arraycopy(in, begin, keys, kept, length);
        lengths[place] = (byte) length;
        owners[place] = owner;
        return owner;
    }

    private int look(byte[] in, int begin, int end) {
        return ring.owner(in, begin, end, hash) | (find(in, begin, end, '=') < end ? EQUALS : 0);
    }

    /** The share of all keys that each server owns, from 0 to 1. */
    double[] shares() {
        double[] shares = new double[servers.size()];
        long before = 0;
        for (long point :
                LongStream.concat(ring.points(), LongStream.of(CIRCLE - 1)).toArray()) {
            shares[ring.owner(point)] += (double) (point + 1 - before) / CIRCLE;
            before = point + 1;
        }
        return shares;
    }

    /** The share of all keys that have another owner on the other ring, from 0 to 1. */
    double moved(Ring other) {
        double moved = 0;
        long before = 0;
        long[] points = LongStream.concat(
                        LongStream.concat(ring.points(), other.ring.points()), LongStream.of(CIRCLE - 1))
                .sorted()
                .toArray();
        for (long point : points) {
            String owner = servers.get(ring.owner(point)).address();
            String otherOwner = other.servers.get(other.ring.owner(point)).address();
            moved += owner.equals(otherOwner) ? 0 : (double) (point + 1 - before) / CIRCLE;
            before = point + 1;
        }
        return moved;
    }
}
