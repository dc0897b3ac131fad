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
     * Does what the requests say, each of another key, and tells what became of each, in any order and within a bounded
     * time: a few seconds, if need be by {@link Push.Unknown}. Never throws.
     */
    void send(List<Push> requests, Replies replies);

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

    /** Takes the answer to each request. */
    @FunctionalInterface
    interface Replies {
        void settle(Push request, Push.Reply reply);
    }
}
