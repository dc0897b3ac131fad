package io.counters.agent;

import io.counters.agent.weave.Weaving;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.util.ArrayList;
import java.util.List;

/** What was loaded before the agent came, when it attaches to a running JVM. */
final class LoadedClasses {
    private LoadedClasses() {}

    /** Takes over the counts of the API's copies, and weaves what is marked; what the JVM refuses is listed. */
    static void revisit(Instrumentation instrumentation, Weaving weaving, Counting counting, Log log) {
        List<Class<?>> marked = new ArrayList<>();
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (isCells(loaded) && counting.getAsBoolean()) {
                join(loaded, log);
            } else if (instrumentation.isModifiableClass(loaded) && isMarked(loaded, weaving)) {
                marked.add(loaded);
            }
        }
        for (Class<?> loaded : marked) {
            try {
                instrumentation.retransformClasses(loaded);
            } catch (Throwable refused) {
                log.accept("class " + loaded.getName() + " was loaded already and the JVM refuses to change it ("
                        + refused + "); start with -javaagent to count it");
            }
        }
    }

    // In two parts: in counters.jar the whole name would be the bridge's.
    private static boolean isCells(Class<?> loaded) {
        return loaded.getName().startsWith("io.counters.") && loaded.getName().endsWith(".cells.Cells");
    }

    private static void join(Class<?> cells, Log log) {
        try {
            if (Boolean.FALSE.equals(cells.getMethod("joinBridge").invoke(null))) {
                log.accept("what Counters of " + cells.getClassLoader() + " counts it sends by itself, as before");
            }
        } catch (ReflectiveOperationException | RuntimeException refused) {
            log.accept("what Counters of " + cells.getClassLoader() + " counts is not sent: " + refused);
        }
    }

    private static boolean isMarked(Class<?> loaded, Weaving weaving) {
        String name = loaded.getName().replace('.', '/');
        if (loaded.isArray() || !weaving.isOfInterest(loaded.getClassLoader(), name)) {
            return false;
        }
        ClassLoader loader = loaded.getClassLoader();
        String file = name + ".class";
        try (InputStream in =
                loader == null ? ClassLoader.getSystemResourceAsStream(file) : loader.getResourceAsStream(file)) {
            if (in == null) {
                // Made at run time: the transformer gets to see the bytes.
                return true;
            }
            return weaving.isHit(loader, name, Bridge.all(in));
        } catch (IOException | RuntimeException unreadable) {
            return true;
        }
    }
}
