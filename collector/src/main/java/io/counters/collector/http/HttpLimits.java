package io.counters.collector.http;

/**
 * How much a port for HTTP holds at once. What exceeds it is refused, and counted.
 *
 * @param connections that are open; a new one replaces the one that has waited longest for its client
 * @param listeners answers that are open for events
 * @param waiting requests of one kind of work that wait for their turn
 * @param bodiesBytes memory for the bodies of all requests, from their first byte until their work is done; one sender may have
 *     as much as would remain free
 */
public record HttpLimits(int connections, int listeners, int waiting, long bodiesBytes) {
    /** Those of a page, in a heap of at least 256 MB, and with at least 800 descriptors, 1,600 with TLS. */
    public static final HttpLimits PAGE = new HttpLimits(200, 50, 32, 4 << 20);

    private static final int HEAP_SHARE = 10;
    private static final int DESCRIPTORS_SHARE = 4;

    /** With an answer that is not read, and with TLS. */
    private static final int CONNECTION_BYTES = 112 << 10;

    /** Fewer cannot be divided among listeners, all kinds of work and health. */
    public static final int CONNECTIONS_MIN = 16;

    /** How many connections a quarter of the descriptors allows. With TLS there may be as many handshakes, in addition. */
    public static long connectionsMax(long descriptors, boolean hasTls) {
        return descriptors / DESCRIPTORS_SHARE / (hasTls ? 2 : 1);
    }

    /**
     * The limits of a page: these, or less if the heap or the descriptors do not suffice. Connections that listen or wait for
     * their answer never give way, so listeners have at most a quarter of all, and with what waits they leave an eighth free for
     * health and metrics.
     *
     * @param heapBytes the maximum heap
     * @param descriptors the maximum number of file descriptors
     */
    public HttpLimits within(long heapBytes, long descriptors, boolean hasTls) {
        long possible = Math.min(heapBytes / HEAP_SHARE / CONNECTION_BYTES, connectionsMax(descriptors, hasTls));
        int all = (int) Math.max(CONNECTIONS_MIN, Math.min(connections, possible));
        int listening = Math.min(listeners, all / 4);
        int ofOneKind = (all - all / 8 - listening) / Listening.KINDS;
        return new HttpLimits(
                all, listening, Math.min(waiting, ofOneKind - Listening.PAGE_ANSWERS_AT_ONCE), bodiesBytes);
    }
}
