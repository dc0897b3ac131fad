package io.counters.agent;

import java.io.File;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Starts the agent in a running JVM, and prints what the agent logged there.
 *
 * <p>Uses reflection, because the attach API does not compile at release 8, and is in {@code tools.jar} on a Java 8 JDK.
 */
final class AttachCommand {
    private static final int WARNED_SINCE = 21;

    private final File jar;
    private final PrintStream out;
    private final PrintStream err;

    AttachCommand(File jar, PrintStream out, PrintStream err) {
        this.jar = jar;
        this.out = out;
        this.err = err;
    }

    /** Returns the exit status: 0 if the agent is now counting there. */
    int run(String pid, String settings) {
        if (!pid.matches("[0-9]{1,18}")) {
            err.println(pid + " is not a process ID; jps lists the IDs of the running JVMs");
            return 2;
        }
        Class<?> type;
        try {
            type = virtualMachine();
        } catch (ClassNotFoundException | MalformedURLException without) {
            err.println("this Java, " + System.getProperty("java.home") + ", cannot attach: it has no jdk.attach"
                    + " module (tools.jar on Java 8); run the command with the java of a JDK");
            return 1;
        }
        try {
            Object machine = type.getMethod("attach", String.class).invoke(null, pid);
            try {
                return load(type, machine, pid, settings);
            } finally {
                type.getMethod("detach").invoke(machine);
            }
        } catch (InvocationTargetException failed) {
            err.println("could not attach to process " + pid + ": " + failed.getCause());
            err.println("The process must be a running JVM of the same user in the same container, and must not have"
                    + " been started with -XX:+DisableAttachMechanism or -XX:-EnableDynamicAgentLoading. Otherwise"
                    + " restart it with -javaagent:" + jar.getName());
            return 1;
        } catch (ReflectiveOperationException strange) {
            err.println("the attach API of this Java is not the standard one: " + strange);
            return 1;
        }
    }

    private int load(Class<?> type, Object machine, String pid, String settings) throws ReflectiveOperationException {
        String failed = "";
        try {
            type.getMethod("loadAgent", String.class, String.class).invoke(machine, jar.getAbsolutePath(), settings);
        } catch (InvocationTargetException refused) {
            // With strict=true the agent has thrown; its log explains more than the JVM's exception.
            failed = String.valueOf(refused.getCause());
        }
        Properties there = (Properties) type.getMethod("getSystemProperties").invoke(machine);
        String said = there.getProperty(Agent.SAID);
        if (said != null) {
            out.println(said);
        }
        if (!failed.isEmpty()) {
            err.println("process " + pid + " refused the agent: " + failed);
        } else if (said == null) {
            err.println("the agent logged nothing in process " + pid + "; see that process's stderr");
        } else if (Agent.feature(there) >= WARNED_SINCE) {
            out.println("Process " + pid + " may print a warning that an agent was loaded dynamically. The warning is"
                    + " about this agent and harmless; -XX:+EnableDynamicAgentLoading at the start avoids it.");
        }
        return failed.isEmpty()
                        && String.valueOf(there.getProperty(Agent.STARTED)).equals("true")
                ? 0
                : 1;
    }

    private static Class<?> virtualMachine() throws ClassNotFoundException, MalformedURLException {
        String name = "com.sun.tools.attach.VirtualMachine";
        try {
            return Class.forName(name, true, ClassLoader.getSystemClassLoader());
        } catch (ClassNotFoundException java8) {
            @Nullable File home = new File(System.getProperty("java.home")).getParentFile();
            URL tools = new File(new File(home, "lib"), "tools.jar").toURI().toURL();
            return Class.forName(name, true, new URLClassLoader(new URL[] {tools}));
        }
    }
}
