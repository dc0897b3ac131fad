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
 * What the AOT caches of Java 24 and newer do to an agent. What a cache holds is there before any agent, and no
 * transformer sees it. A cache that was trained with the agent holds no class that counted then. One that was trained
 * with {@code --add-modules java.instrument} alone holds them all; one without either is rejected by the JVM, whole.
 *
 * <p>Which it was is told by a class of the JDK that nobody uses: the agent loads it, so a cache that was trained with
 * the agent brings it along.
 */
final class AotCache {
    private static final String WITNESS = "java.lang.instrument.UnmodifiableModuleException";
    private static final int SINCE = 24;
    private static final String[] VARIABLES = {
        "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JDK_AOT_VM_OPTIONS"
    };

    /** The option itself, or a file that may hold it. */
    private static final String[] TRACES = {"-XX:AOT", "@", "-XX:Flags", "-XX:VMOptionsFile"};

    private AotCache() {}

    /** Whether the classes that were there when the agent came tell that a cache was trained with the agent. */
    static boolean trainedWithAgent(Class<?>[] before) {
        for (Class<?> loaded : before) {
            if (loaded.getClassLoader() == null && loaded.getName().equals(WITNESS)) {
                return true;
            }
        }
        return false;
    }

    /** Lets a cache that is trained by this run know that the agent was here. */
    static void leaveWitness() {
        if (isPossible()) {
            try {
                Class.forName(WITNESS, false, null);
            } catch (ClassNotFoundException without) {
                // Then caches are taken for ones without the agent, and their classes are looked at one by one.
                return;
            }
        }
    }

    /** Whether this JVM knows such caches. */
    static boolean isPossible() {
        return Agent.feature(System.getProperties()) >= SINCE;
    }

    /** The value of the first of these options that this JVM was started with, wherever that stood; or null. */
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

    /** A look at what the kernel and the environment tell, as asking the JVM costs 10 ms of every start. */
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

    /** As JMX would tell, which we never touch; the class that knows is opened to us as java.lang is. */
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
