package io.counters.agent;

import java.io.File;
import java.lang.instrument.Instrumentation;
import java.util.jar.JarFile;

/**
 * The door: the only class of ours, with {@link AgentLoader}, that the application's loader sees. It hands over to
 * {@code Agent} by name, in a loader of its own, and whatever goes wrong on the way is one line on stderr.
 */
public final class Premain {
    private Premain() {}

    /** Called by the JVM before {@code main}; throws only what {@code strict=true} asks for. */
    public static void premain(String arguments, Instrumentation instrumentation) throws Throwable {
        enter(arguments, instrumentation, false);
    }

    /** Called by the JVM when somebody attaches the agent to it later. */
    public static void agentmain(String arguments, Instrumentation instrumentation) throws Throwable {
        enter(arguments, instrumentation, true);
    }

    private static void enter(String arguments, Instrumentation instrumentation, boolean attached) throws Throwable {
        Throwable wanted = null;
        try {
            JarFile jar = new JarFile(new File(Premain.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI()));
            wanted = (Throwable) Class.forName("io.counters.agent.Agent", true, new AgentLoader(jar))
                    .getMethod("start", String.class, Instrumentation.class, boolean.class)
                    .invoke(null, arguments, instrumentation, attached);
        } catch (Throwable fault) {
            System.err.println("counters: the agent did not start, the application goes on without it: " + fault);
        }
        if (wanted != null) {
            throw wanted;
        }
    }
}
