package io.counters.collector.http;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Requests of a connection that arrived before the previous one was answered. No more are read meanwhile, so all of them were in
 * one buffer, or in one record of TLS. For the event loop.
 */
final class PipelinedRequests {
    /** As many of the shortest requests as a buffer has. */
    private static final int MAX = 128;

    private final Deque<ArrivedRequest> requests = new ArrayDeque<>();
    private final HttpPort port;
    private final Peer peer;

    PipelinedRequests(HttpPort port, Peer peer) {
        this.port = port;
        this.peer = peer;
    }

    /** Returns false if there are too many; then end the connection. */
    boolean add(ArrivedRequest request) {
        requests.add(request);
        if (requests.size() <= MAX) {
            return true;
        }
        port.refuse("pipelined", RequestException.bad("more than " + MAX + " requests at once"));
        return false;
    }

    @Nullable
    ArrivedRequest poll() {
        return requests.poll();
    }

    /** Drops them, and releases the memory of their bodies. */
    void clear() {
        requests.forEach(unanswered -> port.release(peer.address(), unanswered.heldBytes()));
        requests.clear();
    }
}
