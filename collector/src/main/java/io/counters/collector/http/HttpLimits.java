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

    /** These limits, or less if the heap does not suffice. */
    public HttpLimits within(long heapBytes) {
        return new HttpLimits(
                (int) Math.max(1, Math.min(connections, heapBytes / HEAP_SHARE / CONNECTION_BYTES)),
                listeners,
                waiting,
                bodiesBytes);
    }
}
