package io.counters.micrometer;

import io.micrometer.core.instrument.Meter;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what functions have counted so far, in all registries of this JVM. So a function counts once although its
 * meter is registered again, or with a second registry, as happens with meters of the JVM when an application context
 * starts again. Any thread.
 */
final class Readings {
    private static final Map<Object, Map<String, Reading>> BY_OBJECT = new HashMap<>();
    private static final ReferenceQueue<Object> collected = new ReferenceQueue<>();

    private Readings() {}

    /** What one function has counted. Locked by who reads the function. */
    static final class Reading {
        long counted;
    }

    /** An object, compared by identity; does not keep it from being collected. */
    private static final class Of extends WeakReference<Object> {
        private final int hash;

        Of(Object of) {
            super(of, collected);
            hash = System.identityHashCode(of);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // An application's equals may say anything.
        public boolean equals(@Nullable Object other) {
            if (this == other) {
                return true;
            }
            Object mine = get();
            return other instanceof Of && mine != null && mine == ((Of) other).get();
        }
    }

    /**
     * The reading of one function.
     *
     * @param of the function's object; if it is null, nothing is remembered
     * @param counter the name of the counter
     * @param suffix says which of a meter's functions it is
     */
    static Reading of(@Nullable Object of, Meter.Id meter, String counter, String suffix) {
        if (of == null) {
            return new Reading();
        }
        synchronized (BY_OBJECT) {
            for (Reference<?> gone = collected.poll(); gone != null; gone = collected.poll()) {
                BY_OBJECT.remove(gone);
            }
            // Not the counter's name alone: meters that differ in tags that were left out have several functions.
            String function = meter.getName() + meter.getTags() + suffix + " " + counter;
            return BY_OBJECT
                    .computeIfAbsent(new Of(of), unknown -> new HashMap<>())
                    .computeIfAbsent(function, unknown -> new Reading());
        }
    }
}
