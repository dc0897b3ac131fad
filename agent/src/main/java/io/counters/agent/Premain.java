package io.counters.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.util.jar.JarFile;

/**
 * The class that the JVM calls. It is one of the three classes that the application's loader finds, with {@link
 * AgentLoader} and {@link Main}. It calls {@code Agent} by name, in a separate loader. If that fails, it prints one line
 * to stderr.
 */
public final class Premain {
    private Premain() {}

    /** Called by the JVM before {@code main}; throws only with {@code strict=true}. */
    public static void premain(String arguments, Instrumentation instrumentation) throws Throwable {
        enter("premain", arguments, instrumentation);
    }

    /** Called by the JVM when the agent is attached later, or when the manifest of an executable jar names it. */
    public static void agentmain(String arguments, Instrumentation instrumentation) throws Throwable {
        enter("agentmain", arguments, instrumentation);
    }

    private static void enter(String door, String arguments, Instrumentation instrumentation) throws Throwable {
        Throwable wanted = null;
        try {
            File file = new File(Premain.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            JarFile jar = new JarFile(file);
            String stranger = AgentLoader.stranger(jar);
            if (stranger != null) {
                jar.close();
                System.err.println("counters: the agent did not start; the application continues without it: " + file
                        + " also contains " + stranger + ", so it is not counters.jar; use counters.jar as released");
                return;
            }
            // The same signature as the JVM has just called: for any other, the reflective call costs 20 ms on Java 25.
            Class.forName("io.counters.agent.Agent", true, new AgentLoader(jar))
                    .getMethod(door, String.class, Instrumentation.class)
                    .invoke(null, arguments, instrumentation);
        } catch (InvocationTargetException strict) {
            wanted = strict.getCause();
        } catch (Throwable fault) {
            System.err.println("counters: the agent did not start; the application continues without it: " + fault
                    + (fault.getCause() == null ? "" : ", " + fault.getCause()));
        }
        if (wanted != null) {
            throw wanted;
        }
    }
}
