package io.counters.collector.fleet;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.Uuid;

/** The topics that a running fleet had, to notice that one was deleted, or deleted and created again. For one thread. */
final class SeenTopics {
    /** By their names. A broker that is older than IDs of topics says that each is zero. */
    private final Map<String, Uuid> ids = new HashMap<>();

    /** What the last look did not find: a broker that has just started may not know of it yet. */
    private final Set<String> missed = new HashSet<>();

    /** Adds a topic of a fleet that is ready; of one that was there before, the first ID is kept. */
    void add(String name, Uuid id) {
        ids.merge(name, id, (before, now) -> before.equals(Uuid.ZERO_UUID) ? now : before);
    }

    boolean contains(String name) {
        return ids.containsKey(name);
    }

    /** Of a topic that a look did not find: whether it was there, and the look before did not find it, either. */
    boolean isGone(String name) {
        return ids.containsKey(name) && !missed.add(name);
    }

    /** Of a topic that a look has found: whether it is known to be another one than before. */
    boolean isOther(String name, Uuid id) {
        missed.remove(name);
        Uuid before = ids.getOrDefault(name, id);
        return !before.equals(id) && !before.equals(Uuid.ZERO_UUID) && !id.equals(Uuid.ZERO_UUID);
    }

    /** Whether the last look did not find a topic that was there before. */
    boolean misses() {
        return !missed.isEmpty();
    }
}
