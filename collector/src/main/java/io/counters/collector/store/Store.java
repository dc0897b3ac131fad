package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A store of signed 64-bit counters. Called by one thread. */
public interface Store extends AutoCloseable {
    /** Why a key whose value is not a counter is refused, and the remedy. */
    String NO_NUMBER = "its value is not a number; delete the key in the store";

    /**
     * Takes requests, each for a different key, and executes them, until there are none or the store does not answer.
     * Reports the result of each one that it took, in any order and within a few seconds, if necessary as
     * {@link Push.Unknown}. Never throws.
     */
    void send(Requests requests, Replies replies);

    /**
     * Returns what an earlier {@link #stamp(String, String)} wrote under this key; null if nothing.
     *
     * @throws IOException if the store does not answer within a bounded time
     */
    @Nullable
    String stamp(String key) throws IOException;

    /** Writes a text under a key that cannot be a counter's. Does not wait, never throws. */
    void stamp(String key, String text);

    /**
     * Why existing keys may have been lost, and the remedy, for the log; from the statistics of the servers, within a
     * bounded time. Never throws.
     */
    String loss();

    /**
     * The servers that answer, and how they are set up; empty if the product does not tell.
     *
     * @throws IOException if one does not answer within a bounded time
     */
    List<Server> servers() throws IOException;

    /**
     * A server of the store.
     *
     * @param text its address, version and memory, for people
     * @param loses whether it has evicted keys, or will when its memory is full
     */
    record Server(String text, boolean loses) {}

    /** The product and its address, for the log; without any secret. */
    @Override
    String toString();

    @Override
    void close();

    /** The source of requests. */
    @FunctionalInterface
    interface Requests {
        /**
         * Returns the next requests; earlier ones may still have no answer.
         *
         * @param max the most requests
         * @return empty if there are no more
         */
        List<Push> take(int max);
    }

    /** Receives the answer to each request. */
    @FunctionalInterface
    interface Replies {
        void answered(Push request, Push.Reply reply);
    }
}
