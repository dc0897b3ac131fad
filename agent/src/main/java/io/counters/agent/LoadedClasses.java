package io.counters.agent;

import io.counters.agent.weave.Weaving;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Instruments classes that are already loaded, which no transformer sees again by itself: those that were loaded before
 * the agent started and, when the settings change, all of them.
 */
final class LoadedClasses {
    private final Instrumentation instrumentation;
    private final Weaving weaving;
    private final BridgeActivation counting;
    private final Log log;

    private boolean cacheMayBeUnused;
    private boolean copies;

    LoadedClasses(Instrumentation instrumentation, Weaving weaving, BridgeActivation counting, Log log) {
        this.instrumentation = instrumentation;
        this.weaving = weaving;
        this.counting = counting;
        this.log = log;
    }

    /**
     * Classes that were loaded before {@code main} and may count: those that a rule names, such as classes of the JDK, and
     * those of the application that another agent or an AOT cache has loaded. Call it before the transformer is installed.
     */
    List<Class<?>> early() {
        Class<?>[] all = instrumentation.getAllLoadedClasses();
        List<Class<?>> early = new ArrayList<>();
        boolean rules = weaving.rules().size() > 0;
        boolean ofApplication = false;
        for (Class<?> loaded : all) {
            ClassLoader loader = loaded.getClassLoader();
            copies |= isCells(loaded);
            if ((rules || loader != null)
                    && !loaded.isArray()
                    && instrumentation.isModifiableClass(loaded)
                    && weaving.isOfInterest(loader, internalName(loaded))) {
                early.add(loaded);
                ofApplication |= loader != null;
            }
        }
        // Such a cache contains no marked class; it may contain classes that rules name, because rules change.
        if (ofApplication && !rules && AotCache.isPossible() && AotCache.trainedWithAgent(all)) {
            early.clear();
        }
        cacheMayBeUnused = !ofApplication;
        AotCache.leaveWitness();
        return early;
    }

    /** Instruments those of the early classes that are marked. Classes that the JVM refuses to change are logged. */
    void catchUp(List<Class<?>> early) {
        if (copies) {
            joinCopies();
        }
        List<Class<?>> marked = marked(early);
        retransform(marked);
        int ofApplication = 0;
        for (Class<?> loaded : marked) {
            ofApplication += loaded.getClassLoader() != null && weaving.isWoven(internalName(loaded)) ? 1 : 0;
        }
        if (ofApplication > 0) {
            log.accept("classes loaded before the agent started: " + early.size() + "; instrumented now: "
                    + ofApplication
                    + ". Another agent loaded them, or an AOT cache that was trained without this agent;"
                    + " train the cache with -javaagent:counters.jar, and again when rules change");
        }
    }

    /** Logs once if the JVM was started with an AOT cache but no class of it was found. */
    void sayIfCacheIsUnused() {
        if (cacheMayBeUnused) {
            cacheMayBeUnused = false;
            String cache = AotCache.option(instrumentation, "-XX:AOTCache=");
            if (cache != null) {
                log.accept("the JVM does not use the AOT cache " + cache + "; with an agent it rejects a cache that was"
                        + " trained without an agent. Train the cache with -javaagent:counters.jar");
            }
        }
    }

    /** After attaching: joins the copies of the API to the bridge, and instruments marked classes. */
    void revisit() {
        joinCopies();
        weaveAnew();
    }

