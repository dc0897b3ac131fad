package io.counters.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.util.jar.JarFile;

/**
 * The door of the JVM: one of three classes that the application's loader sees, with {@link AgentLoader} and {@link
 * Main}. It hands over to {@code Agent} by name, in a loader of its own, and whatever goes wrong on the way is one line
 * on stderr.
 */
public final class Premain {
    private Premain() {}

    /** Called by the JVM before {@code main}; throws only what {@code strict=true} asks for. */
    public static void premain(String arguments, Instrumentation instrumentation) throws Throwable {
        enter("premain", arguments, instrumentation);
    }

    /** Called by the JVM when somebody attaches the agent later, or when an executable jar brings it along. */
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
                System.err.println("counters: the agent did not start, the application goes on without it: " + file
                        + " holds " + stranger + " too, so it is not counters.jar; take that as it was released");
                return;
            }
            // Of the form in which the JVM called us: for any other, Java 25 would spend 20 ms on making it callable.
            Class.forName("io.counters.agent.Agent", true, new AgentLoader(jar))
                    .getMethod(door, String.class, Instrumentation.class)
                    .invoke(null, arguments, instrumentation);
        } catch (InvocationTargetException strict) {
            wanted = strict.getCause();
        } catch (Throwable fault) {
            System.err.println("counters: the agent did not start, the application goes on without it: " + fault
                    + (fault.getCause() == null ? "" : ", " + fault.getCause()));
        }
        if (wanted != null) {
            throw wanted;
        }
    }
}
