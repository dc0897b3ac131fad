package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A shared store of signed 64-bit counters. Called by one thread. */
public interface Store extends AutoCloseable {
    /** Why a key is refused that holds something else than a counter. */
    String NO_NUMBER = "it holds no number; delete it there";

    /**
     * Takes requests, each of another key, and does what they say, until there are none or the store does not answer. Tells
     * what became of each that was taken, in any order and within a bounded time: a few seconds, if need be by {@link
     * Push.Unknown}. Never throws.
     */
    void send(Requests requests, Replies replies);

    /**
     * What an earlier {@link #mark(String, String)} left under this key; null when there is none.
     *
     * @throws IOException when the store does not answer within a bounded time
     */
    @Nullable
    String mark(String key) throws IOException;

    /** Leaves a text, under a key that can't be a counter's. Does not wait, never throws. */
    void mark(String key, String text);

    /**
     * Why keys may have gone that were here, and what to do about it, for the log; by what the servers say of themselves,
     * within a bounded time. Never throws.
     */
    String loss();

    /** Where it is, for the log; without any secret. */
    @Override
    String toString();

    @Override
    void close();

    /** Where the requests come from. */
    @FunctionalInterface
    interface Requests {
        /**
         * Gives the next requests, while those before may have no answer yet.
         *
         * @param max how many at the most
         * @return empty when there are no more
         */
        List<Push> take(int max);
    }

    /** Takes the answer to each request. */
    @FunctionalInterface
    interface Replies {
        void settle(Push request, Push.Reply reply);
    }
}
