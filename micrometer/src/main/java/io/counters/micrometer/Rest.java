package io.counters.micrometer;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The fraction of a counter that is not a whole yet, for all registries of this JVM. Any thread.
 *
 * <p>It begins at a random fraction. So a process that adds 0.4 counts 1 in four of ten cases, and the sum of many
 * processes is right, although what is left of the fraction is never sent.
 */
final class Rest {
    static final long STEPS = 1_000_000_000_000_000_000L;

    /** By the id of the counter's cell, so no larger than the number of counters that a JVM can have. */
    private static final Map<Integer, Rest> BY_ID = new ConcurrentHashMap<>();

    private final long begun = ThreadLocalRandom.current().nextLong(STEPS);
    private final AtomicLong steps = new AtomicLong(begun);

    private Rest() {}

    /** The fraction of this counter, begun if there is none yet. */
    static Rest of(int id) {
        return BY_ID.computeIfAbsent(id, none -> new Rest());
    }

    /** The fraction of this counter in steps; -1 if none has been added to it. */
    static long now(int id) {
        Rest rest = BY_ID.get(id);
        return rest == null ? -1 : rest.steps.get();
    }

    /**
     * How much a counter's fraction is above an earlier one, in steps.
     *
     * @param before what {@link #now} returned earlier
     */
    static long since(int id, long before) {
        Rest rest = BY_ID.get(id);
        return rest == null ? 0 : rest.steps.get() - (before < 0 ? rest.begun : before);
    }

    /** Adds less than a whole; returns the whole that has become full, 0 or 1. */
    long carry(long amount) {
        while (true) {
            long before = steps.get();
            long after = before + amount;
            long whole = after < STEPS ? 0 : 1;
            if (steps.compareAndSet(before, after - whole * STEPS)) {
                return whole;
            }
        }
    }
}
