package io.counters.collector.http;

import java.util.concurrent.TimeUnit;

/** What a {@link Connection} waits for, and for how long. */
enum ConnectionState {
    /** Between requests. */
    IDLE(30),
    /** Part of a request has arrived. */
    READING(5),
    /** The answer is being created, or the request waits for its turn. */
    MAKING(10),
    /** The answer is being sent; the time starts again with each piece that the client reads. */
    SENDING(10),
    /** All events so far are sent; a heartbeat is due after this time. */
    LISTENING(15),
    /** Everything is sent, and the client should close first: if we closed now, it might lose the end of the answer. */
    ENDING(2);

    final int seconds;
    final long nanos;

    ConnectionState(int seconds) {
        this.seconds = seconds;
        nanos = TimeUnit.SECONDS.toNanos(seconds);
    }
}
