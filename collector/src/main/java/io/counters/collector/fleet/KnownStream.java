package io.counters.collector.fleet;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A stream whose lines this collector gathers, found by its ID. Everything that changes is read and written under the
 * gatherer's lock.
 */
final class KnownStream {
    /** In place of a time: never. */
    static final long NEVER = Long.MIN_VALUE;

    /** Heap bytes of a stream: its object, an ID of the usual 32 bytes, and its entry in a map. */
    static final int BYTES = 240;

    private byte[] in;
    private int begin;
    private int end;
    private long hash;

    /** The partition that counts its datagrams. */
    final int home;

    /** The sender's address, as an {@code AddressKey}. */
    final long address;

    /** Whether its lines are passed on: few of those that are new may begin at once. */
    boolean isAdmitted;

    /** When it began, by the gatherer's clock and its last {@code from} line. */
    long bornMillis;

    /** The window that it last had lines in, and its number there. */
    long window;

    int place;

    /** When it was last announced to every partition, and whether it waits for that. */
    long announcedMillis = NEVER;

    boolean waits;

    KnownStream(byte[] id, long hash, int home, long address) {
        this.home = home;
        this.address = address;
        in = id;
        end = id.length;
        this.hash = hash;
    }

    /** Makes this one that finds another in a map, without being one. */
    void seek(byte[] bytes, int from, int to, long seededHash) {
        in = bytes;
        begin = from;
        end = to;
        hash = seededHash;
    }

    /** Its ID; not of one that {@link #seek}s. */
    byte[] id() {
        return in;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KnownStream stream
                && stream.hash == hash
                && Arrays.equals(in, begin, end, stream.in, stream.begin, stream.end);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(hash);
    }
}
