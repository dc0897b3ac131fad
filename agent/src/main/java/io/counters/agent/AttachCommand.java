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
 * Brings the agent into a JVM that runs already, and tells what it said there.
 *
 * <p>The attach API does not compile at release 8, and on a Java 8 JDK it lies in {@code tools.jar}: all by reflection.
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

    /** Returns the exit status: 0 when the agent counts in there. */
    int run(String pid, String settings) {
        if (!pid.matches("[0-9]{1,18}")) {
            err.println(pid + " is no process id; jps lists those of the JVMs that run");
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
            err.println("It must be a running JVM, of the same user, in the same container, and not started with"
                    + " -XX:+DisableAttachMechanism or -XX:-EnableDynamicAgentLoading; failing that, restart it with"
                    + " -javaagent:" + jar.getName());
            return 1;
        } catch (ReflectiveOperationException strange) {
            err.println("this Java's way to attach is not the usual one: " + strange);
            return 1;
        }
    }

    private int load(Class<?> type, Object machine, String pid, String settings) throws ReflectiveOperationException {
        String failed = "";
        try {
            type.getMethod("loadAgent", String.class, String.class).invoke(machine, jar.getAbsolutePath(), settings);
        } catch (InvocationTargetException refused) {
            // With strict=true the agent has thrown; what it said explains more than the JVM does.
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
            err.println("the agent said nothing in process " + pid + "; look at that process's stderr");
        } else if (Agent.feature(there) >= WARNED_SINCE) {
            out.println("Process " + pid + " may print a warning that an agent was loaded dynamically: it means this"
                    + " one, and does no harm; -XX:+EnableDynamicAgentLoading at its start allows it in silence.");
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
