package io.counters.collector.http;

import java.util.concurrent.TimeUnit;

/** What a {@link Connection} waits for, and for how long: since the last progress, and in all. */
enum ConnectionState {
    /** Between requests. */
    IDLE(30),
    /** Part of a request has arrived; on an open port, the time starts again with each further part. */
    READING(5, 30),
    /** The answer is being created, or the request waits for its turn. */
    MAKING(10),
    /** The answer is being sent; the time starts again with each piece that the client reads. */
    SENDING(10, 60),
    /** All events so far are sent; a heartbeat is due after this time. */
    LISTENING(15),
    /** Everything is sent, and the client should close first: if we closed now, it might lose the end of the answer. */
    ENDING(2);

    final int seconds;
    final long nanos;
    final long nanosInAll;

    ConnectionState(int seconds) {
        this(seconds, seconds);
    }

    ConnectionState(int seconds, int secondsInAll) {
        this.seconds = seconds;
        nanos = TimeUnit.SECONDS.toNanos(seconds);
        nanosInAll = TimeUnit.SECONDS.toNanos(secondsInAll);
    }
}
