package io.counters.agent.weave;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A map from class loaders to values, which does not keep the loaders alive. It compares by identity, because a loader's
 * {@code equals} and {@code hashCode} are code of the application, which must not be called. Not thread-safe.
 */
final class LoaderMap<V> {
    private final Map<Key, V> values = new HashMap<>();
    private final ReferenceQueue<ClassLoader> gone = new ReferenceQueue<>();
    private @Nullable V ofBootLoader;

    /** @param loader null for the boot loader */
    @Nullable
    V get(@Nullable ClassLoader loader) {
        return loader == null ? ofBootLoader : values.get(new Key(loader, null));
    }

    void put(@Nullable ClassLoader loader, V value) {
        for (Object key = gone.poll(); key != null; key = gone.poll()) {
            values.remove(key);
        }
        if (loader == null) {
            ofBootLoader = value;
        } else {
            values.put(new Key(loader, gone), value);
        }
    }

    void clear() {
        values.clear();
        ofBootLoader = null;
    }

    /** Equal to another key of the same loader; after the loader is collected, only to itself. */
    private static final class Key extends WeakReference<ClassLoader> {
        private final int hash;

        Key(ClassLoader loader, @Nullable ReferenceQueue<ClassLoader> gone) {
            super(loader, gone);
            hash = System.identityHashCode(loader);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        @SuppressWarnings("ReferenceEquality") // It compares by identity.
        public boolean equals(@Nullable Object other) {
            if (this == other) {
                return true;
            }
            ClassLoader own = get();
            return own != null && other instanceof Key && ((Key) other).get() == own;
        }
    }
}
