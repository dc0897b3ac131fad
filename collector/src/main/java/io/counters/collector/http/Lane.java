package io.counters.collector.http;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * Allows a few requests of one kind to be answered at once; a limited number of others wait in a queue. A request keeps its
 * place until its answer is sent, so that few answers are in memory. For the event loop only.
 */
final class Lane {
    private final int atOnceMax;
    private final int waitingMax;
    private final Consumer<Exchange> begin;
    private final Deque<Exchange> waiting = new ArrayDeque<>();
    private int begun;

    /** The number of those that wait, for other threads. */
    private volatile int count;

    /** @param begin starts a request's answer */
    Lane(int atOnceMax, int waitingMax, Consumer<Exchange> begin) {
        this.atOnceMax = atOnceMax;
        this.waitingMax = waitingMax;
        this.begin = begin;
    }

    /** Starts this request, now or when its turn comes; returns false if too many wait already. */
    boolean enter(Exchange request) {
        if (begun < atOnceMax) {
            begun++;
            begin.accept(request);
            return true;
        }
        boolean hasRoom = waiting.size() < waitingMax && waiting.add(request);
        count = waiting.size();
        return hasRoom;
    }

    /** How many requests wait. For any thread. */
    int waiting() {
        return count;
    }

    /** Removes a request that is done or canceled, whether it was started or waits. */
    void leave(Exchange request) {
        if (waiting.remove(request)) {
            count = waiting.size();
            return;
        }
        Exchange next = waiting.poll();
        count = waiting.size();
        if (next == null) {
            begun--;
        } else {
            begin.accept(next);
        }
    }
}
