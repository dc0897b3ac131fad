package io.counters.collector.http;

import java.net.InetAddress;

/**
 * Where an {@link HttpPort} listens, for whom, and how much it reads and answers at once.
 *
 * @param bind the address to listen on
 * @param number of the port; 0 for any free one
 * @param what it is, for messages
 * @param remedy what to do if the port is in use, for the message
 * @param isPage whether it is for this machine only: the Host header of each request must name its loopback
 * @param connectionsMax how many connections may be open; a new one replaces the one that has waited longest for its client
 * @param answersAtOnce how many answers of one kind of work are created and sent at once
 * @param bodiesBytesMax memory for the bodies of all requests, from their first byte until they are answered; what exceeds
 *     it is refused
 */
public record Listening(
        InetAddress bind,
        int number,
        String what,
        String remedy,
        boolean isPage,
        int connectionsMax,
        int answersAtOnce,
        long bodiesBytesMax) {
    static final int PAGE_CONNECTIONS_MAX = 200;
    static final int PAGE_ANSWERS_AT_ONCE = 2;

    /** How many kinds of work an answer may be. */
    private static final int KINDS = 3;

    /** A page: on loopback, for browsers and programs of this machine. */
    static Listening page(int number, String remedy) {
        return new Listening(
                InetAddress.getLoopbackAddress(),
                number,
                "the page",
                remedy,
                true,
                PAGE_CONNECTIONS_MAX,
                PAGE_ANSWERS_AT_ONCE,
                Long.MAX_VALUE);
    }

    /** A port for requests of other machines, all of whose answers are the same kind of work. */
    public static Listening open(
            InetAddress bind,
            int number,
            String what,
            String remedy,
            int connectionsMax,
            int answersAtOnce,
            long bodiesBytesMax) {
        return new Listening(bind, number, what, remedy, false, connectionsMax, answersAtOnce, bodiesBytesMax);
    }

    /** Threads that create answers; on a page, so many that workers that hang delay no other kind of work. */
    int workers() {
        return isPage ? KINDS * answersAtOnce : answersAtOnce;
    }

    /** The status for a request that should be sent again later: what clients of each kind expect. */
    int busyStatus() {
        return isPage ? 503 : 429;
    }

    /** Whether an error is answered with JSON, for programs. */
    boolean answersPrograms(String uri) {
        return !isPage || uri.startsWith("/api/");
    }
}
