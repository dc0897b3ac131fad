package io.counters.collector.http;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The clients that listen to the events of one kind, see {@link Response#events}. The source of the events calls {@link #wake}
 * when there are new ones, and does nothing while no client listens. For any thread.
 */
public final class Listeners {
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();

    /** The body of an answer that stays open. */
    record Open(Listeners listeners, Text events) implements Text {
        @Override
        public boolean append(StringBuilder out) {
            return events.append(out);
        }
    }

    /** Whether no client listens. */
    public boolean isEmpty() {
        return connections.isEmpty();
    }

    /** Sends each listener its new events, once it has read the earlier ones. Does not wait. */
    public void wake() {
        connections.forEach(Connection::wake);
    }

    void add(Connection connection) {
        connections.add(connection);
    }

    void remove(Connection connection) {
        connections.remove(connection);
    }
}
