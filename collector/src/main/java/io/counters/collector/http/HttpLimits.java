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
    /** Those of a page, in a heap that is not smaller than 256 MB. */
    public static final HttpLimits PAGE = new HttpLimits(200, 50, 32, 4 << 20);

    private static final int HEAP_SHARE = 10;

    /** With an answer that is not read, and with TLS. */
    private static final int CONNECTION_BYTES = 112 << 10;

    /** Fewer cannot be divided among listeners, all kinds of work and health. */
    public static final int CONNECTIONS_MIN = 16;

    /**
     * The limits of a page: these, or less if the heap does not suffice. Connections that listen or wait for their answer never
     * give way, so listeners have at most a quarter of all, and with what waits they leave an eighth free for health and metrics.
     */
    public HttpLimits within(long heapBytes) {
        int all = (int) Math.max(CONNECTIONS_MIN, Math.min(connections, heapBytes / HEAP_SHARE / CONNECTION_BYTES));
        int listening = Math.min(listeners, all / 4);
        int ofOneKind = (all - all / 8 - listening) / Listening.KINDS;
        return new HttpLimits(
                all, listening, Math.min(waiting, ofOneKind - Listening.PAGE_ANSWERS_AT_ONCE), bodiesBytes);
    }
}
