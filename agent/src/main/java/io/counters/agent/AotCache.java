package io.counters.agent;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How the AOT caches of Java 24 and newer affect an agent. The classes in a cache are loaded before any agent starts, and
 * no transformer sees them. A cache that was trained with the agent contains no class that counted during the training. A
 * cache that was trained with {@code --add-modules java.instrument} alone contains them all. The JVM rejects a cache that
 * was trained without either.
 *
 * <p>A class of the JDK that no program uses shows whether the cache was trained with the agent: the agent loads it during
 * the training, so the cache then contains it.
 */
final class AotCache {
    private static final String WITNESS = "java.lang.instrument.UnmodifiableModuleException";
    private static final int SINCE = 24;
    private static final String[] VARIABLES = {
        "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JDK_AOT_VM_OPTIONS"
    };

    /** The option itself, or an option that names a file in which it may be. */
    private static final String[] TRACES = {"-XX:AOT", "@", "-XX:Flags", "-XX:VMOptionsFile"};

    private AotCache() {}

    /**
     * Whether a cache that was trained with the agent is in use.
     *
     * @param before the classes that were loaded before the agent started
     */
    static boolean trainedWithAgent(Class<?>[] before) {
        for (Class<?> loaded : before) {
            if (loaded.getClassLoader() == null && loaded.getName().equals(WITNESS)) {
                return true;
            }
        }
        return false;
    }

    /** Loads the class that marks a cache as trained with the agent, in case this run trains one. */
    static void leaveWitness() {
        if (isPossible()) {
            try {
                Class.forName(WITNESS, false, null);
            } catch (ClassNotFoundException without) {
                // Then a cache is treated as trained without the agent, and its classes are examined one by one.
                return;
            }
        }
    }

    /** Whether this JVM supports such caches. */
    static boolean isPossible() {
        return Agent.feature(System.getProperties()) >= SINCE;
    }

    /** The value of the first of these options with which this JVM was started, wherever it was set; or null. */
    static @Nullable String option(Instrumentation instrumentation, String... names) {
        if (isPossible() && mayBeNamed()) {
            for (String argument : arguments(instrumentation)) {
                for (String name : names) {
                    if (argument.startsWith(name)) {
                        return argument.substring(name.length());
                    }
                }
            }
        }
        return null;
    }

    /** Checks the command line and the environment first, because asking the JVM costs 10 ms at every start. */
    private static boolean mayBeNamed() {
        StringBuilder options = new StringBuilder();
        for (String variable : VARIABLES) {
            options.append(System.getenv(variable)).append(' ');
        }
        try (InputStream line = new FileInputStream("/proc/self/cmdline")) {
            options.append(new String(Agent.all(line), StandardCharsets.ISO_8859_1));
        } catch (IOException | RuntimeException noLinux) {
            return true;
        }
        for (String trace : TRACES) {
            if (options.indexOf(trace) >= 0) {
                return true;
            }
        }
        return false;
    }

    /** The same arguments that JMX reports. The agent never uses JMX, so it opens the JDK's internal class instead. */
    private static String[] arguments(Instrumentation instrumentation) {
        try {
            Class<?> module = Class.forName("java.lang.Module");
            Object ours = Class.class.getMethod("getModule").invoke(AotCache.class);
            Instrumentation.class
                    .getMethod("redefineModule", module, Set.class, Map.class, Map.class, Set.class, Map.class)
                    .invoke(
                            instrumentation,
                            Class.class.getMethod("getModule").invoke(Object.class),
                            Collections.emptySet(),
                            Collections.singletonMap("jdk.internal.misc", Collections.singleton(ours)),
                            Collections.emptyMap(),
                            Collections.emptySet(),
                            Collections.emptyMap());
            String[] arguments = (String[]) Class.forName("jdk.internal.misc.VM")
                    .getMethod("getRuntimeArguments")
                    .invoke(null);
            return arguments == null ? new String[0] : arguments;
        } catch (ClassNotFoundException
                | NoSuchMethodException
                | IllegalAccessException
                | InvocationTargetException
                | RuntimeException otherwise) {
            return new String[0];
        }
    }
}
