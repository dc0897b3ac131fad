package io.counters.collector.http;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Requests of a connection that arrived before the previous one was answered. No more are read meanwhile, so all of them were in
 * one buffer, or in one record of TLS, which may still be more than are kept here. For the event loop.
 */
final class PipelinedRequests {
    private static final int MAX = 128;

    private final Deque<ArrivedRequest> requests = new ArrayDeque<>();
    private final HttpPort port;
    private final Peer peer;

    PipelinedRequests(HttpPort port, Peer peer) {
        this.port = port;
        this.peer = peer;
    }

    /** Returns false if there are too many. All so far will be answered, this one by a refusal; drop those that follow. */
    boolean add(ArrivedRequest request) {
        if (requests.size() < MAX) {
            return requests.add(request);
        }
        port.release(peer.address(), request.heldBytes());
        RequestException refusal = port.refuse(
                "pipelined",
                new RequestException(
                        429, "more than " + MAX + " requests wait on this connection; send the rest on a new one"));
        requests.add(new ArrivedRequest(request.head(), new byte[0], 0, refusal));
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
