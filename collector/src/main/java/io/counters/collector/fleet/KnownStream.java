package io.counters.collector.fleet;

/** A stream whose lines this collector gathers. Everything that changes is read and written under the gatherer's lock. */
final class KnownStream {
    /** In place of a time: never. */
    static final long NEVER = Long.MIN_VALUE;

    /** Never changed. */
    final byte[] id;

    /** The seeded hash of the ID. */
    final long hash;

    /** The partition that counts its datagrams. */
    final int home;

    /** When it began, by the gatherer's clock and its last {@code from} line. */
    long bornMillis;

    /** The window that it last had lines in, and its number there. */
    long window;

    int place;

    /** When it was last announced to every partition, and whether it waits for that. */
    long announcedMillis = NEVER;

    boolean waits;

    KnownStream(byte[] id, long hash, int home) {
        this.id = id;
        this.hash = hash;
        this.home = home;
    }
}
