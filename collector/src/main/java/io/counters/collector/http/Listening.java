package io.counters.collector.http;

import io.counters.collector.access.Gate;
import java.net.InetAddress;

/**
 * Where an {@link HttpPort} listens, for whom, and how much it reads and answers at once.
 *
 * @param bind the address to listen on
 * @param number of the port; 0 for any free one
 * @param what it is, for messages
 * @param remedy what to do if the port is in use, for the message
 * @param isPage whether it is for people and their browsers, so that the Host header of each request must name it
 * @param limits how much it holds at once
 * @param answersAtOnce how many answers of one kind of work are created and sent at once
 * @param guard whom it answers
 */
public record Listening(
        InetAddress bind,
        int number,
        String what,
        String remedy,
        boolean isPage,
        HttpLimits limits,
        int answersAtOnce,
        Guard guard) {
    static final int PAGE_ANSWERS_AT_ONCE = 2;

    /** How many kinds of work an answer may be. */
    static final int KINDS = 3;

    /** A page, for browsers and programs. */
    public static Listening page(InetAddress bind, int number, String remedy, HttpLimits limits, Guard guard) {
        return new Listening(bind, number, "the page", remedy, true, limits, PAGE_ANSWERS_AT_ONCE, guard);
    }

    /** A port for programs, all of whose answers are the same kind of work. */
    public static Listening programs(
            InetAddress bind,
            int number,
            String what,
            String remedy,
            HttpLimits limits,
            int answersAtOnce,
            Guard guard) {
        return new Listening(bind, number, what, remedy, false, limits, answersAtOnce, guard);
    }

    /** The same, for the connections that this gate lets in. */
    public Listening with(Gate gate) {
        return new Listening(bind, number, what, remedy, isPage, limits, answersAtOnce, guard.with(gate));
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
