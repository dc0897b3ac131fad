package io.counters.agent.weave;

import org.jspecify.annotations.Nullable;

/**
 * Whether instrumented classes of a loader would find the bridge. The JVM asks each loader for {@code
 * java.lang.CountersCells}, as for any class to which a class of that loader refers. A loader that filters {@code java.*}
 * by its own list may not find it, and its classes would fail with a NoClassDefFoundError at their first count. Therefore
 * each loader is asked once, before its first class is instrumented. Any thread.
 *
 * <p>The loader is asked on the same thread, and with the same locks held, as the JVM will ask it for the class's
 * superclass a moment later.
 */
final class BridgeVisibility {
    static final String BRIDGE = "java.lang.CountersCells";

    private final LoaderMap<Boolean> known = new LoaderMap<>();

    /** @param name the first class of this loader that will be instrumented, with slashes, for the message */
    boolean bridge(@Nullable ClassLoader loader, String name, RefusedMarks refusals) {
        synchronized (known) {
            Boolean answer = known.get(loader);
            if (answer != null) {
                return answer;
            }
        }
        // The agent holds no lock while it asks the loader. If two threads ask, both get the same answer.
        Class<?> bridge = in(null);
        boolean reaches = loader == null || bridge == null || bridge.equals(in(loader));
        synchronized (known) {
            known.put(loader, reaches);
        }
        if (!reaches && loader != null) {
            refusals.refuse(
                    name,
                    "",
                    "its class loader, " + loader.getClass().getName() + ", does not find " + BRIDGE
                            + ", which counting calls; no class of this loader is counted. Let the loader ask its parent"
                            + " or the boot loader for all classes in java.lang");
        }
        return reaches;
    }

    /** The bridge as this loader finds it; null if it finds none, as in unit tests, where no bridge is defined. */
    private static @Nullable Class<?> in(@Nullable ClassLoader loader) {
        try {
            return Class.forName(BRIDGE, false, loader);
        } catch (Throwable refused) {
            // A class loader of the application may throw anything.
            return null;
        }
    }
}
