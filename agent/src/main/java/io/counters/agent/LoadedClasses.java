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
 * Classes that no transformer will see again by itself: those that were loaded before the agent came, and all of them
 * when the settings change.
 */
final class LoadedClasses {
    private final Instrumentation instrumentation;
    private final Weaving weaving;
    private final Counting counting;
    private final Log log;

    private boolean cacheMayBeUnused;
    private boolean copies;

    LoadedClasses(Instrumentation instrumentation, Weaving weaving, Counting counting, Log log) {
        this.instrumentation = instrumentation;
        this.weaving = weaving;
        this.counting = counting;
        this.log = log;
    }

    /**
     * Those that were there before {@code main}, to be called before the transformer is installed: named by a rule, as
     * the JDK's may be, or the application's, which another agent or an AOT cache has brought.
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
        // What is marked was not cached then; what rules name may be, as rules change.
        if (ofApplication && !rules && AotCache.isPossible() && AotCache.trainedWithAgent(all)) {
            early.clear();
        }
        cacheMayBeUnused = !ofApplication;
        AotCache.leaveWitness();
        return early;
    }

    /** Weaves those of the early ones that are marked; what the JVM refuses is listed. */
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
            log.accept(early.size() + " classes were loaded before the agent came, " + ofApplication
                    + " of which count from now on: another agent brought them, or an AOT cache that was trained"
                    + " without this agent; train it with -javaagent:counters.jar, and again when rules change");
        }
    }

    /** Says once where an AOT cache was named and nothing of it was to be seen. */
    void sayIfCacheIsUnused() {
        if (cacheMayBeUnused) {
            cacheMayBeUnused = false;
            String cache = AotCache.option(instrumentation, "-XX:AOTCache=");
            if (cache != null) {
                log.accept("the JVM does not use the AOT cache " + cache + ": one that was trained without an agent is"
                        + " rejected with one; train it with -javaagent:counters.jar");
            }
        }
    }

    /** After attaching: takes over the counts of the API's copies, and weaves what is marked. */
    void revisit() {
        joinCopies();
        weaveAnew();
    }

    /**
     * Takes over the cells of every copy of the API that has not found the bridge by itself, as one does not that was
     * initialised before the bridge was there: before this agent, or where the JVM lets no transformer see a class,
     * which is inside another's {@code transform}. Nothing is lost by coming late. What can't be taken over is said.
     */
    void joinCopies() {
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (isCells(loaded) && counting.getAsBoolean() && !counting.sweeps(loaded)) {
                join(loaded);
            }
        }
    }

    /** Brings all loaded classes to what the weaving says now; returns how many that were. */
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

    /** Returns how many counted before or count now: not all that had to be looked at do. */
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
                log.accept("class " + loaded.getName() + " was loaded already and the JVM refuses to change it ("
                        + refused + "); start with -javaagent to count it");
            }
        }
        return changed;
    }

    private static String internalName(Class<?> loaded) {
        return loaded.getName().replace('.', '/');
    }

    // In parts: in counters.jar the whole name would be the bridge's.
    private boolean isCells(Class<?> loaded) {
        String name = loaded.getName();
        return name.endsWith(".cells.Cells")
                && (name.startsWith("io.counters.") || (!loaded.isArray() && isCopy(loaded.getClassLoader(), name)));
    }

    /** Whether it is the API's cells under another name, as shading gives it; by its file, and nothing is loaded. */
    private boolean isCopy(@Nullable ClassLoader loader, String name) {
        try (InputStream in = resource(loader, name.replace('.', '/') + ".class")) {
            return in != null && Weaving.isCells(Agent.all(in));
        } catch (Throwable unreadable) {
            // It is a loader of the application, and may throw anything.
            return false;
        }
    }

    private static @Nullable InputStream resource(@Nullable ClassLoader loader, String file) {
        return loader == null ? ClassLoader.getSystemResourceAsStream(file) : loader.getResourceAsStream(file);
    }

    private void join(Class<?> cells) {
        String counters = "what Counters counts by " + cells.getName() + " of " + named(cells.getClassLoader());
        try {
            if (Boolean.FALSE.equals(cells.getMethod("joinBridge").invoke(null))) {
                log.accept(counters + " it sends by itself, as before");
            } else if (!counting.sweeps(cells)) {
                log.accept(counters + " is not sent: it is of another release than this agent; take counters-core and"
                        + " counters.jar of the same one");
            }
        } catch (ReflectiveOperationException | RuntimeException | LinkageError refused) {
            log.accept(counters + " is not sent (" + refused.getClass().getName()
                    + "); start with -javaagent, and with counters-core and counters.jar of the same release");
        }
    }

    /** Without its toString, which is the application's. */
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
                // Made at run time: the transformer gets to see the bytes.
                return weaving.mayCountUnseen(name);
            }
            return weaving.isHit(loader, name, Agent.all(in));
        } catch (Throwable unreadable) {
            // It is a loader of the application, and may throw anything.
            return weaving.mayCountUnseen(name);
        }
    }
}
