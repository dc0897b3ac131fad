package io.counters.collector.http;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/**
 * Lets a few requests of one kind be answered at once; a limited number of others wait in turn. A request keeps its place
 * until its answer is sent, so that the answers in memory are few. For the event loop only.
 */
final class Lane {
    private final int atOnceMax;
    private final int waitingMax;
    private final Consumer<Connection> begin;
    private final Deque<Connection> waiting = new ArrayDeque<>();
    private int begun;

    /** @param begin has a request's answer made */
    Lane(int atOnceMax, int waitingMax, Consumer<Connection> begin) {
        this.atOnceMax = atOnceMax;
        this.waitingMax = waitingMax;
        this.begin = begin;
    }

    /** Begins with this request, now or in its turn; returns false when too many wait already. */
    boolean enter(Connection request) {
        if (begun < atOnceMax) {
            begun++;
            begin.accept(request);
            return true;
        }
        return waiting.size() < waitingMax && waiting.add(request);
    }

    /** This request is done, or given up; whether it has begun or waits. */
    void leave(Connection request) {
        if (waiting.remove(request)) {
            return;
        }
        Connection next = waiting.poll();
        if (next == null) {
            begun--;
        } else {
            begin.accept(next);
        }
    }
}
