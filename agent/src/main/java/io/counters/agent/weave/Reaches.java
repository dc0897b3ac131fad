package io.counters.agent.weave;

import org.jspecify.annotations.Nullable;

/**
 * Whether what is woven into a loader's classes would find the bridge. The JVM asks each loader for {@code
 * java.lang.CountersCells}, as for any class that a class of that loader names; one that filters {@code java.*} by a list
 * of its own may say no, and what it loads would end in a NoClassDefFoundError at its first count. So each loader is asked
 * once, before the first class of it is woven. Any thread.
 *
 * <p>It is asked as the JVM is about to ask it for that class's superclass: on the same thread, with the same locks held.
 */
final class Reaches {
    static final String BRIDGE = "java.lang.CountersCells";

    private final ByLoader<Boolean> known = new ByLoader<>();

    /** @param name of the first class that is to be woven there, with slashes: for the line that tells of a refusal */
    boolean bridge(@Nullable ClassLoader loader, String name, Refusals refusals) {
        synchronized (known) {
            Boolean answer = known.get(loader);
            if (answer != null) {
                return answer;
            }
        }
        // No lock of ours is held while the loader is asked; where two threads ask it they get the same answer.
        Class<?> bridge = in(null);
        boolean reaches = loader == null || bridge == null || bridge.equals(in(loader));
        synchronized (known) {
            known.put(loader, reaches);
        }
        if (!reaches && loader != null) {
            refusals.refuse(
                    name,
                    "",
                    "its class loader, a " + loader.getClass().getName() + ", does not find " + BRIDGE
                            + ", which counting calls; no class of this loader is counted. Let it ask its parent for all"
                            + " of java.lang, or the boot loader");
        }
        return reaches;
    }

    /** Null where there is none: in unit tests nothing has defined it. */
    private static @Nullable Class<?> in(@Nullable ClassLoader loader) {
        try {
            return Class.forName(BRIDGE, false, loader);
        } catch (Throwable refused) {
            // It is a loader of the application, and may throw anything.
            return null;
        }
    }
}
