package io.counters.collector.store;

import io.counters.collector.ledger.Push;
import java.util.List;

/** A shared store of signed 64-bit counters. Called by one thread. */
public interface Store extends AutoCloseable {
    /**
     * Does what the requests say, each of another key, and tells what became of each, in any order and within a bounded
     * time: a few seconds, if need be by {@link Push.Unknown}. Never throws.
     */
    void send(List<Push> requests, Replies replies);

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