    /**
     * Joins to the bridge every copy of the API that has not joined it by itself. A copy does not join if it was
     * initialized before the bridge was defined: before this agent started, or inside another agent's {@code transform},
     * where the JVM calls no transformer. No count is lost by joining late. A copy that cannot join is logged.
     */
    void joinCopies() {
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (isCells(loaded) && counting.getAsBoolean() && !counting.sweeps(loaded)) {
                join(loaded);
            }
        }
    }

    /** Instruments or restores all loaded classes according to the current rules; returns how many of them changed. */
    int weaveAnew() {
        List<Class<?>> candidates = new ArrayList<>();
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (!loaded.isArray() && instrumentation.isModifiableClass(loaded)) {
                candidates.add(loaded);
            }
        }
        return retransform(marked(candidates));
    }

    private List<Class<?>> marked(List<Class<?>> candidates) {
        List<Class<?>> marked = new ArrayList<>();
        for (Class<?> loaded : candidates) {
            String name = internalName(loaded);
            if (weaving.isWoven(name) || (weaving.isOn() && isMarked(loaded, name))) {
                marked.add(loaded);
            }
        }
        return marked;
    }

    /** Returns how many of the classes counted before or count now; the others were only examined. */
    private int retransform(List<Class<?>> classes) {
        Set<String> before = new HashSet<>();
        for (Class<?> loaded : classes) {
            if (weaving.isWoven(internalName(loaded))) {
                before.add(internalName(loaded));
            }
        }
        int changed = 0;
        for (Class<?> loaded : classes) {
            try {
                instrumentation.retransformClasses(loaded);
                changed += before.contains(internalName(loaded)) || weaving.isWoven(internalName(loaded)) ? 1 : 0;
            } catch (Throwable refused) {
                log.accept("class " + loaded.getName() + " is already loaded, and the JVM refuses to change it ("
                        + refused + "); start the JVM with -javaagent to count it");
            }
        }
        return changed;
    }

    private static String internalName(Class<?> loaded) {
        return loaded.getName().replace('.', '/');
    }

    // The name is in two parts, because shading would replace the whole name by the bridge's in counters.jar.
    private boolean isCells(Class<?> loaded) {
        String name = loaded.getName();
        return name.endsWith(".cells.Cells")
                && (name.startsWith("io.counters.") || (!loaded.isArray() && isCopy(loaded.getClassLoader(), name)));
    }

    /** Whether the class is the API's cells, renamed by shading. Reads the class file and loads no class. */
    private boolean isCopy(@Nullable ClassLoader loader, String name) {
        try (InputStream in = resource(loader, name.replace('.', '/') + ".class")) {
            return in != null && Weaving.isCells(Agent.all(in));
        } catch (Throwable unreadable) {
            // A class loader of the application may throw anything.
            return false;
        }
    }

    private static @Nullable InputStream resource(@Nullable ClassLoader loader, String file) {
        return loader == null ? ClassLoader.getSystemResourceAsStream(file) : loader.getResourceAsStream(file);
    }

    private void join(Class<?> cells) {
        String copy = "the copy of Counters with " + cells.getName() + " from " + named(cells.getClassLoader());
        try {
            if (Boolean.FALSE.equals(cells.getMethod("joinBridge").invoke(null))) {
                log.accept(copy + " sends its own counts, as before");
            } else if (!counting.sweeps(cells)) {
                log.accept(copy + " counts, but its counts are not sent, because it is of another release than this"
                        + " agent; use counters-core and counters.jar of the same release");
            }
        } catch (ReflectiveOperationException | RuntimeException | LinkageError refused) {
            log.accept(copy + " counts, but its counts are not sent ("
                    + refused.getClass().getName()
                    + "); start with -javaagent, and use counters-core and counters.jar of the same release");
        }
    }

    /** Does not call the loader's toString, which is code of the application. */
    private static String named(@Nullable ClassLoader loader) {
        return loader == null
                ? "the boot class path"
                : loader.getClass().getName() + "@" + Integer.toHexString(System.identityHashCode(loader));
    }

    private boolean isMarked(Class<?> loaded, String name) {
        ClassLoader loader = loaded.getClassLoader();
        if (!weaving.isOfInterest(loader, name)) {
            return false;
        }
        String file = name + ".class";
        try (InputStream in = resource(loader, file)) {
            if (in == null) {
                // Generated at run time: only the transformer will see the bytes.
                return weaving.mayCountUnseen(name);
            }
            return weaving.isHit(loader, name, Agent.all(in));
        } catch (Throwable unreadable) {
            // A class loader of the application may throw anything.
            return weaving.mayCountUnseen(name);
        }
    }
}
